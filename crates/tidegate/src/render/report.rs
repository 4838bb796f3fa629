//! What became of the files that waited for the end of a window, in words.

use chrono::TimeDelta;
use tidegate_domain::maintenance::OccurrenceState;
use tidegate_web::api::{BacklogView, ReportView};

use super::{Keys, Screen, Table, length, number, occurrence_line, plural, size};

/// The report for people, in the zone of the window.
pub(crate) fn report_text(report: &ReportView, screen: &Screen) -> String {
    let screen = &Screen { zone: report.occurrence.timezone, ..*screen };
    let (all, mut keys) = (&report.all, Keys::default());
    keys.add("Window", occurrence_line(&report.occurrence, screen));
    keys.add("State", state(report.occurrence.state));
    if all.files == 0 {
        keys.add("Waited", "nothing");
        return keys.fitted(screen).to_string();
    }
    let orgs = plural(report.orgs.len().try_into().unwrap_or(u64::MAX), "organization");
    let (files, messages) = (plural(all.files, "file"), plural(all.messages.total, "message"));
    keys.add("Waited", format!("{files} of {orgs}, {}, {messages} so far", size(all.size_bytes)));
    keys.add("Longest", seconds(all.longest_wait_s));
    keys.add("Drained", drained(all, screen));
    keys.add("Errors", format!("{} in error, {} in exception", number(all.errors), number(all.exceptions)));
    format!("{}\n\n{}", keys.fitted(screen), by_org(report, screen))
}

fn state(state: OccurrenceState) -> &'static str {
    match state {
        OccurrenceState::Past => "over",
        OccurrenceState::Active => "runs; these are the numbers of now",
        OccurrenceState::Coming => "comes",
        OccurrenceState::Skipped => "did not take place",
    }
}

fn seconds(seconds: u64) -> String {
    length(TimeDelta::seconds(seconds.try_into().unwrap_or(i64::MAX / 1000)))
}

fn drained(backlog: &BacklogView, screen: &Screen) -> String {
    match backlog.drained_at.zip(backlog.drained_after_s) {
        Some((at, after)) => format!("{} after the end, {}", seconds(after), screen.time(at)),
        None => format!("not yet, {} left", plural(backlog.left, "file")),
    }
}

fn by_org(report: &ReportView, screen: &Screen) -> String {
    let head = ["ORG", "FILES", "SIZE", "MESSAGES", "LONGEST", "LEFT", "ERROR", "EXCEPTION"];
    let mut table = Table::new(*screen, &head);
    for one in &report.orgs {
        let BacklogView { files, size_bytes, messages, longest_wait_s, left, errors, exceptions, .. } =
            &one.backlog;
        let cells = [
            one.org.to_string(),
            number(*files),
            size(*size_bytes),
            number(messages.total),
            seconds(*longest_wait_s),
            number(*left),
            number(*errors),
            number(*exceptions),
        ];
        table.row(cells.map(|cell| (cell, None)));
    }
    table.to_string()
}
