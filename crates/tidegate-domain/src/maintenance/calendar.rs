//! The calendar: all windows, and what happens around them.
//!
//! Invariant: through [`Calendar::add_window`] and [`Calendar::remove_window`] names stay unique and
//! no active window disappears. Overrides and holds are kept beside the calendar, not in it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::overrides::is_active;
use super::{Origin, Override, Recurring, Window};

/// Most one-off windows: 1000.
pub const WINDOWS_MAX: usize = 1000;

/// Windows of the configuration and of staff, with the rules around their edges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// One-off windows, in no order; names are unique, those of recurring windows included.
    pub windows: Vec<Window>,
    /// Recurring windows; they stand in the configuration.
    pub recurring: Vec<Recurring>,
    /// Since when the windows of the configuration can't be read, if they can't: the gate is closed for
    /// everyone until they can.
    pub unreadable_since: Option<DateTime<Utc>>,
    /// The zone of wall-clock times and of what people are shown; set once a window exists.
    pub timezone: Option<Tz>,
    /// How long before a window's start no new file is claimed.
    pub cutoff: Duration,
    /// How long files in hand may go on after the gate closed, see [`InFlight::FinishThenYield`].
    pub grace: Duration,
    /// What happens to files in hand when the gate closes.
    pub in_flight: InFlight,
    /// Over how long the rate of claims rises to its full height after the gate opened.
    pub resume_ramp: Duration,
}

/// What happens to files in hand when the gate closes. Yielding is done between messages, with a
/// checkpoint, and does not count as an attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InFlight {
    /// They run to their end.
    Finish,
    /// They may go on for the calendar's grace and then yield.
    #[default]
    FinishThenYield,
    /// They yield at once.
    Yield,
}

/// What is to happen to a file in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InHand {
    /// Carry on to its end.
    CarryOn,
    /// Carry on until this instant, then yield before the next message.
    YieldAt(DateTime<Utc>),
    /// Yield before the next message.
    YieldNow,
}

/// Why a window can't be added or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Another window has that name.
    #[error("there is a window named {0:?} already")]
    NameTaken(String),
    /// There are [`WINDOWS_MAX`] windows.
    #[error("there are {WINDOWS_MAX} windows: remove some that are over")]
    TooMany,
    /// The calendar has no window of that name.
    #[error("there is no window named {0:?}")]
    NoSuchWindow(String),
    /// The window is not staff's to remove.
    #[error("the window {0:?} stands in the configuration file: remove it there")]
    Configured(String),
    /// The window is active.
    #[error("the window {0:?} is active: it can be ended, not removed")]
    Active(String),
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            windows: Vec::new(),
            recurring: Vec::new(),
            unreadable_since: None,
            timezone: None,
            cutoff: Duration::ZERO,
            grace: Duration::from_mins(5),
            in_flight: InFlight::default(),
            resume_ramp: Duration::from_mins(2),
        }
    }
}

impl Calendar {
    /// The one-off window of that name.
    pub fn window(&self, name: &str) -> Option<&Window> {
        self.windows.iter().find(|window| window.name == name)
    }

    /// The recurring window of that name.
    pub fn recurring(&self, name: &str) -> Option<&Recurring> {
        self.recurring.iter().find(|window| window.plan().name == name)
    }

    /// Whether there is a window of that name, of either kind.
    pub fn has_window(&self, name: &str) -> bool {
        self.window(name).is_some() || self.recurring(name).is_some()
    }

    /// Adds a window.
    pub fn add_window(&mut self, window: Window) -> Result<(), CalendarError> {
        if self.has_window(&window.name) {
            return Err(CalendarError::NameTaken(window.name));
        }
        if self.windows.len() >= WINDOWS_MAX {
            return Err(CalendarError::TooMany);
        }
        self.windows.push(window);
        Ok(())
    }

    /// Takes out a window that staff added and that is not active at `now`.
    pub fn remove_window(
        &mut self,
        name: &str,
        overrides: &[Override],
        now: DateTime<Utc>,
    ) -> Result<(), CalendarError> {
        if !self.has_window(name) {
            return Err(CalendarError::NoSuchWindow(name.to_owned()));
        }
        if self.window(name).is_none_or(|window| window.origin == Origin::Configuration) {
            return Err(CalendarError::Configured(name.to_owned()));
        }
        if is_active(name, self, overrides, now) {
            return Err(CalendarError::Active(name.to_owned()));
        }
        self.windows.retain(|window| window.name != name);
        Ok(())
    }

    /// What is to happen at `now` to files in hand of those for whom the gate is closed since
    /// `closed_since`, see [`super::Gate::closed_since`]; `None` if it is open.
    pub fn in_hand(&self, now: DateTime<Utc>, closed_since: Option<DateTime<Utc>>) -> InHand {
        let Some(closed_since) = closed_since else {
            return InHand::CarryOn;
        };
        match self.in_flight {
            InFlight::Finish => InHand::CarryOn,
            InFlight::Yield => InHand::YieldNow,
            InFlight::FinishThenYield => match later(closed_since, self.grace) {
                deadline if now < deadline => InHand::YieldAt(deadline),
                _ => InHand::YieldNow,
            },
        }
    }
}

/// `at + by`, or the end of chrono's calendar.
fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
