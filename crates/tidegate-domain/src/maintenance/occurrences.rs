//! The windows' occurrences in a stretch of time, for listings.
//!
//! Invariant: an occurrence that staff changed stays in the list, with who changed it and why. Holds are
//! no occurrences and are listed beside them.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::announced::{Announced, announced};
use super::overrides::Changes;
use super::{Calendar, Origin, Override, Scope};

/// How far ahead recurring windows are listed: a year and a month.
pub const LISTED_AHEAD: TimeDelta = TimeDelta::days(396);

/// One interval of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Name of the window.
    pub window: String,
    /// Its first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it, overrides included.
    pub end: DateTime<Utc>,
    /// The first instant after it as it was announced.
    pub announced_end: DateTime<Utc>,
    /// The zone it was announced in.
    pub zone: Tz,
    /// For people; may be empty.
    pub reason: String,
    /// Whom it concerns.
    pub scope: Scope,
    /// Where the window stands.
    pub origin: Origin,
    /// Whether it is over, runs or comes.
    pub state: OccurrenceState,
    /// What staff changed about it, in order.
    pub changes: Vec<Override>,
}

/// Where an occurrence stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OccurrenceState {
    /// It is over, or was ended.
    Past,
    /// It runs.
    Active,
    /// It has not begun.
    Coming,
    /// It does not take place.
    Skipped,
}

/// All occurrences for any part of `[from, to)`, as they were announced or as they are, in order of their
/// start, with their state at `now`. Those of recurring windows end [`LISTED_AHEAD`] of `from` and `now`.
pub fn occurrences(
    calendar: &Calendar,
    overrides: &[Override],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<Occurrence> {
    let listed = now.max(from).checked_add_signed(LISTED_AHEAD).unwrap_or(to);
    let found = announced(calendar, &Changes::new(overrides), from, to.min(listed));
    let found = found.iter().map(|one| Occurrence::of(one, now));
    let mut found: Vec<_> =
        found.filter(|one| one.start < to && from < one.end.max(one.announced_end)).collect();
    found.sort_by(|one, other| (one.start, &one.window).cmp(&(other.start, &other.window)));
    found
}

impl Occurrence {
    fn of(one: &Announced<'_>, now: DateTime<Utc>) -> Self {
        let (start, effect) = (one.interval.start(), one.effect());
        let state = match now {
            _ if effect.skipped => OccurrenceState::Skipped,
            _ if effect.end <= now => OccurrenceState::Past,
            _ if now < start => OccurrenceState::Coming,
            _ => OccurrenceState::Active,
        };
        Self {
            window: one.notice.name.to_owned(),
            start,
            end: effect.end,
            announced_end: one.interval.end(),
            zone: one.notice.zone,
            reason: one.notice.reason.to_owned(),
            scope: one.notice.scope.clone(),
            origin: one.notice.origin.clone(),
            state,
            changes: one.changes.iter().copied().cloned().collect(),
        }
    }
}
