//! The gate in words: open or closed, why, until when.

use tidegate_domain::maintenance::{Cause, CauseKind, GateState};
use tidegate_web::api::GateView;

use super::{Ink, Screen, Table, by};

/// The gate in full: the headline, every cause, and what it means.
pub(crate) fn gate_text(view: &GateView, screen: &Screen) -> String {
    let mut lines = vec![headline(view, screen)];
    if view.gate.state == GateState::Closed {
        lines.extend(causes(&view.gate.causes, &screen.indented(2)).lines().map(|line| format!("  {line}")));
        lines.push("uploads are accepted; processing starts by itself when the gate opens".to_owned());
    }
    lines.join("\n")
}

/// Open or closed, and until when.
pub(crate) fn headline(view: &GateView, screen: &Screen) -> String {
    // What is told of another instant than the present is counted from that instant.
    let screen = &Screen { now: view.at, ..*screen };
    let when = |at| format!("{}, {}", screen.instant(at), screen.distance(at));
    match view.gate.state {
        GateState::Open if !view.gate.claims_allowed => {
            let start = view.gate.next_change.map_or_else(|| "soon".to_owned(), when);
            format!("{} no new files are taken up: closes {start}", screen.paint(Ink::Caution, "open, but"))
        }
        GateState::Open => {
            let next = view.gate.next_change.map(|at| format!("; next change {}", when(at)));
            format!("{}{}", screen.paint(Ink::Good, "open"), next.unwrap_or_default())
        }
        GateState::Closed => {
            let until = view.gate.until.map_or_else(|| open_end(&view.gate.causes).to_owned(), when);
            format!("{} until {until}", screen.paint(Ink::Caution, "CLOSED"))
        }
    }
}

/// What ends causes whose end is not known.
fn open_end(causes: &[Cause]) -> &'static str {
    let mut open = causes.iter().filter(|cause| cause.until.is_none());
    match (open.any(|cause| cause.kind != CauseKind::Downstream), is_away(causes)) {
        (true, true) => "released by staff and the registry is back",
        (false, true) => "the registry is back",
        (_, false) => "released by staff",
    }
}

fn is_away(causes: &[Cause]) -> bool {
    causes.iter().any(|cause| cause.kind == CauseKind::Downstream)
}

fn causes(causes: &[Cause], screen: &Screen) -> String {
    let mut table = Table::new(*screen, &["CAUSE", "NAME", "UNTIL", "BY", "REASON"])
        .wraps(&["REASON"])
        .spares(&["BY", "NAME"]);
    for cause in causes {
        let kind = match cause.kind {
            CauseKind::Window => "window",
            CauseKind::Hold => "hold",
            CauseKind::Downstream => "registry away",
        };
        let (open_end, nobody) = match cause.kind {
            CauseKind::Downstream => ("it is back", "tidegate"),
            CauseKind::Window | CauseKind::Hold => ("released", "configuration"),
        };
        let until = cause.until.map_or_else(|| open_end.to_owned(), |until| screen.time(until));
        let actor = cause.actor.as_deref().map_or(nobody, by);
        let cells = [kind, &cause.name, &until, actor, &cause.reason];
        table.row(cells.iter().map(|cell| ((*cell).to_owned(), None)));
    }
    table.to_string()
}
