//! Windows in a calendar, holds, and what can be done about them.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;
use tidegate_domain::maintenance::OccurrenceState;
use tidegate_notices::Notice;

use super::calendar::Month;
use super::console::{Console, Inside};
use super::frame::{frame, key, reason};
use super::notice::path;
use super::overview::gate;
use crate::api::{HappenedView, HoldView, MaintenanceView, OccurrenceView};
use crate::control::extract::Parameters;
use crate::control::{blocking, maintenance as control_maintenance};
use crate::pages::refusal::Refusal;
use crate::pages::times::{machine, short};
use crate::staff::Role;

/// Coming occurrences that are listed; the calendar shows all.
const LISTED: usize = 15;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    month: Option<String>,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    inside: Inside,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let query = control_maintenance::ListQuery { n: None, all: false };
    let view = control_maintenance::list(State(console.control()), Parameters(query)).await.0;
    let zone = console.zone();
    let month = Month::of(wanted.month.as_deref(), console.now(), zone);
    let taken_back = taken_back(&console, &view).await?;
    let content = html! {
        h1 { "Maintenance" }
        div #gate data-live { (gate(&view.gate, zone)) }
        @if inside.may(Role::Operator) {
            div.two {
                (hold_form(&inside))
                (window_form(&inside, zone))
            }
        }
        section.card { (month.table(&view.occurrences)) }
        (windows(&inside, &view, zone))
        (gone(&taken_back))
        (holds(&inside, &view.holds, zone))
        (history(&view.history, zone))
    };
    Ok(frame(&console, &inside, "/staff/maintenance", "Maintenance", Some(5), &content).into_response())
}

fn hold_form(inside: &Inside) -> Markup {
    html! {
        section.card {
            h2 { "Stop processing now" }
            form method="post" action="/staff/maintenance/hold" {
                (key(inside))
                label for="hold-for" { "For how long" }
                input #hold-for name="for" placeholder="30m" size="8";
                label.check { input type="checkbox" name="until_released" value="yes"; " until somebody releases it" }
                label for="hold-org" { "Organization " span.quiet { "(everyone if empty)" } }
                input #hold-org name="org" size="12";
                (reason("hold"))
                p.actions { button.primary type="submit" { "Hold" } }
            }
        }
    }
}

fn window_form(inside: &Inside, zone: Tz) -> Markup {
    html! {
        section.card {
            h2 { "Announce a window" }
            form method="post" action="/staff/maintenance/add" {
                (key(inside))
                label for="window-name" { "Name" }
                input #window-name name="name" required maxlength="64";
                div.bar {
                    div { label for="window-from" { "From" } input #window-from name="from" type="datetime-local" required; }
                    div { label for="window-to" { "To" } input #window-to name="to" type="datetime-local" required; }
                }
                p.quiet { "Local time of " (zone) }
                label for="window-orgs" { "Organizations " span.quiet { "(everyone if empty)" } }
                input #window-orgs name="orgs" placeholder="ACME01, COUNTY-*";
                (reason("window"))
                p.actions { button.primary type="submit" { "Announce" } }
            }
        }
    }
}

fn windows(inside: &Inside, view: &MaintenanceView, zone: Tz) -> Markup {
    let coming = view.occurrences.iter().filter(|one| one.state == OccurrenceState::Coming).count();
    let mut left = LISTED;
    let listed = view.occurrences.iter().filter(|one| {
        let is_coming = one.state == OccurrenceState::Coming;
        left = left.saturating_sub(usize::from(is_coming));
        !is_coming || left > 0
    });
    html! {
        section.card {
            h2 { "Windows" }
            @if view.occurrences.is_empty() { p { "None was or is announced." } }
            @else {
                table.stack {
                    thead { tr { th { "Name" } th { "From" } th { "To" } th { "State" } th { "Reason" } th { "For" } @if inside.may(Role::Operator) { th { span.sr { "Actions" } } } } }
                    tbody { @for (number, one) in listed.enumerate() { (window(inside, one, number, zone)) } }
                }
                @if coming > LISTED { p.quiet { "The calendar shows " (coming) " that are to come." } }
            }
        }
    }
}

fn window(inside: &Inside, one: &OccurrenceView, number: usize, zone: Tz) -> Markup {
    html! {
        tr {
            td.name { (one.name) @if one.state != OccurrenceState::Past { " " a href=(notice(one)) { "Notice" span.sr { " of " (one.name) } } } div.quiet { (one.actor.as_deref().unwrap_or("configuration")) } }
            td data-label="From" { (short(one.start, zone)) }
            td data-label="To" { (short(one.end, zone)) }
            td data-label="State" { (state(one)) }
            td.name data-label="Reason" { (one.reason) }
            td.name data-label="For" { (one.orgs.as_ref().map_or("everyone".to_owned(), |orgs| orgs.join(", "))) }
            @if inside.may(Role::Operator) { td { (changes(inside, one, number)) } }
        }
    }
}

fn notice(one: &OccurrenceView) -> String {
    path(&one.name, one.start.with_timezone(&one.timezone).date_naive())
}

/// What was announced and is in the calendar no more: senders may have to hear that it does not take place.
async fn taken_back(console: &Console, view: &MaintenanceView) -> Result<Vec<Notice>, Refusal> {
    let (announcing, view, now) = (console.parts.announcing.clone(), view.clone(), console.now());
    let records = blocking(move || announcing.records().map(|records| announcing.gone(&view, &records, now)));
    // Who sends hears of trouble with the ledger; this page does without.
    Ok(records.await?.unwrap_or_default())
}

fn gone(gone: &[Notice]) -> Markup {
    html! {
        @if !gone.is_empty() {
            section.card {
                h2 { "Announced, and taken back" }
                ul.plain { @for one in gone { li.name {
                    (one.event.window) ", " (one.event.date()) ": " a href=(path(&one.event.window, one.event.date())) { "Notice" span.sr { " of " (one.event.window) } }
                } } }
            }
        }
    }
}

fn state(one: &OccurrenceView) -> Markup {
    let (class, word) = match one.state {
        OccurrenceState::Active => ("tag is-warn", "running"),
        OccurrenceState::Coming => ("tag", "to come"),
        OccurrenceState::Past if one.ended.is_some() => ("tag", "ended early"),
        OccurrenceState::Past => ("tag", "over"),
        OccurrenceState::Skipped => ("tag", "skipped"),
    };
    html! { span class=(class) { (word) } }
}

/// What can be done about an occurrence, where it stands.
fn changes(inside: &Inside, one: &OccurrenceView, number: usize) -> Markup {
    let is_active = one.state == OccurrenceState::Active;
    let is_coming = one.state == OccurrenceState::Coming;
    html! {
        @if is_active || is_coming {
            details {
                summary { "Change" }
                form method="post" action="/staff/maintenance/extend" {
                    (key(inside))
                    input type="hidden" name="name" value=(one.name);
                    input type="hidden" name="at" value=(machine(one.start));
                    (reason(&format!("window-{number}")))
                    @if is_active {
                        label for={ "longer-" (number) } { "Longer by" }
                        input id={ "longer-" (number) } name="for" value="30m" size="8";
                    }
                    p.actions {
                        @if is_active {
                            button type="submit" { "Extend" }
                            button.danger type="submit" formaction="/staff/maintenance/end" { "End now" }
                        }
                        @if is_coming { button.danger type="submit" formaction="/staff/maintenance/skip" { "Skip" } }
                        @if is_coming && one.origin == "staff" {
                            button.danger type="submit" formaction="/staff/maintenance/remove" { "Remove" }
                        }
                    }
                }
            }
        }
    }
}

fn holds(inside: &Inside, holds: &[HoldView], zone: Tz) -> Markup {
    html! {
        section.card {
            h2 { "Holds" }
            @if holds.is_empty() { p { "None stands." } }
            @else {
                table.stack {
                    thead { tr { th { "Name" } th { "For" } th { "Until" } th { "By" } th { "Reason" } @if inside.may(Role::Operator) { th { span.sr { "Actions" } } } } }
                    tbody {
                        @for (number, hold) in holds.iter().enumerate() {
                            tr {
                                td.name { (hold.name) }
                                td data-label="For" { (hold.org.as_ref().map_or("everyone", |org| org.as_str())) }
                                td data-label="Until" { (hold.until.map_or("until released".to_owned(), |until| short(until, zone))) }
                                td data-label="By" { (hold.actor) }
                                td.name data-label="Reason" { (hold.reason) }
                                @if inside.may(Role::Operator) { td { (release(inside, hold, number)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Holds are released together: those of an organization, or those for everyone.
fn release(inside: &Inside, hold: &HoldView, number: usize) -> Markup {
    html! {
        details {
            summary { "Release" }
            form method="post" action="/staff/maintenance/release" {
                (key(inside))
                input type="hidden" name="org" value=(hold.org.as_ref().map_or("", |org| org.as_str()));
                (reason(&format!("hold-{number}")))
                p.actions { button type="submit" { "Release all for " (hold.org.as_ref().map_or("everyone", |org| org.as_str())) } }
            }
        }
    }
}

fn history(history: &[HappenedView], zone: Tz) -> Markup {
    html! {
        section.card {
            h2 { "What staff did in the last 7 days" }
            @if history.is_empty() { p { "Nothing." } }
            @else {
                table.stack {
                    thead { tr { th { "When" } th { "Who" } th { "What" } th { "Name" } th { "Reason" } } }
                    tbody {
                        @for one in history {
                            tr {
                                td { (short(one.at, zone)) }
                                td.name data-label="Who" { (one.actor) }
                                td data-label="What" { (one.event.replace('_', " ")) }
                                td.name data-label="Name" { (one.name) }
                                td.name data-label="Reason" { (one.reason) }
                            }
                        }
                    }
                }
            }
        }
    }
}
