//! Times and notices in words.
//!
//! Invariant: a time shown to people names its zone, and a notice is one line of ASCII, fit for an
//! FTP greeting. Reasons and names stay out of it: the peer has not logged in yet.

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use super::timeline::{Span, Timeline};
use super::{Calendar, Hold, Override};
use crate::OrgCode;

/// How far ahead the next maintenance is announced: 7 days.
pub const ANNOUNCED_AHEAD: TimeDelta = TimeDelta::days(7);

/// The instant as people in `zone` read it, such as `Fri 2024-03-08 19:00 CST (America/Chicago)`.
/// Seconds are shown only where there are any.
pub fn show_instant(at: DateTime<Utc>, zone: Tz) -> String {
    let time = if at.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    let local = at.with_timezone(&zone);
    format!("{} ({zone})", local.format(&format!("%a %Y-%m-%d {time} %Z")))
}

/// What a peer is told on connecting: the maintenance that runs, or the next one that begins within
/// [`ANNOUNCED_AHEAD`]; `None` if there is neither. The arguments are those of [`super::gate`].
pub fn announcement(
    now: DateTime<Utc>,
    org: Option<&OrgCode>,
    calendar: &Calendar,
    overrides: &[Override],
    holds: &[Hold],
) -> Option<String> {
    let around = |at| Timeline::new(at, org, calendar, overrides, holds);
    let (timeline, zone) = (around(now), calendar.timezone.unwrap_or(Tz::UTC));
    if let Some(running) = timeline.span_at(now) {
        return Some(format!(
            "Maintenance until {}: uploads are accepted, processing waits.",
            show_end(running, zone)
        ));
    }
    let start = timeline.next_start(now).filter(|start| *start - now <= ANNOUNCED_AHEAD)?;
    let next = around(start).span_at(start)?;
    Some(format!(
        "Next maintenance from {} until {}: uploads are accepted then too, processing waits.",
        show_instant(next.start, zone),
        show_end(next, zone)
    ))
}

fn show_end(span: Span, zone: Tz) -> String {
    span.end.map_or_else(|| "further notice".to_owned(), |end| show_instant(end, zone))
}
