//! Jobs in a list, and acting on many at once.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;
use tidegate_domain::job::JobState;
use tidegate_domain::{JobId, OrgCode};

use super::console::{Console, Inside};
use super::frame::{frame, key, reason};
use crate::api::{ACT_JOBS_MAX, ActRequest, Acted, Action, JobView, Selection, States};
use crate::control::extract::{Body, Parameters};
use crate::control::{act as control_act, jobs as control_jobs};
use crate::pages::fields::Fields;
use crate::pages::refusal::Refusal;
use crate::pages::times::short;
use crate::pages::words::{messages, size, state, tone};
use crate::staff::Role;

/// Jobs on a page.
const SHOWN: usize = 100;

/// Jobs on a page that shows more: as many as can be acted on at once.
const SHOWN_MAX: usize = ACT_JOBS_MAX;

/// Errors that are told one by one.
const TOLD_MAX: usize = 3;

/// What the filter says; empty where it was left alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    org: String,
    state: String,
    since: String,
    show: Option<usize>,
}

pub(super) async fn list(
    State(console): State<Arc<Console>>,
    inside: Inside,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let limit = wanted.show.unwrap_or(SHOWN).clamp(1, SHOWN_MAX);
    let found = match wanted.query(limit) {
        Ok(query) => control_jobs::list(State(console.control()), Parameters(query)).await?.0,
        Err(trouble) => {
            inside.tell(false, trouble);
            Vec::new()
        }
    };
    let content = html! {
        h1 { "Jobs" }
        (filter(&wanted))
        form method="post" action="/staff/jobs/act" {
            (key(&inside))
            section.card {
                @if found.is_empty() { p { "There are none." } }
                @else { (table(&found, inside.may(Role::Operator), console.zone())) }
                @if found.len() >= limit && limit < SHOWN_MAX { p { a href=(wanted.longer()) { "Show more" } } }
            }
            @if inside.may(Role::Operator) && !found.is_empty() {
                section.card { h2 { "Do with those that are ticked" } (actions()) }
            }
        }
    };
    Ok(frame(&console, &inside, "/staff/jobs", "Jobs", None, &content).into_response())
}

impl Wanted {
    fn query(&self, limit: usize) -> Result<control_jobs::ListQuery, String> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let org = given(&self.org).map(|code| OrgCode::new(&code)).transpose();
        let state: Result<States, String> = self.state.parse();
        let since = given(&self.since).map(|text| text.parse()).transpose();
        Ok(control_jobs::ListQuery {
            org: org.map_err(|error| error.to_string())?,
            state: state?,
            since: since.map_err(|error: crate::api::WhenError| error.to_string())?,
            limit: Some(limit),
            ..control_jobs::ListQuery::default()
        })
    }

    fn longer(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::from("/staff/jobs?"));
        query
            .append_pair("org", &self.org)
            .append_pair("state", &self.state)
            .append_pair("since", &self.since);
        query.append_pair("show", &SHOWN_MAX.to_string()).finish()
    }
}

fn filter(wanted: &Wanted) -> Markup {
    html! {
        form.bar method="get" action="/staff/jobs" {
            div { label for="org" { "Organization" } input #org name="org" value=(wanted.org) size="10"; }
            div {
                label for="state" { "State" }
                select #state name="state" {
                    option value="" { "any" }
                    @for state in JobState::ALL {
                        option value=(state) selected[wanted.state == state.as_str()] { (state) }
                    }
                }
            }
            div { label for="since" { "Since" } input #since name="since" value=(wanted.since) placeholder="2h, 08:00, 2026-11-01" size="18"; }
            button.primary type="submit" { "Show" }
        }
    }
}

fn table(jobs: &[JobView], may_act: bool, zone: Tz) -> Markup {
    html! {
        table.stack {
            thead { tr {
                @if may_act { th { span.sr { "Ticked" } } }
                th { "File" } th { "Received" } th { "Organization" } th { "State" } th { "Messages" } th.right { "Size" }
            } }
            tbody {
                @for job in jobs {
                    tr {
                        @if may_act { td { input type="checkbox" name="job" value=(job.id) aria-label={ "Tick " (job.name) }; } }
                        td { a.name href={ "/staff/jobs/" (job.id) } { (job.name) }
                            @if let Some(reason) = &job.reason { div.quiet.name { (reason) } } }
                        td data-label="Received" { (short(job.received_at, zone)) }
                        td data-label="Organization" { (job.org) }
                        td data-label="State" { span class=(tone(job)) { (state(job)) } }
                        td data-label="Messages" { (messages(&job.messages)) }
                        td.right data-label="Size" { (size(job.size_bytes)) }
                    }
                }
            }
        }
    }
}

/// What can be done, and why it is.
pub(super) fn actions() -> Markup {
    html! {
        (reason("act"))
        p.actions {
            button type="submit" name="action" value="requeue" { "Requeue" }
            button type="submit" name="action" value="hold" { "Hold" }
            button type="submit" name="action" value="release" { "Release" }
            button.danger type="submit" name="action" value="cancel" { "Cancel" }
        }
    }
}

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    inside: Inside,
    form: Fields,
) -> Result<Redirect, Refusal> {
    inside.check(Role::Operator, &form)?;
    let jobs: Result<Vec<JobId>, _> = form.all("job").map(str::parse).collect();
    let bad = || Refusal::new(StatusCode::BAD_REQUEST, "This form can't be understood.");
    let (jobs, action) = (jobs.map_err(|_| bad())?, action(form.get("action")).ok_or_else(bad)?);
    // Where it was done from: a job's own page, or the list.
    let back = match (form.get("from"), jobs.as_slice()) {
        ("job", [job]) => format!("/staff/jobs/{job}"),
        _ => "/staff/jobs".to_owned(),
    };
    if jobs.is_empty() {
        inside.tell(false, "Nothing was ticked.");
        return Ok(Redirect::to(&back));
    }
    let request = ActRequest {
        action,
        selection: Selection::Jobs(jobs),
        actor: inside.name().to_owned(),
        reason: form.get("reason").to_owned(),
        dry_run: false,
        limit: None,
        only_in: States::default(),
    };
    match control_act::act(State(console.control()), Body(request)).await {
        Ok(acted) => tell(&inside, &acted.0),
        Err(failure) => inside.tell(false, failure.words()),
    }
    Ok(Redirect::to(&back))
}

fn action(word: &str) -> Option<Action> {
    Some(match word {
        "requeue" => Action::Requeue,
        "hold" => Action::Hold,
        "release" => Action::Release,
        "cancel" => Action::Cancel,
        _ => return None,
    })
}

fn tell(inside: &Inside, acted: &Acted) {
    let refused: Vec<String> = acted
        .jobs
        .iter()
        .filter_map(|job| job.error.as_ref().map(|error| format!("{}: {error}", job.id)))
        .collect();
    let done = acted.jobs.len() - refused.len();
    let mut text = format!("Done for {done} of {}.", acted.jobs.len());
    for one in refused.iter().take(TOLD_MAX) {
        text.push(' ');
        text.push_str(one);
    }
    inside.tell(refused.is_empty(), text);
}
