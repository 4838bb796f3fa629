//! What staff change about one occurrence of a window.
//!
//! Invariant: an override names its occurrence by window and start. Once the window is announced for
//! another time the override no longer fits and has no effect: in doubt, closed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::wording::{WordingError, check_actor, check_reason};
use super::{Calendar, Window};

/// A change to one occurrence, with who made it and why.
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
}

/// Why an occurrence can't be ended.
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
        let (actor, reason) = (actor.into(), reason.into());
        check_actor(&actor)?;
        check_reason(&reason)?;
        let window = calendar.window(name).ok_or_else(|| OverrideError::NoSuchWindow(name.to_owned()))?;
        if !is_active(window, overrides, now) {
            return Err(OverrideError::NotActive(name.to_owned()));
        }
        let (window, occurrence_start) = (name.to_owned(), window.interval.start());
        Ok(Self::Ended { window, occurrence_start, at: now, actor, reason })
    }

    /// The instant at which this override ends the window's occurrence, if it is about it.
    fn ends(&self, window: &Window) -> Option<DateTime<Utc>> {
        let Self::Ended { window: name, occurrence_start, at, .. } = self;
        (*name == window.name && *occurrence_start == window.interval.start()).then_some(*at)
    }
}

/// The override that ended the window's occurrence, the earliest if there are several.
pub(super) fn ended_by<'a>(window: &Window, overrides: &'a [Override]) -> Option<&'a Override> {
    overrides
        .iter()
        .filter(|change| change.ends(window).is_some_and(|at| at < window.interval.end()))
        .min_by_key(|change| change.ends(window))
}

/// The first instant at which the window no longer covers. It is not after the start if the
/// occurrence was ended at once.
pub(super) fn effective_end(window: &Window, overrides: &[Override]) -> DateTime<Utc> {
    ended_by(window, overrides).and_then(|change| change.ends(window)).unwrap_or(window.interval.end())
}

/// Whether the window's occurrence covers `now`.
pub(super) fn is_active(window: &Window, overrides: &[Override], now: DateTime<Utc>) -> bool {
    window.interval.start() <= now && now < effective_end(window, overrides)
}
