//! The notice of an occurrence: what senders are to be told, who was told, and mailing it to the others.
//!
//! Invariant: what is mailed is what the page showed; if that has changed meanwhile, nothing is. The HTML version is a
//! page of its own in which nothing runs: its words are the staff's, its markup may be.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use chrono::NaiveDate;
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;
use tidegate_notices::{Notice, Page, Recipient, Record, Templates, Told};

use super::console::{Console, Inside};
use super::frame::{frame, key};
use super::mailing::{Post, Progress};
use crate::announcing::Plan;
use crate::api::MaintenanceView;
use crate::control::extract::Parameters;
use crate::control::{blocking, maintenance};
use crate::pages::fields::Fields;
use crate::pages::refusal::Refusal;
use crate::pages::times::{short, text};
use crate::staff::Role;

/// For a page that is looked at by itself: its own styles, and nothing that acts.
const PREVIEW_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Which occurrence.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Which {
    name: String,
    on: Option<NaiveDate>,
}

/// Everything that the page tells.
struct Known {
    notice: Notice,
    templates: Templates,
    plan: Plan,
    /// Mails about it, the latest first.
    records: Vec<Record>,
}

/// The address of the page of an occurrence.
pub(super) fn path(name: &str, on: NaiveDate) -> String {
    address("notice", name, on)
}

fn address(page: &str, name: &str, on: NaiveDate) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("name", name)
        .append_pair("on", &on.to_string())
        .finish();
    format!("/staff/maintenance/{page}?{query}")
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    inside: Inside,
    Query(which): Query<Which>,
) -> Result<Response, Refusal> {
    let known = known(&console, which).await?;
    let words = known.page(Page::Text)?;
    let Known { notice, plan, records, .. } = &known;
    let zone = console.zone();
    let event = &notice.event;
    let content = html! {
        p { a href="/staff/maintenance" { "Maintenance" } }
        h1.name { (plan.subject) }
        p { span.tag { (notice.state.name().replace('_', " ")) } " " (event.window) ", "
            (text(event.start, event.timezone)) " until " (text(event.end, event.timezone)) }
        (mailing(&console, &inside, &known))
        section.card {
            h2 { "What it says" }
            pre.wrap tabindex="0" { (words) }
            p { a href=(address("notice.html", &event.window, event.date())) { "As HTML, as mail programs show it" } }
        }
        div #told data-live { (told(records, zone)) }
    };
    Ok(frame(&console, &inside, "/staff/maintenance", "Notice", Some(2), &content).into_response())
}

/// What is in the mail for those who read pages.
pub(super) async fn preview(
    State(console): State<Arc<Console>>,
    _: Inside,
    Query(which): Query<Which>,
) -> Result<Response, Refusal> {
    let known = known(&console, which).await?;
    let page = known.page(Page::Html)?;
    Ok(([(CONTENT_SECURITY_POLICY, PREVIEW_POLICY)], Html(page)).into_response())
}

impl Known {
    fn page(&self, page: Page) -> Result<String, Refusal> {
        self.templates.render(page, &self.notice, &[]).map_err(|error| wrong(&error))
    }
}

fn wrong(what: &impl ToString) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, what.to_string())
}

async fn view(console: &Console) -> MaintenanceView {
    let query = maintenance::ListQuery { n: None, all: false };
    maintenance::list(State(console.control()), Parameters(query)).await.0
}

async fn known(console: &Console, which: Which) -> Result<Known, Refusal> {
    let (view, now) = (view(console).await, console.now());
    let (announcing, organizations) = (console.parts.announcing.clone(), console.parts.directory.current());
    let known = blocking(move || {
        let records = announcing.records().map_err(|error| wrong(&error))?;
        let notice = announcing.notice(&view, &which.name, which.on, &records, now);
        let notice = notice.ok_or_else(Refusal::not_found)?;
        let templates = announcing.templates().map_err(|errors| {
            wrong(&errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        let plan = Plan::new(&notice, &templates, organizations.iter(), &records);
        let plan = plan.map_err(|error| wrong(&error))?;
        let is_of_it = |record: &&Record| match &record.told {
            Told::Announcement { uid, .. } => *uid == notice.uid,
            Told::Report => false,
        };
        let records = records.iter().rev().filter(is_of_it).cloned().collect();
        Ok(Known { notice, templates, plan, records })
    });
    known.await?
}

/// Who is to be told, and the button that does it.
fn mailing(console: &Console, inside: &Inside, known: &Known) -> Markup {
    let Known { notice, plan, .. } = known;
    let progress = console.mailing.of(&notice.uid);
    let is_running = progress.as_ref().is_some_and(|progress| !progress.is_over);
    let may_mail = console.parts.announcing.config.smtp.is_some();
    html! {
        section.card {
            h2 { "Who is to hear of it" }
            div #mailing data-live { @if let Some(progress) = &progress { (course(progress)) } }
            div #left data-live {
                @if !plan.told.is_empty() { p { (people(plan.told.len())) " told already." } }
                @if plan.rest.is_empty() { p { "Nobody is left to be told by mail." } }
                @else {
                    p { "To be told by mail, " (people(plan.rest.len())) ":" }
                    ul.plain { @for one in &plan.rest { li.name { (one.address) " " span.quiet { (orgs(one)) } } } }
                }
                @if !plan.otherwise.is_empty() {
                    p { "To be told otherwise, without a mail address among their contacts:" }
                    ul.plain { @for (org, contacts) in &plan.otherwise {
                        li.name { (org) " " span.quiet { (if contacts.is_empty() { "no contact".to_owned() } else { contacts.join("; ") }) } }
                    } }
                }
            }
            // Never brought up to date by itself: it mails what the page showed.
            (button(inside, known, may_mail, is_running))
        }
    }
}

/// What begins it.
fn button(inside: &Inside, known: &Known, may_mail: bool, is_running: bool) -> Markup {
    let Known { notice, plan, .. } = known;
    html! {
        @if !may_mail { p.quiet { "There is no section [notices.smtp] in the configuration, so nothing can be mailed." } }
        @else if inside.may(Role::Operator) && !plan.rest.is_empty() && !is_running {
            form method="post" action="/staff/maintenance/announce" {
                (key(inside))
                input type="hidden" name="name" value=(notice.event.window);
                input type="hidden" name="on" value=(notice.event.date());
                input type="hidden" name="uid" value=(notice.uid);
                input type="hidden" name="sequence" value=(notice.sequence);
                p.actions { button.primary type="submit" { "Mail it" } }
            }
        }
    }
}

fn people(number: usize) -> String {
    format!("{number} {}", if number == 1 { "recipient" } else { "recipients" })
}

fn orgs(one: &Recipient) -> String {
    one.orgs.join(", ")
}

fn course(progress: &Progress) -> Markup {
    let Progress { total, sent, refused, trouble, is_over, .. } = progress;
    html! {
        p role="status" class=(if *is_over && refused.is_empty() && trouble.is_none() { "done" } else { "" }) {
            @if *is_over { (sent) " of " (total) " mails sent." }
            @else { progress max=(total) value=(sent + refused.len()) aria-label="Mails sent" {} " " (sent) " of " (total) " mails sent …" }
        }
        @if let Some(trouble) = trouble { p.trouble role="alert" { (trouble) " Try again: who was told is not told again." } }
        @for (address, why) in refused { p.trouble.name { "Not sent to " (address) ": " (why) } }
    }
}

fn told(records: &[Record], zone: Tz) -> Markup {
    html! {
        section.card {
            h2 { "Who was told of it" }
            @if records.is_empty() { p { "Nobody, by mail." } }
            @else {
                table.stack {
                    thead { tr { th { "When" } th { "Address" } th { "For" } th { "What" } th { "By" } } }
                    tbody { @for record in records { tr {
                        td { (short(record.at, zone)) }
                        td.name data-label="Address" { (record.address) }
                        td.name data-label="For" { (record.orgs.join(", ")) }
                        td data-label="What" { (what(record)) }
                        td.name data-label="By" { (record.actor.strip_prefix("staff:").unwrap_or(&record.actor)) }
                    } } }
                }
            }
        }
    }
}

fn what(record: &Record) -> String {
    match &record.told {
        Told::Announcement { state, .. } => state.name().replace('_', " "),
        Told::Report => "report".to_owned(),
    }
}

pub(super) async fn announce(
    State(console): State<Arc<Console>>,
    inside: Inside,
    form: Fields,
) -> Result<Redirect, Refusal> {
    inside.check(Role::Operator, &form)?;
    let bad = || Refusal::new(StatusCode::BAD_REQUEST, "This form can't be understood.");
    let on: NaiveDate = form.get("on").parse().map_err(|_| bad())?;
    let back = path(form.get("name"), on);
    match post(&console, &inside, &form, on).await? {
        Ok(post) => console.mailing.begin(post, console.control()),
        Err(trouble) => inside.tell(false, trouble),
    }
    Ok(Redirect::to(&back))
}

/// What is to be sent, with the ledger and the mail server at hand.
async fn post(
    console: &Console,
    inside: &Inside,
    form: &Fields,
    on: NaiveDate,
) -> Result<Result<Post, String>, Refusal> {
    let (view, now) = (view(console).await, console.now());
    let (announcing, organizations) = (console.parts.announcing.clone(), console.parts.directory.current());
    let (name, actor) = (form.get("name").to_owned(), format!("staff:{}", inside.name()));
    let shown = (form.get("uid").to_owned(), form.get("sequence").to_owned());
    let post = blocking(move || {
        let ledger = announcing.ledger().map_err(|error| format!("{error}."))?;
        let notice = announcing.notice(&view, &name, Some(on), ledger.records(), now);
        let notice = notice.filter(|notice| (notice.uid.clone(), notice.sequence.to_string()) == shown);
        let notice = notice.ok_or("It has changed meanwhile: look at it as it is now. Nothing was sent.")?;
        let templates = announcing.templates().map_err(|_| "The templates can't be used.")?;
        let plan = Plan::new(&notice, &templates, organizations.iter(), ledger.records());
        let rest = plan.map_err(|error| format!("{error}."))?.rest;
        if rest.is_empty() {
            return Err("Nobody is left to be told; nothing was sent.".to_owned());
        }
        let mailer = announcing.mailer().map_err(|error| format!("{error}. Nothing was sent."))?;
        let mailer = mailer.ok_or("There is no section [notices.smtp], so nothing can be mailed.")?;
        Ok(Post { notice, templates, mailer, ledger, rest, actor })
    });
    Ok(post.await?)
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
