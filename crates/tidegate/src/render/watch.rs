//! `tidegate status --watch` on a terminal: what fits, line by line.
//!
//! Invariant: there are never more lines than rows, and no line is wider than the screen.

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::maintenance::GateState;
use tidegate_web::api::{GateView, LaneView, Status};
use unicode_width::UnicodeWidthChar as _;

use super::status::{changed, closed_line, drain, finished, waiting};
use super::{Ink, KEYS_WIDTH, Keys, Screen, Table, gate_text, headline, length, number, one_line, plural};

/// Organizations with a gate of their own that are named; the others are counted.
const CLOSED_MAX: usize = 3;

/// In fewer columns the causes of a closed gate are no table.
const TABLE_MIN: usize = 70;

/// What is known of the server at a moment.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// Its last answer, and when it came.
    pub(crate) answer: Option<(Status, DateTime<Utc>)>,
    /// Since when it does not answer, and why.
    pub(crate) gone: Option<(DateTime<Utc>, String)>,
}

/// The lines of a screen with so many `rows`.
pub(crate) fn watch_lines(watched: &Watched, screen: &Screen, rows: usize) -> Vec<String> {
    let mut lines = head(watched, screen);
    if let Some((status, _)) = &watched.answer {
        lines.extend(keys(status, screen).to_string().lines().map(str::to_owned));
        lines.extend(lanes(status, screen, rows.saturating_sub(lines.len() + 1)));
    }
    lines.truncate(rows);
    let width = screen.width.unwrap_or(usize::MAX);
    lines.iter().map(|line| clip(line, width)).collect()
}

fn head(watched: &Watched, screen: &Screen) -> Vec<String> {
    let now = screen.now.with_timezone(&screen.zone).format("%a %Y-%m-%d %H:%M:%S %Z");
    let mut lines = vec![format!("{now}   q ends")];
    if let Some((since, why)) = &watched.gone {
        let silent = length(screen.now - *since);
        lines.push(screen.paint(Ink::Bad, &format!("NO ANSWER for {silent}; trying again")));
        lines.push(one_line(why));
        lines.extend(watched.answer.as_ref().map(|(_, at)| format!("This is as of {}:", screen.time(*at))));
    }
    lines
}

fn keys(status: &Status, screen: &Screen) -> Keys {
    let mut keys = Keys::default();
    keys.add("Gate", gate(&status.gate, screen));
    if let Some((key, at)) = next(&status.gate) {
        keys.add(key, countdown(at - screen.now));
    }
    let named = status.closed_orgs.iter().take(CLOSED_MAX).map(|closed| closed_line(closed, screen));
    let more = status.closed_orgs.len().saturating_sub(CLOSED_MAX);
    let counted = (more > 0).then(|| format!("and {}", plural(more as u64, "organization")));
    let also: Vec<String> = named.chain(counted).collect();
    keys.add_some("Also", (!also.is_empty()).then(|| also.join("\n")));
    keys.add("Waiting", waiting(status));
    let oldest = |at| format!("{} (since {})", length(screen.now - at), screen.time(at));
    keys.add_some("Oldest", status.oldest_queued_at.map(oldest));
    keys.add("Drain", drain(status, screen).unwrap_or_else(|| "nothing finished lately".to_owned()));
    keys.add("Finished", finished(status, screen));
    let problems = status.problems.iter().map(|problem| screen.paint(Ink::Bad, &one_line(problem)));
    let problems: Vec<String> = problems.collect();
    keys.add_some("Problems", (!problems.is_empty()).then(|| problems.join("\n")));
    keys.add_some("Changed", changed(&status.configuration, screen));
    keys
}

/// The gate with its causes: as a table, or where there is no room for one, line by line.
fn gate(view: &GateView, screen: &Screen) -> String {
    if screen.width.is_none_or(|width| width >= TABLE_MIN) {
        return gate_text(view, &screen.indented(KEYS_WIDTH));
    }
    let causes = view.gate.causes.iter().map(|cause| one_line(&format!("{}: {}", cause.name, cause.reason)));
    std::iter::once(headline(view, screen)).chain(causes).collect::<Vec<_>>().join("\n")
}

/// What comes next, and when.
fn next(view: &GateView) -> Option<(&'static str, DateTime<Utc>)> {
    match view.gate.state {
        GateState::Closed => Some(("Opens in", view.gate.until?)),
        GateState::Open => Some(("Changes in", view.gate.next_change?)),
    }
}

/// To the second: `4:29:55`, `2 days 4:29:55`.
fn countdown(left: TimeDelta) -> String {
    let seconds = left.num_seconds().max(0).unsigned_abs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let clock = format!("{hours}:{minutes:02}:{:02}", seconds % 60);
    if days == 0 { clock } else { format!("{} {clock}", plural(days, "day")) }
}

/// The lanes in `rows`, and how many more there are.
fn lanes(status: &Status, screen: &Screen, rows: usize) -> Vec<String> {
    // A heading, one lane and the line on the others are the least that makes sense.
    if status.lanes.is_empty() || rows < 3 {
        return Vec::new();
    }
    let all = status.lanes.len() + status.lanes_more;
    let room = if all < rows { all } else { rows.saturating_sub(2) };
    let shown = room.min(status.lanes.len());
    let mut table = Table::new(*screen, &["ORG", "WAITING", "IN HAND", "OLDEST"])
        .spares(&["IN HAND", "OLDEST"])
        .right(&["WAITING"]);
    for lane in status.lanes.iter().take(shown) {
        table.row(cells(lane, screen).map(|cell| (cell, None)));
    }
    let mut lines = vec![String::new()];
    lines.extend(table.to_string().lines().map(str::to_owned));
    let more = all - shown;
    lines.extend((more > 0).then(|| format!("and {}", plural(more as u64, "organization"))));
    lines
}

fn cells(lane: &LaneView, screen: &Screen) -> [String; 4] {
    let in_hand = if lane.in_hand { "1" } else { "" };
    let oldest = lane.oldest_at.map(|at| length(screen.now - at)).unwrap_or_default();
    [lane.org.to_string(), number(lane.waiting), in_hand.to_owned(), oldest]
}

/// The beginning of a line in `width` columns; colours take none, and are all kept so that they end.
fn clip(line: &str, width: usize) -> String {
    let mut clipped = String::with_capacity(line.len());
    let (mut used, mut in_colour) = (0, false);
    for letter in line.chars() {
        in_colour |= letter == '\u{1b}';
        if in_colour {
            clipped.push(letter);
            in_colour = letter != 'm';
            continue;
        }
        used += letter.width().unwrap_or(0);
        if used <= width {
            clipped.push(letter);
        }
    }
    clipped
}

#[cfg(test)]
mod tests {
    use tidegate_domain::maintenance::{Calendar, Hold, HoldLength, gate};
    use tidegate_web::api::{ConfigurationView, Drain};

    use super::*;

    fn status(lanes: usize, more: usize) -> Status {
        let now = Screen::test().now;
        let length = HoldLength::For(std::time::Duration::from_secs(90_061));
        let hold = Hold::new("hold-1", None, "router change", "jo", now, length).unwrap();
        let lane = |number: usize| LaneView {
            org: format!("ORG{number}").try_into().unwrap(),
            waiting: 1204,
            in_hand: number == 0,
            oldest_at: Some(now - TimeDelta::minutes(90)),
        };
        Status {
            version: "1.2.3".to_owned(),
            gate: GateView::new(gate(now, None, &Calendar::default(), &[], &[hold]), now, None),
            closed_orgs: Vec::new(),
            jobs: std::collections::BTreeMap::from([(tidegate_domain::job::JobState::Queued, 1204)]),
            oldest_queued_at: Some(now - TimeDelta::minutes(90)),
            lanes: (0..lanes).map(lane).collect(),
            lanes_more: more,
            drain: Drain { files_per_s: 0.0, eta: None },
            legal_holds: Vec::new(),
            bans: 0,
            listeners: Vec::new(),
            problems: Vec::new(),
            configuration: ConfigurationView::default(),
        }
    }

    fn watched(lanes: usize, more: usize) -> Watched {
        Watched { answer: Some((status(lanes, more), Screen::test().now)), gone: None }
    }

    /// How wide a line is, without its colours.
    fn columns(line: &str) -> usize {
        let coloured = line.split('\u{1b}').enumerate();
        coloured.map(|(n, part)| if n == 0 { part } else { part.split_once('m').unwrap().1 }.len()).sum()
    }

    #[test]
    fn gate_countdown_and_lanes_stand_on_one_screen() {
        let screen = Screen { width: Some(79), ..Screen::test() };
        let text = watch_lines(&watched(2, 0), &screen, 24).join("\n");
        for part in
            ["q ends", "router change", "Opens in    1 day 1:01:01", "1 h 30 min (since", "1,204 queued"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(
            text.contains("ORG   WAITING  IN HAND  OLDEST\nORG0    1,204  1        1 h 30 min"),
            "{text}"
        );
        assert!(text.ends_with("ORG1    1,204           1 h 30 min"), "{text}");
    }

    #[test]
    fn a_narrow_screen_has_a_line_for_each_cause() {
        let screen = Screen { width: Some(29), ..Screen::test() };
        let lines = watch_lines(&watched(1, 0), &screen, 12);
        assert!(lines.contains(&"            hold-1: router ch".to_owned()), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("ORG0")), "{lines:?}");
    }

    #[test]
    fn nothing_is_longer_or_wider_than_the_screen_and_what_is_left_out_is_counted() {
        for (rows, width) in [(24, 79), (24, 39), (14, 79), (5, 19), (1, 3), (0, 0)] {
            let screen = Screen { width: Some(width), colour: true, ..Screen::test() };
            let mut watched = watched(100, 7);
            watched.gone = Some((screen.now, "the server does not run".to_owned()));
            let lines = watch_lines(&watched, &screen, rows);
            assert!(lines.len() <= rows, "{rows}: {lines:?}");
            assert!(lines.iter().all(|line| columns(line) <= width), "{width}: {lines:?}");
        }
        let screen = Screen { width: Some(79), ..Screen::test() };
        let lines = watch_lines(&watched(100, 7), &screen, 24);
        assert!(lines.len() == 24 && lines.iter().all(|line| line.chars().count() <= 79), "{lines:?}");
        let told: usize = lines.last().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(
            told + lines.iter().filter(|line| line.starts_with("ORG") && !line.contains("WAITING")).count(),
            107
        );
    }

    #[test]
    fn a_server_that_is_gone_is_told_of_with_what_was_last_known() {
        let screen = Screen::test();
        let gone = Some((screen.now - TimeDelta::seconds(12), "nobody answers".to_owned()));
        let text = watch_lines(&Watched { gone, ..watched(1, 0) }, &screen, 24).join("\n");
        assert!(text.contains("NO ANSWER for 12 s; trying again\nnobody answers\nThis is as of"), "{text}");
        assert!(text.contains("ORG0"), "{text}");
    }

    #[test]
    fn a_clipped_line_ends_its_colour_and_counts_wide_letters() {
        assert_eq!(clip("\u{1b}[31mabcd\u{1b}[0m", 2), "\u{1b}[31mab\u{1b}[0m");
        assert_eq!(clip("日本語", 4), "日本");
    }
}
