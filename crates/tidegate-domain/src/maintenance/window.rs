//! An announced window.
//!
//! Invariant: a window that came through [`Window::new`] has a name and a printable reason, and one
//! that staff added says who added it and why. Names are unique within a calendar, see
//! [`super::Calendar`].

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::wording::{WordingError, check_actor, check_name, check_reason};
use super::{Interval, Scope};

/// A one-off window during which nothing is claimed for those in its scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Unique within the calendar, 1 to [`super::NAME_CHARS_MAX`] characters.
    pub name: String,
    /// From when to when. Wall-clock times were resolved when the window was read or added.
    pub interval: Interval,
    /// The zone it was announced in, in which people are shown its times.
    pub zone: Tz,
    /// For people, at most [`super::REASON_CHARS_MAX`] characters; empty only in the configuration.
    pub reason: String,
    /// Whom it concerns.
    pub scope: Scope,
    /// Where it stands.
    pub origin: Origin,
}

/// Where a window comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The configuration file.
    Configuration,
    /// Added while the server ran.
    Staff {
        /// Who added it.
        actor: String,
        /// When it was added.
        at: DateTime<Utc>,
    },
}

impl Window {
    /// A window, after a check of its texts. Staff must give a reason.
    pub fn new(
        name: impl Into<String>,
        interval: Interval,
        zone: Tz,
        reason: impl Into<String>,
        scope: Scope,
        origin: Origin,
    ) -> Result<Self, WordingError> {
        let (name, reason) = (name.into(), reason.into());
        check_name(&name)?;
        if let Origin::Staff { actor, .. } = &origin {
            check_actor(actor)?;
            check_reason(&reason)?;
        } else if !reason.is_empty() {
            check_reason(&reason)?;
        }
        Ok(Self { name, interval, zone, reason, scope, origin })
    }
}

impl Origin {
    /// Who added the window; `None` for one of the configuration.
    pub fn actor(&self) -> Option<&str> {
        match self {
            Self::Configuration => None,
            Self::Staff { actor, .. } => Some(actor),
        }
    }
}
