//! What staff change about one occurrence of a window.
//!
//! Invariant: an override names its occurrence by window and start. Once the window is announced for
//! another time the override no longer fits and has no effect: in doubt, closed.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::announced::{Announced, announced};
use super::wording::{WordingError, check_actor, check_reason};
use super::{Calendar, HOLD_MAX, Interval};

/// A change to one occurrence, with who made it and why.
///
/// It is written to disk in an encoding that does not name fields: add variants at the end only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Override {
    /// The occurrence ended early.
    Ended {
        /// Name of the window.
        window: String,
        /// Start of the occurrence.
        occurrence_start: DateTime<Utc>,
        /// The first instant at which it no longer covers.
        at: DateTime<Utc>,
        /// Who ended it.
        actor: String,
        /// Why, 1 to [`super::REASON_CHARS_MAX`] characters.
        reason: String,
    },
    /// The occurrence goes on longer.
    Extended {
        /// Name of the window.
        window: String,
        /// Start of the occurrence.
        occurrence_start: DateTime<Utc>,
        /// The first instant at which it no longer covers, unless it was to cover it anyway.
        until: DateTime<Utc>,
        /// When it was extended.
        at: DateTime<Utc>,
        /// Who extended it.
        actor: String,
        /// Why, 1 to [`super::REASON_CHARS_MAX`] characters.
        reason: String,
    },
    /// The occurrence does not take place.
    Skipped {
        /// Name of the window.
        window: String,
        /// Start of the occurrence.
        occurrence_start: DateTime<Utc>,
        /// When that was decided, before its start.
        at: DateTime<Utc>,
        /// Who decided it.
        actor: String,
        /// Why, 1 to [`super::REASON_CHARS_MAX`] characters.
        reason: String,
    },
}

/// By how much an occurrence is extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// So much longer than it would last now.
    By(TimeDelta),
    /// To this instant.
    To(DateTime<Utc>),
}

/// Why an occurrence can't be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// The actor or the reason can't be taken.
    #[error(transparent)]
    Wording(#[from] WordingError),
    /// The calendar has no window of that name.
    #[error("there is no window named {0:?}")]
    NoSuchWindow(String),
    /// The window has not begun, is over, or was ended already.
    #[error("the window {0:?} is not active now")]
    NotActive(String),
    /// It would not last longer.
    #[error("that is not later than the window's end: to end it sooner, end it")]
    NoExtension,
    /// It would last too long.
    #[error("a window is extended to at most 7 days from now")]
    TooLong,
    /// Nothing that could be skipped.
    #[error("the window {0:?} has no occurrence to come that could be skipped")]
    NothingComing(String),
    /// It has begun.
    #[error("that occurrence of the window {0:?} has begun: it can be ended, not skipped")]
    Begun(String),
}

impl Override {
    /// Ends the active occurrence of the window `name` at `now`, for everyone in its scope.
    pub fn end(
        name: &str,
        now: DateTime<Utc>,
        calendar: &Calendar,
        overrides: &[Self],
        actor: impl Into<String>,
        reason: impl Into<String>,
    ) -> Result<Self, OverrideError> {
        let (actor, reason) = wording(actor, reason)?;
        let occurrence_start = active(name, now, calendar, overrides)?.interval.start();
        Ok(Self::Ended { window: name.to_owned(), occurrence_start, at: now, actor, reason })
    }

    /// Extends the active occurrence of the window `name`, for everyone in its scope, to at most
    /// [`HOLD_MAX`] from now.
    pub fn extend(
        name: &str,
        by: Extension,
        now: DateTime<Utc>,
        calendar: &Calendar,
        overrides: &[Self],
        (actor, reason): (impl Into<String>, impl Into<String>),
    ) -> Result<Self, OverrideError> {
        let (actor, reason) = wording(actor, reason)?;
        let active = active(name, now, calendar, overrides)?;
        let end = active.effect().end;
        let until = match by {
            Extension::By(longer) => end.checked_add_signed(longer).ok_or(OverrideError::TooLong)?,
            Extension::To(until) => until,
        };
        if until <= end {
            return Err(OverrideError::NoExtension);
        }
        if (until - now).to_std().is_ok_and(|left| left > HOLD_MAX) {
            return Err(OverrideError::TooLong);
        }
        let (window, occurrence_start) = (name.to_owned(), active.interval.start());
        Ok(Self::Extended { window, occurrence_start, until, at: now, actor, reason })
    }

    /// Skips the first occurrence of the window `name` that is not over at `from`, or the next one to
    /// come, for everyone in its scope.
    pub fn skip(
        name: &str,
        from: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        calendar: &Calendar,
        overrides: &[Self],
        (actor, reason): (impl Into<String>, impl Into<String>),
    ) -> Result<Self, OverrideError> {
        let (actor, reason) = wording(actor, reason)?;
        let changes = Changes::new(overrides);
        let one = match from {
            Some(from) => calendar.first_not_over(name, &changes, from.max(now)),
            None => calendar.first_to_come(name, &changes, now),
        };
        let missing = || {
            let name = name.to_owned();
            if calendar.has_window(&name) {
                OverrideError::NothingComing(name)
            } else {
                OverrideError::NoSuchWindow(name)
            }
        };
        let occurrence_start = one.ok_or_else(missing)?.start();
        if occurrence_start <= now {
            return Err(OverrideError::Begun(name.to_owned()));
        }
        Ok(Self::Skipped { window: name.to_owned(), occurrence_start, at: now, actor, reason })
    }

    /// Name of the window.
    pub fn window(&self) -> &str {
        let (Self::Ended { window, .. } | Self::Extended { window, .. } | Self::Skipped { window, .. }) =
            self;
        window
    }

    /// Start of the occurrence.
    pub fn occurrence_start(&self) -> DateTime<Utc> {
        let (Self::Ended { occurrence_start, .. }
        | Self::Extended { occurrence_start, .. }
        | Self::Skipped { occurrence_start, .. }) = self;
        *occurrence_start
    }

    /// When it was made.
    pub fn at(&self) -> DateTime<Utc> {
        let (Self::Ended { at, .. } | Self::Extended { at, .. } | Self::Skipped { at, .. }) = self;
        *at
    }

    /// Who made it.
    pub fn actor(&self) -> &str {
        let (Self::Ended { actor, .. } | Self::Extended { actor, .. } | Self::Skipped { actor, .. }) = self;
        actor
    }

    /// Why.
    pub fn reason(&self) -> &str {
        let (Self::Ended { reason, .. } | Self::Extended { reason, .. } | Self::Skipped { reason, .. }) =
            self;
        reason
    }
}

fn wording(actor: impl Into<String>, reason: impl Into<String>) -> Result<(String, String), WordingError> {
    let (actor, reason) = (actor.into(), reason.into());
    check_actor(&actor)?;
    check_reason(&reason)?;
    Ok((actor, reason))
}

/// The occurrence of the window that covers `now`.
fn active<'a>(
    name: &str,
    now: DateTime<Utc>,
    calendar: &'a Calendar,
    overrides: &'a [Override],
) -> Result<Announced<'a>, OverrideError> {
    if !calendar.has_window(name) {
        return Err(OverrideError::NoSuchWindow(name.to_owned()));
    }
    // The one that began last: an earlier one that was extended into it would leave it as it is.
    let found = announced(calendar, &Changes::new(overrides), now, now + TimeDelta::milliseconds(1));
    let active = found.into_iter().filter(|one| one.notice.name == name && one.covers(now));
    active.max_by_key(|one| one.interval.start()).ok_or_else(|| OverrideError::NotActive(name.to_owned()))
}

/// Whether an occurrence of the window covers `now`.
pub(super) fn is_active(name: &str, calendar: &Calendar, overrides: &[Override], now: DateTime<Utc>) -> bool {
    active(name, now, calendar, overrides).is_ok()
}

/// All overrides by the name of their window, each in the order in which they were made.
#[derive(Default)]
pub(super) struct Changes<'a>(HashMap<&'a str, Vec<&'a Override>>);

impl<'a> Changes<'a> {
    pub(super) fn new(overrides: &'a [Override]) -> Self {
        let mut by_window: HashMap<&str, Vec<&Override>> = HashMap::new();
        for change in overrides {
            by_window.entry(change.window()).or_default().push(change);
        }
        Self(by_window)
    }

    /// Those of that window.
    pub(super) fn of_window(&self, name: &str) -> &[&'a Override] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Those of the window's occurrence that starts then.
    pub(super) fn of(&self, name: &str, start: DateTime<Utc>) -> Vec<&'a Override> {
        let of_window = self.of_window(name).iter();
        of_window.filter(|change| change.occurrence_start() == start).copied().collect()
    }
}

/// What became of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    /// The first instant at which it no longer covers; not after its start if it was ended at once.
    pub(super) end: DateTime<Utc>,
    /// Whether it does not take place at all.
    pub(super) skipped: bool,
}

/// The changes in their order: an end is never later than it was, an extension never earlier.
pub(super) fn effect(interval: Interval, changes: &[&Override]) -> Effect {
    let announced = Effect { end: interval.end(), skipped: false };
    changes.iter().fold(announced, |effect, change| match change {
        Override::Ended { at, .. } => Effect { end: effect.end.min(*at), ..effect },
        Override::Extended { until, .. } => Effect { end: effect.end.max(*until), ..effect },
        Override::Skipped { .. } => Effect { skipped: true, ..effect },
    })
}
