//! How it is: the gate, the queue, the lanes, and what is wrong.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use maud::{Markup, html};
use tidegate_domain::OrgCode;
use tidegate_domain::job::JobState;
use tidegate_domain::maintenance::{CauseKind, GateState};

use super::console::{Console, Inside};
use super::frame::frame;
use crate::api::{ConfigurationView, GateView, Status};
use crate::control::{blocking, status};
use crate::pages::refusal::Refusal;
use crate::pages::times::{distance, short, time};
use crate::pages::words::number;

/// Lanes that are shown: those with the most files.
const LANES_MAX: usize = 20;

pub(super) async fn overview(
    State(console): State<Arc<Console>>,
    inside: Inside,
) -> Result<Response, Refusal> {
    let status = status::status(State(console.control())).await?.0;
    let store = console.parts.control.store.clone();
    let mut lanes = blocking(move || store.stats()).await?.map_err(|_| Refusal::failed())?.lanes;
    lanes.sort_by_key(|(_, waiting)| std::cmp::Reverse(*waiting));
    let zone = console.zone();
    let content = html! {
        h1.sr { "Overview" }
        div #now data-live {
            (problems(&status))
            (changed(&status.configuration))
            (gate(&status.gate, zone))
            (queue(&status, zone))
            (console.samples.charts())
            (waiting(&lanes, &status, zone))
            (doors(&status))
        }
    };
    Ok(frame(&console, &inside, "/staff", "Overview", Some(3), &content).into_response())
}

fn problems(status: &Status) -> Markup {
    html! {
        @if !status.problems.is_empty() {
            section.card.is-trouble {
                h2 { "What is wrong" }
                ul { @for problem in &status.problems { li.name { (problem) } } }
            }
        }
    }
}

/// What stands in the configuration file and is not in force.
fn changed(configuration: &ConfigurationView) -> Markup {
    let ConfigurationView { changed_since_read, needs_restart } = configuration;
    html! {
        @if *changed_since_read || !needs_restart.is_empty() {
            section.card {
                h2 { "Changed and not in force" }
                ul {
                    @if !needs_restart.is_empty() {
                        li { "Once the server is restarted: " span.name { (needs_restart.join(", ")) } }
                    }
                    @if *changed_since_read { li { "Once the configuration file is read anew: " code { "tidegate reload" } } }
                }
            }
        }
    }
}

/// The gate with the time that is left and what closes it.
pub(super) fn gate(view: &GateView, zone: Tz) -> Markup {
    let gate = &view.gate;
    html! {
        @match gate.state {
            GateState::Open => section.hero.is-open {
                p.state { span.lamp aria-hidden="true" {} "Open" }
                p.big { "Files are being processed" }
                @if let Some(next) = gate.next_change { p { "Next change " (time(next, zone)) ", " (distance(next - view.at)) } }
            },
            GateState::Closed => section.hero.is-closed {
                p.state { span.lamp aria-hidden="true" {} "Closed" }
                p.big { (left(view, zone)) }
                table.stack {
                    thead { tr { th { "Cause" } th { "Name" } th { "Until" } th { "By" } th { "Reason" } } }
                    tbody {
                        @for cause in &gate.causes {
                            tr {
                                td { (kind(cause.kind)) }
                                td.name data-label="Name" { (cause.name) }
                                td data-label="Until" { (cause.until.map_or("until released".to_owned(), |until| short(until, zone))) }
                                td data-label="By" { (cause.actor.as_deref().unwrap_or("configuration")) }
                                td.name data-label="Reason" { (cause.reason) }
                            }
                        }
                    }
                }
                p.quiet { "Uploads are accepted; processing starts by itself when the gate opens." }
            },
        }
    }
}

fn left(view: &GateView, zone: Tz) -> Markup {
    html! {
        @match view.gate.until {
            Some(until) => { "Opens " (distance(until - view.at)) ": " (time(until, zone)) },
            None => "Closed until further notice",
        }
    }
}

fn kind(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Window => "window",
        CauseKind::Hold => "hold",
        CauseKind::Downstream => "registry away",
    }
}

fn queue(status: &Status, zone: Tz) -> Markup {
    html! {
        section.card {
            h2 { "Queue" }
            ul.tiles {
                @for state in JobState::ALL {
                    li { a href={ "/staff/jobs?state=" (state) } {
                        strong { (number(status.jobs.get(state).copied().unwrap_or(0))) } span { (state) } } }
                }
            }
            p {
                (format!("{:.1}", status.drain.files_per_s)) " files finished in a second. "
                @if let Some(eta) = status.drain.eta { "Empty about " (short(eta, zone)) ". " }
                @if let Some(oldest) = status.oldest_queued_at { "The oldest that waits came " (age(oldest, status)) "." }
            }
        }
    }
}

fn age(oldest: DateTime<Utc>, status: &Status) -> String {
    distance(oldest - status.gate.at)
}

fn waiting(lanes: &[(OrgCode, u64)], status: &Status, zone: Tz) -> Markup {
    html! {
        section.card {
            h2 { "Lanes" }
            @if lanes.is_empty() && status.closed_orgs.is_empty() { p { "No organization has files that wait." } }
            @else {
                table.stack {
                    thead { tr { th { "Organization" } th.right { "Files that wait" } th { "Its own gate" } } }
                    tbody {
                        @for (org, count) in lanes.iter().take(LANES_MAX) { (lane(org, *count, status, zone)) }
                        @for closed in status.closed_orgs.iter().filter(|one| one.waiting == 0) {
                            (lane(&closed.org, 0, status, zone))
                        }
                    }
                }
                @if lanes.len() > LANES_MAX { p.quiet { "and " (lanes.len() - LANES_MAX) " more" } }
            }
        }
    }
}

fn lane(org: &OrgCode, count: u64, status: &Status, zone: Tz) -> Markup {
    let own = status.closed_orgs.iter().find(|closed| closed.org == *org);
    html! {
        tr {
            td { a href={ "/staff/jobs?org=" (org) } { (org) } }
            td.right data-label="Files that wait" { (number(count)) }
            td data-label="Its own gate" {
                @if let Some(own) = own {
                    span class="tag is-warn" { "closed" } " "
                    (own.gate.gate.until.map_or("until released".to_owned(), |until| format!("until {}", short(until, zone))))
                }
            }
        }
    }
}

fn doors(status: &Status) -> Markup {
    html! {
        p.quiet { "tidegate " (status.version) " listens: "
            @for (place, one) in status.listeners.iter().enumerate() { @if place > 0 { ", " } (one.protocol) " " (one.address) } }
    }
}
