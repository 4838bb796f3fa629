//! What the windows of the configuration come to, for `tidegate check-config`.

use chrono::{DateTime, Months, TimeDelta, Utc};
use tidegate_domain::maintenance::{
    Calendar, Interval, LISTED_AHEAD, Occurrence, occurrences, touches_clock_change,
};
use tidegate_web::api::OccurrenceView;

use crate::render::{Screen, length, plural};

/// How far ahead occurrences of recurring windows are listed.
const LISTED: TimeDelta = TimeDelta::days(30);

/// How far ahead changes of the clocks are looked for.
const CLOCK_CHANGES: Months = Months::new(24);

/// Lines that people are shown of each list; JSON has them all.
const LINES_MAX: usize = 100;

/// What the windows come to.
#[derive(Default)]
pub(super) struct Windows {
    /// One-off windows that are not over, and occurrences of recurring ones in the next 30 days.
    pub(super) occurrences: Vec<OccurrenceView>,
    /// Occurrences of the next 24 months that a change of the clocks touches.
    pub(super) touched_by_clock_change: Vec<OccurrenceView>,
}

impl Windows {
    /// What is to come at `now`.
    pub(super) fn of(calendar: &Calendar, now: DateTime<Utc>) -> Self {
        let until = now.checked_add_months(CLOCK_CHANGES).unwrap_or(now);
        let mut found = occurrences(calendar, &[], now, DateTime::<Utc>::MAX_UTC, now);
        // A listing has a year of what recurs; what begins after that is in a second one.
        let listed = now + LISTED_AHEAD;
        let second = occurrences(calendar, &[], listed, until, listed);
        found.extend(second.into_iter().filter(|one| listed <= one.start && is_recurring(calendar, one)));
        let is_near = |one: &&Occurrence| one.start < now + LISTED || !is_recurring(calendar, one);
        let is_touched = |one: &&Occurrence| {
            let interval = Interval::new(one.start, one.end).filter(|interval| interval.start() < until);
            interval.is_some_and(|interval| touches_clock_change(one.zone, interval))
        };
        Self {
            occurrences: found.iter().filter(is_near).map(OccurrenceView::from).collect(),
            touched_by_clock_change: found.iter().filter(is_touched).map(OccurrenceView::from).collect(),
        }
    }
}

fn is_recurring(calendar: &Calendar, one: &Occurrence) -> bool {
    calendar.recurring(&one.window).is_some()
}

/// Occurrences for people; `None` if there are none.
pub(super) fn lines(occurrences: &[OccurrenceView], screen: &Screen) -> Option<String> {
    let line = |one: &OccurrenceView| {
        let screen = Screen { zone: one.timezone, ..*screen };
        let times = format!("{} to {}", screen.time(one.start), screen.time(one.end));
        format!("{}: {times} ({})", one.name, length(one.end - one.start))
    };
    let mut lines: Vec<String> = occurrences.iter().take(LINES_MAX).map(line).collect();
    let more = occurrences.len().saturating_sub(LINES_MAX);
    if more > 0 {
        lines.push(format!("and {}", plural(more.try_into().unwrap_or(u64::MAX), "other")));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}
