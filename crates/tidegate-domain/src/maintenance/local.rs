//! From wall-clock readings in an IANA zone to instants.
//!
//! Invariant: when in doubt, closed. A reading that the clocks skip stands for the first instant
//! after the gap; of a reading that they show twice a start takes the first and an end the second.
//! So no occurrence is dropped or doubled. Nothing here knows windows or rules.

use chrono::{DateTime, Datelike, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::{GapInfo, Tz};

use super::Interval;

/// Years that [`parse_local`] takes: before them nothing ran, after them chrono-tz knows no rules.
pub(super) const YEARS: std::ops::RangeInclusive<i32> = 1970..=2099;

/// Forms of a local time: with a `T` or a blank, with seconds or without.
const FORMS: [&str; 4] = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];

/// A text that is no local time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no local time: write one of the years 1970 to 2099 such as \"2024-03-08T19:00\", \
     without zone or offset"
)]
pub struct LocalTimeError(String);

/// Reads a wall-clock time such as `2024-03-08T19:00`, `2024-03-08 19:00` or `2024-03-08T19:00:30`.
pub fn parse_local(text: &str) -> Result<NaiveDateTime, LocalTimeError> {
    FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        // chrono takes second 60 as a leap second, which no zone here has.
        .filter(|local| YEARS.contains(&local.year()) && local.nanosecond() < 1_000_000_000)
        .ok_or_else(|| LocalTimeError(text.to_owned()))
}

/// The instant at which something starts that is announced for `local` in `zone`.
pub fn resolve_start(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    zone.from_local_datetime(&local).earliest().map_or_else(|| after_gap(zone, local), |at| at.to_utc())
}

/// The instant at which something ends that is announced until `local` in `zone`.
pub fn resolve_end(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    zone.from_local_datetime(&local).latest().map_or_else(|| after_gap(zone, local), |at| at.to_utc())
}

/// The occurrence that starts at `start` and lasts exactly `length`, whatever the clocks do in
/// between. `None` if the length is zero, negative or beyond chrono's range.
pub fn occurrence_with_duration(zone: Tz, start: NaiveDateTime, length: TimeDelta) -> Option<Interval> {
    let start = resolve_start(zone, start);
    Interval::new(start, start.checked_add_signed(length)?)
}

/// The occurrence that starts at `start` and ends when the clocks next show `end`: the same day if
/// `end` is later than the start's time of day, else the day after. `None` only where chrono's
/// calendar ends.
pub fn occurrence_until(zone: Tz, start: NaiveDateTime, end: NaiveTime) -> Option<Interval> {
    let date = if end > start.time() { start.date() } else { start.date().succ_opt()? };
    occurrence_between(zone, start, date.and_time(end))
}

/// The occurrence between two wall-clock times. `None` if `end` does not read later than `start`.
///
/// One that lies in a gap as a whole keeps the length it reads, from the first instant after the
/// gap: the document's rules alone would leave nothing of it.
pub fn occurrence_between(zone: Tz, start: NaiveDateTime, end: NaiveDateTime) -> Option<Interval> {
    if end <= start {
        return None;
    }
    Interval::new(resolve_start(zone, start), resolve_end(zone, end))
        .or_else(|| occurrence_with_duration(zone, start, end - start))
}

/// The first instant after the gap that swallowed `local`.
fn after_gap(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    GapInfo::new(&local, &zone)
        .and_then(|gap| gap.begin)
        // The gap's first missing reading, taken with the old offset, is the moment of the change.
        .and_then(|(missing, before)| missing.checked_sub_offset(before.fix()))
        // Only a reading at the very edge of chrono's calendar has no gap and no instant.
        .unwrap_or(local)
        .and_utc()
}
