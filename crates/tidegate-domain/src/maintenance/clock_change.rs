//! Occurrences that a change of the clocks touches.
//!
//! Invariant: an occurrence that is longer or shorter than it reads, or begins or ends at a time that the
//! clocks skip or show twice, is found. One that begins or ends with the change is found, too.

use chrono::{DateTime, LocalResult, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::Interval;

/// Whether the clocks of `zone` change in the interval, at its start or at its end.
pub fn touches_clock_change(zone: Tz, interval: Interval) -> bool {
    offset(zone, interval.start()) != offset(zone, interval.end())
        || [interval.start(), interval.end()].into_iter().any(|edge| is_at_change(zone, edge))
}

fn is_at_change(zone: Tz, at: DateTime<Utc>) -> bool {
    let reading = at.with_timezone(&zone).naive_local();
    let twice = matches!(zone.from_local_datetime(&reading), LocalResult::Ambiguous(..));
    twice
        || at
            .checked_sub_signed(TimeDelta::seconds(1))
            .is_some_and(|before| offset(zone, before) != offset(zone, at))
}

fn offset(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}
