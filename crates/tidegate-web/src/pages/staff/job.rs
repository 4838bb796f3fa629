//! One job: where it stands, what is wrong in it, and what happened to it.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use chrono_tz::Tz;
use maud::{Markup, html};
use tidegate_domain::job::Job;

use super::console::{Console, Inside};
use super::errors::{Kind, kinds};
use super::frame::{frame, key};
use super::jobs::actions;
use crate::api::{HistoryView, JobDetail, Messages};
use crate::control::{Control, blocking, jobs as control_jobs};
use crate::pages::refusal::Refusal;
use crate::pages::times::{short, time};
use crate::pages::words::{size, state, tone};
use crate::staff::Role;

/// Longest part of a report that is shown, in bytes.
const REPORT_SHOWN_BYTES: u64 = 64 << 10;

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    inside: Inside,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let detail = control_jobs::show(State(console.control()), Path(id)).await?.0;
    let (control, id) = (console.control(), detail.job.id);
    let (errors, report) = blocking(move || answers(&control, id)).await?;
    let zone = console.zone();
    let content = html! {
        p { a href="/staff/jobs" { "Jobs" } }
        (facts(&detail, zone))
        @if !errors.is_empty() { (wrong(&errors)) }
        @if inside.may(Role::Operator) {
            section.card {
                h2 { "Do something with it" }
                form method="post" action="/staff/jobs/act" {
                    (key(&inside))
                    input type="hidden" name="from" value="job";
                    input type="hidden" name="job" value=(detail.job.id);
                    (actions())
                }
            }
        }
        (history(&detail.history, zone))
        @if let Some(report) = report {
            section.card { h2 { "Report that the sender gets" } pre tabindex="0" { (report) } }
        }
    };
    Ok(frame(&console, &inside, "/staff/jobs", &detail.job.name, None, &content).into_response())
}

/// What the sender was answered, as far as there is an answer.
fn answers(control: &Control, id: tidegate_domain::JobId) -> (Vec<(Kind, u64)>, Option<String>) {
    let Some(job) = control.store.get(id).ok().flatten().filter(Job::has_response) else {
        return (Vec::new(), None);
    };
    let errors = File::open(control.store.response_path(&job)).and_then(kinds).unwrap_or_default();
    let mut report = Vec::new();
    let opened = File::open(control.store.report_path(&job));
    let read = opened.and_then(|file| file.take(REPORT_SHOWN_BYTES).read_to_end(&mut report));
    (errors, read.is_ok().then(|| String::from_utf8_lossy(&report).into_owned()))
}

fn facts(detail: &JobDetail, zone: Tz) -> Markup {
    let job = &detail.job;
    html! {
        section.card {
            h1.name { (job.name) }
            p { span class=(tone(job)) { (state(job)) } @if let Some(reason) = &job.reason { " " span.name { (reason) } } }
            @if let Some(gate) = &detail.waits_for {
                p { "It waits for the gate: "
                    (gate.gate.until.map_or("closed until further notice".to_owned(), |until| format!("closed until {}", short(until, zone)))) }
            }
            dl.facts {
                dt { "Job" } dd { code { (job.id) } }
                dt { "From" } dd { (job.org) ", account " (job.account) ", by " (job.protocol) }
                dt { "Received" } dd { (time(job.received_at, zone)) }
                @if let Some(at) = job.finished_at { dt { "Finished" } dd { (time(at, zone)) } }
                @if let Some(at) = job.not_before { dt { "Next try" } dd { (time(at, zone)) } }
                dt { "Messages" } dd { (counts(&job.messages)) }
                dt { "Attempts" } dd { (job.attempts) ", " (detail.failures) " failed" }
                dt { "Size" } dd { (size(job.size_bytes)) }
                dt { "SHA-256" } dd { code { (job.sha256) } }
                @if let Some(of) = &detail.duplicate_of { dt { "Same as" } dd { a href={ "/staff/jobs/" (of) } { (of) } } }
            }
        }
    }
}

fn counts(messages: &Messages) -> String {
    let Messages { total, accepted, warned, errored, rejected } = messages;
    match total {
        0 => "none looked at".to_owned(),
        _ => format!(
            "{total}: {accepted} accepted, {warned} with warnings, {errored} with errors, {rejected} rejected"
        ),
    }
}

fn wrong(errors: &[(Kind, u64)]) -> Markup {
    html! {
        section.card {
            h2 { "What is wrong, by segment and field" }
            table.stack {
                thead { tr { th { "Where" } th { "What" } th { "Severity" } th.right { "Times" } } }
                tbody {
                    @for (kind, count) in errors {
                        tr {
                            td { code { (kind.place) } }
                            td.name { (kind.text) }
                            td data-label="Severity" {
                                @match kind.severity.as_str() {
                                    "E" => span class="tag is-bad" { "error" },
                                    "W" => span class="tag is-warn" { "warning" },
                                    _ => span class="tag" { "note" },
                                }
                            }
                            td.right data-label="Times" { (count) }
                        }
                    }
                }
            }
        }
    }
}

fn history(history: &[HistoryView], zone: Tz) -> Markup {
    html! {
        section.card {
            h2 { "History" }
            table.stack {
                thead { tr { th { "When" } th { "Who" } th { "What" } th { "Detail" } } }
                tbody {
                    @for entry in history {
                        tr {
                            td { (entry.at.with_timezone(&zone).format("%-d %b %H:%M:%S")) }
                            td.name data-label="Who" { (entry.actor) }
                            td data-label="What" { (entry.event.replace('_', " ")) }
                            td.name data-label="Detail" { (entry.detail.as_deref().unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    }
}
