//! Windows and holds in words.

use tidegate_domain::maintenance::OccurrenceState;
use tidegate_web::api::{ChangeView, HappenedView, HoldView, MaintenanceView, OccurrenceView};

use super::{Ink, Screen, Table, by, headline, length, plural};

/// Most coming occurrences that may be asked for.
const COMING_MAX: usize = 1000;

/// Gate, windows and holds; whether everything that is known was asked for.
pub(crate) fn maintenance_text(view: &MaintenanceView, is_all: bool, screen: &Screen) -> String {
    let mut parts = vec![format!("Gate: {}", headline(&view.gate, screen))];
    if view.occurrences.is_empty() {
        parts.push(
            "No windows. Announce one with `tidegate maintenance add NAME --from TIME --for 5h --reason TEXT`."
                .to_owned(),
        );
    } else {
        parts.push(occurrences(view, screen));
    }
    if !view.holds.is_empty() {
        parts.push(holds(&view.holds, screen));
    }
    if !view.history.is_empty() {
        let heading = if is_all { "What staff did, as far as it is kept" } else { "In the last 7 days" };
        parts.push(format!("{heading}\n{}", history(&view.history, screen)));
    }
    if view.older > 0 {
        let older = plural(view.older.try_into().unwrap_or(u64::MAX), "older change");
        parts.push(format!("{older}; see them with --all"));
    }
    parts.join("\n\n")
}

fn occurrences(view: &MaintenanceView, screen: &Screen) -> String {
    let mut table = Table::new(*screen, &["WINDOW", "STATE", "FROM", "TO", "FOR", "ORIGIN", "REASON"])
        .wraps(&["FOR", "REASON"])
        .spares(&["ORIGIN", "STATE"]);
    for one in &view.occurrences {
        let (state, ink) = state(one);
        let cells = [
            (one.name.clone(), None),
            (state, ink),
            (screen.minute(one.start), None),
            (screen.minute(one.end), None),
            (one.orgs.as_ref().map_or_else(|| "everyone".to_owned(), |orgs| orgs.join(", ")), None),
            (origin(one), None),
            (reason(one), None),
        ];
        table.row(cells);
    }
    let is_coming = |one: &&OccurrenceView| one.state == OccurrenceState::Coming;
    let listed = view.occurrences.iter().filter(is_coming).count();
    let more = match view.more {
        0 => String::new(),
        more => format!("\n{more} more; see them with -n {}", (listed + more).min(COMING_MAX)),
    };
    format!("{table}{more}")
}

fn state(one: &OccurrenceView) -> (String, Option<Ink>) {
    match one.state {
        OccurrenceState::Past if one.ended.is_some() => ("ended early".to_owned(), Some(Ink::Faint)),
        OccurrenceState::Past => ("over".to_owned(), Some(Ink::Faint)),
        OccurrenceState::Active => ("RUNS".to_owned(), Some(Ink::Caution)),
        OccurrenceState::Coming => ("coming".to_owned(), None),
        OccurrenceState::Skipped => ("skipped".to_owned(), Some(Ink::Faint)),
    }
}

fn origin(one: &OccurrenceView) -> String {
    one.actor.as_deref().map_or_else(|| "configuration".to_owned(), |actor| format!("added by {}", by(actor)))
}

fn reason(one: &OccurrenceView) -> String {
    let changes = one.changes.iter().map(|change| {
        let ChangeView { change, actor, reason, .. } = change;
        format!(" ({change} by {}: {reason})", by(actor))
    });
    format!("{}{}", one.reason, changes.collect::<String>()).trim_start().to_owned()
}

fn holds(holds: &[HoldView], screen: &Screen) -> String {
    let mut table = Table::new(*screen, &["HOLD", "FOR", "SINCE", "UNTIL", "BY", "REASON"])
        .wraps(&["REASON"])
        .spares(&["SINCE", "BY"]);
    for hold in holds {
        let cells = [
            hold.name.clone(),
            whom(hold),
            screen.time(hold.placed_at),
            hold.until.map_or_else(|| "released".to_owned(), |until| screen.time(until)),
            by(&hold.actor).to_owned(),
            hold.reason.clone(),
        ];
        table.row(cells.map(|cell| (cell, None)));
    }
    format!("{} in force\n{table}", plural(holds.len().try_into().unwrap_or(u64::MAX), "hold"))
}

fn whom(hold: &HoldView) -> String {
    hold.org.as_ref().map_or_else(|| "everyone".to_owned(), ToString::to_string)
}

/// What staff did.
fn history(history: &[HappenedView], screen: &Screen) -> Table {
    let mut table =
        Table::new(*screen, &["WHEN", "BY", "WHAT", "REASON"]).wraps(&["WHAT", "REASON"]).spares(&["BY"]);
    for happened in history {
        let cells = [
            screen.time(happened.at),
            by(&happened.actor).to_owned(),
            what(happened, screen),
            happened.reason.clone(),
        ];
        table.row(cells.map(|cell| (cell, None)));
    }
    table
}

fn what(happened: &HappenedView, screen: &Screen) -> String {
    let name = &happened.name;
    let of =
        happened.occurrence_start.map_or_else(String::new, |start| format!(" of {}", screen.time(start)));
    let until = happened.until.map_or_else(String::new, |until| format!(" until {}", screen.time(until)));
    match happened.event.as_str() {
        "window_added" => format!("announced {name}"),
        "window_removed" => format!("removed {name}"),
        "hold_placed" => format!("started {name}{until}"),
        "hold_released" => format!("released {name}"),
        "occurrence_ended" => format!("ended {name}{of}"),
        "occurrence_extended" => format!("extended {name}{of}{until}"),
        "occurrence_skipped" => format!("skipped {name}{of}"),
        // A newer server may know more.
        other => format!("{other} {name}"),
    }
}

/// One hold in a sentence.
pub(crate) fn hold_line(hold: &HoldView, screen: &Screen) -> String {
    let until = hold.until.map_or_else(
        || "until somebody releases it".to_owned(),
        |until| format!("until {} ({})", screen.instant(until), length(until - hold.placed_at)),
    );
    format!("{} for {} {until}", hold.name, whom(hold))
}

/// One occurrence in a sentence.
pub(crate) fn occurrence_line(one: &OccurrenceView, screen: &Screen) -> String {
    let screen = &Screen { zone: one.timezone, ..*screen };
    let orgs = one.orgs.as_ref().map_or_else(|| "everyone".to_owned(), |orgs| orgs.join(", "));
    format!(
        "{} for {orgs} from {} to {} ({})",
        one.name,
        screen.instant(one.start),
        screen.instant(one.end),
        length(one.end - one.start)
    )
}
