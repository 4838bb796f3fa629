//! An ad-hoc stop by staff.
//!
//! Invariant: a hold says who placed it and why, and unless it was placed until released it ends by
//! itself within [`HOLD_MAX`]. To release a hold is to leave it out of what [`super::gate`] is given;
//! a window may then still keep the gate closed, and the gate's causes say so.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::wording::{WordingError, check_actor, check_name, check_reason};
use crate::OrgCode;

/// Length of a hold where nobody says how long: 30 minutes.
pub const HOLD_DEFAULT: Duration = Duration::from_mins(30);

/// Longest hold that has an end: 7 days.
pub const HOLD_MAX: Duration = Duration::from_hours(7 * 24);

/// A stop for everyone or for one organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// 1 to [`super::NAME_CHARS_MAX`] characters.
    pub name: String,
    /// Whom it stops; `None` means everyone.
    pub org: Option<OrgCode>,
    /// For people, 1 to [`super::REASON_CHARS_MAX`] characters.
    pub reason: String,
    /// Who placed it.
    pub actor: String,
    /// When it was placed; it holds from that instant on.
    pub placed_at: DateTime<Utc>,
    /// The first instant at which it no longer holds; `None` means until it is released.
    pub until: Option<DateTime<Utc>>,
}

/// How long a hold is to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldLength {
    /// This long from now.
    For(Duration),
    /// Until this instant.
    Until(DateTime<Utc>),
    /// Until staff release it.
    UntilReleased,
}

impl Default for HoldLength {
    fn default() -> Self {
        Self::For(HOLD_DEFAULT)
    }
}

/// Why a hold can't be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// Its name, reason or actor can't be taken.
    #[error(transparent)]
    Wording(#[from] WordingError),
    /// It would end before it starts, or at once.
    #[error("the hold would be over at once")]
    Over,
    /// It would last longer than [`HOLD_MAX`].
    #[error("a hold lasts at most 7 days; place it until released if that is too short")]
    TooLong,
}

impl Hold {
    /// A hold that begins at `now`.
    pub fn new(
        name: impl Into<String>,
        org: Option<OrgCode>,
        reason: impl Into<String>,
        actor: impl Into<String>,
        now: DateTime<Utc>,
        length: HoldLength,
    ) -> Result<Self, HoldError> {
        let (name, reason, actor) = (name.into(), reason.into(), actor.into());
        check_name(&name)?;
        check_reason(&reason)?;
        check_actor(&actor)?;
        let until = length.end(now)?;
        Ok(Self { name, org, reason, actor, placed_at: now, until })
    }

    /// Whether it stops `org`; `None` asks about everyone, whom only a hold for everyone stops.
    pub fn covers(&self, org: Option<&OrgCode>) -> bool {
        self.org.is_none() || self.org.as_ref() == org
    }
}

impl HoldLength {
    fn end(self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, HoldError> {
        let length = match self {
            Self::UntilReleased => return Ok(None),
            Self::For(length) => TimeDelta::from_std(length).map_err(|_| HoldError::TooLong)?,
            Self::Until(end) => end - now,
        };
        if length <= TimeDelta::zero() {
            return Err(HoldError::Over);
        }
        if length.to_std().is_ok_and(|length| length > HOLD_MAX) {
            return Err(HoldError::TooLong);
        }
        now.checked_add_signed(length).map(Some).ok_or(HoldError::TooLong)
    }
}
