//! The portal's pages.

use axum::response::Html;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use maud::{Markup, html};
use tidegate_domain::maintenance::GateState;

use super::door::Inside;
use super::upload::Sent;
use crate::api::{GateView, JobView};
use crate::pages::Names;
use crate::pages::assets::PORTAL;
use crate::pages::layout::{brand, live, page};
use crate::pages::status::Facts;
use crate::pages::times::{time, until};
use crate::pages::words::{messages, size, state, tone};

/// What the first page shows.
pub(super) struct Home<'a> {
    pub(super) jobs: &'a [JobView],
    /// How many could be shown.
    pub(super) more: Option<usize>,
    pub(super) gate: &'a GateView,
    pub(super) notices: &'a Facts,
}

pub(super) fn login(names: &Names, trouble: Option<&str>) -> Html<String> {
    let content = html! {
        div.narrow.login {
            section.card {
                h1 { "Send files" }
                p.quiet { "Log in with your organization's account, the one that you use for FTP or SFTP." }
                @if let Some(trouble) = trouble { p.trouble role="alert" { (trouble) } }
                form method="post" action="/login" {
                    label for="account" { "Account" }
                    input #account name="account" autocomplete="username" autocapitalize="none" spellcheck="false"
                        required autofocus[trouble.is_none()];
                    label for="password" { "Password" }
                    input #password name="password" type="password" autocomplete="current-password" required;
                    button.primary type="submit" { "Log in" }
                }
            }
            p.quiet { a href="/status" { "Is the service open?" } }
        }
    };
    Html(page(&names.registry, &html! {}, &brand(&names.registry, "/"), &content, &html! {}).into_string())
}

fn whole(names: &Names, inside: &Inside, title: &str, tail: &Markup, content: &Markup) -> Html<String> {
    let login = inside.visitor.user.login();
    let nav = html! {
        (brand(&names.registry, "/"))
        span.grow {}
        span.who { (login.account) " · " (login.org) }
        form.inline method="post" action="/logout" {
            input type="hidden" name="key" value=(inside.form_key.reveal());
            button.plain type="submit" { "Log out" }
        }
    };
    Html(page(title, &html! {}, &nav, content, tail).into_string())
}

pub(super) fn home(names: &Names, inside: &Inside, home: &Home<'_>) -> Html<String> {
    let tail = html! { script src=(PORTAL.path) {} (live(5)) };
    let zone = home.notices.zone;
    let content = html! {
        div.wide {
            h1.sr { "Your files" }
            div #waits data-live { (waits(home.gate, zone)) }
            (upload_form(inside))
            (files(home, zone))
            (notices(home.notices))
        }
    };
    whole(names, inside, "Your files", &tail, &content)
}

/// That processing waits, while it does.
fn waits(gate: &GateView, zone: Tz) -> Markup {
    html! {
        @if gate.gate.state == GateState::Closed {
            p.banner role="status" {
                strong { "Maintenance " (until(gate.gate.until, zone)) ". " }
                "You can send files as always: they are kept, and processed by themselves afterwards."
            }
        }
    }
}

fn upload_form(inside: &Inside) -> Markup {
    html! {
        section.card {
            h2 { "Send files" }
            form #send method="post" action="/upload" enctype="multipart/form-data" {
                input type="hidden" name="key" value=(inside.form_key.reveal());
                div #drop .drop {
                    label for="file" { "Choose HL7 files" span.with-script hidden { ", or drop them here" } }
                    input #file type="file" name="file" multiple required;
                    button.primary #submit type="submit" { "Send" }
                }
                ul #sending .sending aria-live="polite" {}
            }
            p.quiet { "“Received” means that the file is safe with us and will be processed. You need not send it again." }
        }
    }
}

fn files(home: &Home<'_>, zone: Tz) -> Markup {
    html! {
        section #files .card data-live {
            h2 { "Your files" }
            @if home.jobs.is_empty() { p { "Nothing was sent yet." } }
            @else {
                table.stack {
                    thead { tr { th { "File" } th { "Received" } th { "State" } th { "Messages" } th.right { "Size" } } }
                    tbody { @for job in home.jobs { (row(job, zone)) } }
                }
            }
            @if let Some(more) = home.more { p { a href={ "/?show=" (more) } { "Show more" } } }
        }
    }
}

fn row(job: &JobView, zone: Tz) -> Markup {
    html! {
        tr {
            td { a.name href={ "/files/" (job.id) } { (job.name) } }
            td data-label="Received" { (short(job.received_at, zone)) }
            td data-label="State" { span class=(tone(job)) { (state(job)) } }
            td data-label="Messages" { (messages(&job.messages)) }
            td.right data-label="Size" { (size(job.size_bytes)) }
        }
    }
}

fn short(at: DateTime<Utc>, zone: Tz) -> Markup {
    html! { time datetime=(crate::pages::times::machine(at)) { (crate::pages::times::short(at, zone)) } }
}

fn notices(facts: &Facts) -> Markup {
    html! {
        section.card {
            h2 { "Announced maintenance" }
            @if facts.next.is_empty() { p { "None is announced." } }
            @else {
                ol.coming {
                    @for one in &facts.next {
                        li {
                            div { (time(one.start, facts.zone)) " until " (time(one.end, facts.zone)) }
                            @if !one.reason.is_empty() { div.quiet { (one.reason) } }
                        }
                    }
                }
            }
        }
    }
}

/// What became of the files of a form.
pub(super) fn sent(names: &Names, inside: &Inside, sent: &[Sent], gate: &GateView) -> Html<String> {
    let is_closed = gate.gate.state == GateState::Closed;
    let content = html! {
        div.narrow {
            section.card {
                h1 { "What became of your files" }
                ul.plain {
                    @for one in sent {
                        li {
                            @match (&one.job, &one.error) {
                                (Some(job), _) => { span class="tag is-good" { "received" } " "
                                    a.name href={ "/files/" (job) } { (one.name) } },
                                (None, error) => { span class="tag is-bad" { "not received" } " " span.name { (one.name) }
                                    ": " (error.as_deref().unwrap_or("send it again")) },
                            }
                        }
                    }
                }
                @if is_closed { p { "Processing waits for the end of maintenance and begins by itself." } }
                p { a href="/" { "Back to your files" } }
            }
        }
    };
    whole(names, inside, "Sent", &html! {}, &content)
}

pub(super) fn job(
    names: &Names,
    inside: &Inside,
    job: &JobView,
    report: Option<&str>,
    zone: Tz,
) -> Html<String> {
    let content = html! {
        div.wide {
            p { a href="/" { "Your files" } }
            section.card {
                h1.name { (job.name) }
                p { span class=(tone(job)) { (state(job)) } @if let Some(reason) = &job.reason { " " (reason) } }
                dl.facts {
                    dt { "Job" } dd { code { (job.id) } }
                    dt { "Received" } dd { (time(job.received_at, zone)) }
                    @if let Some(at) = job.finished_at { dt { "Finished" } dd { (time(at, zone)) } }
                    dt { "Messages" } dd { (counts(job)) }
                    dt { "Size" } dd { (size(job.size_bytes)) }
                }
            }
            section.card {
                h2 { "Answer" }
                @match report {
                    Some(report) => {
                        p.actions {
                            a.button href={ "/files/" (job.id) "/response" } { "Fetch the HL7 response" }
                            a.button href={ "/files/" (job.id) "/report" } { "Fetch the report" }
                        }
                        pre tabindex="0" { (report) }
                        details.changes {
                            summary { "Delete the answer" }
                            form method="post" action={ "/files/" (job.id) "/delete" } {
                                input type="hidden" name="key" value=(inside.form_key.reveal());
                                p { "Response and report go out of your outbox, for FTP and SFTP, too. Fetch what you still need." }
                                p.actions { button.danger type="submit" { "Delete both" } }
                            }
                        }
                    },
                    None if job.finished_at.is_some() => p { "It, or its report, was deleted from your outbox." },
                    None => p { "There is none yet." },
                }
            }
        }
    };
    whole(names, inside, &job.name, &html! {}, &content)
}

fn counts(job: &JobView) -> String {
    let counts = &job.messages;
    if counts.total == 0 {
        return "none looked at yet".to_owned();
    }
    let crate::api::Messages { total, accepted, warned, errored, rejected } = *counts;
    format!(
        "{total}: {accepted} accepted, {warned} with warnings, {errored} with errors, {rejected} rejected"
    )
}
