//! The windows' occurrences in a stretch of time, for listings.
//!
//! Invariant: an occurrence that was ended stays in the list, with who ended it and why. Holds are
//! no occurrences and are listed beside them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::overrides::{effective_end, ended_by};
use super::{Calendar, Origin, Override, Scope, Window};

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
    /// What ended it early.
    pub ended: Option<Override>,
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
}

/// All occurrences that were announced for any part of `[from, to)`, in order of their start, with
/// their state at `now`.
pub fn occurrences(
    calendar: &Calendar,
    overrides: &[Override],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<Occurrence> {
    let mut found: Vec<_> = calendar
        .windows
        .iter()
        .filter(|window| window.interval.start() < to && from < window.interval.end())
        .map(|window| Occurrence::of(window, overrides, now))
        .collect();
    found.sort_by(|one, other| (one.start, &one.window).cmp(&(other.start, &other.window)));
    found
}

impl Occurrence {
    fn of(window: &Window, overrides: &[Override], now: DateTime<Utc>) -> Self {
        let (start, end) = (window.interval.start(), effective_end(window, overrides));
        let state = match now {
            _ if end <= now => OccurrenceState::Past,
            _ if now < start => OccurrenceState::Coming,
            _ => OccurrenceState::Active,
        };
        Self {
            window: window.name.clone(),
            start,
            end,
            announced_end: window.interval.end(),
            zone: window.zone,
            reason: window.reason.clone(),
            scope: window.scope.clone(),
            origin: window.origin.clone(),
            state,
            ended: ended_by(window, overrides).cloned(),
        }
    }
}
