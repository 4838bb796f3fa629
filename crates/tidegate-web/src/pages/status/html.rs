//! The status as a page.

use maud::{Markup, html};
use tidegate_domain::maintenance::{CauseKind, GateState};

use super::facts::{Coming, Facts, PublicCause};
use crate::pages::Names;
use crate::pages::layout::{brand, live, page as whole};
use crate::pages::times::{time, until};

pub(super) fn page(names: &Names, facts: &Facts) -> Markup {
    let registry = &names.registry;
    let title = match facts.state {
        GateState::Open => format!("Open · {registry}"),
        GateState::Closed => format!("Maintenance · {registry}"),
    };
    let head = html! {
        link rel="alternate" type="application/json" href="/status.json";
        link rel="alternate" type="text/calendar" href="/status.ics";
    };
    let content = html! {
        div.narrow {
            div #now data-live {
                (hero(registry, facts))
                (what_it_means(names, facts))
                (coming(facts))
            }
            p.quiet { "For programs: " a href="/status.json" { "status.json" } ". For calendars: subscribe to "
                a href="/status.ics" { "status.ics" } "." }
        }
    };
    whole(&title, &head, &brand(registry, "/status"), &content, &live(30))
}

fn hero(registry: &str, facts: &Facts) -> Markup {
    html! {
        @match facts.state {
            GateState::Open => section.hero.is-open {
                p.state { span.lamp aria-hidden="true" {} "Open" }
                h1 { "Files are being processed" }
                p { (registry) " takes files and answers them as they come." }
            },
            GateState::Closed => section.hero.is-closed {
                p.state { span.lamp aria-hidden="true" {} "Maintenance" }
                h1 { "Files are accepted and wait" }
                p.big { (until(facts.until, facts.zone)) }
                @for cause in &facts.causes { p { (why(cause)) } }
            },
        }
    }
}

fn why(cause: &PublicCause) -> &str {
    match cause.kind {
        CauseKind::Window if cause.reason.is_empty() => "Announced maintenance.",
        CauseKind::Window => &cause.reason,
        CauseKind::Hold => "Processing was stopped for a while.",
        CauseKind::Downstream => "The registry behind this service is not available just now.",
    }
}

fn what_it_means(names: &Names, facts: &Facts) -> Markup {
    let channels = &names.channels;
    html! {
        section.card {
            h2 { "What this means for you" }
            dl.channels {
                dt { "File upload (" (channels.doors) ")" }
                @match facts.state {
                    GateState::Open => dd { "Works as always." },
                    GateState::Closed => dd { "Works as always. Files are kept and processed by themselves afterwards; "
                        "nothing has to be sent again." },
                }
                @if channels.web_service {
                dt { "Web service" }
                @match facts.state {
                    GateState::Open => dd { "Answers at once." },
                    GateState::Closed => dd { "Answers 503 until processing goes on; send the message again then." },
                }
                }
                @if channels.web_pages {
                dt { "Web pages" }
                @match facts.state {
                    GateState::Open => dd { "Work as always." },
                    GateState::Closed => dd { "Are not available until processing goes on." },
                }
                }
            }
        }
    }
}

fn coming(facts: &Facts) -> Markup {
    html! {
        section.card {
            h2 { "Announced maintenance" }
            @if facts.next.is_empty() { p { "None is announced." } }
            @else { ol.coming { @for one in &facts.next { (entry(one, facts)) } } }
        }
    }
}

fn entry(one: &Coming, facts: &Facts) -> Markup {
    html! {
        li {
            div { (time(one.start, facts.zone)) " until " (time(one.end, facts.zone)) }
            @if !one.reason.is_empty() { div.quiet { (one.reason) } }
        }
    }
}
