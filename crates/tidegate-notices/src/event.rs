//! One occurrence of a window, as those hear of it who are not staff.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// An occurrence as it stands now, or as it was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Name of the window.
    pub window: String,
    /// Its first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it.
    pub end: DateTime<Utc>,
    /// The zone in which it is announced.
    pub timezone: Tz,
    /// Why; may be empty.
    pub reason: String,
    /// Patterns of the organizations that it concerns; absent for everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orgs: Option<Vec<String>>,
}

impl Event {
    /// The day of the occurrence: that on which it starts where it is announced.
    pub fn date(&self) -> NaiveDate {
        self.start.with_timezone(&self.timezone).date_naive()
    }
}

/// What there is to say about an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It takes place.
    Announced,
    /// It takes place otherwise than it was announced.
    Changed,
    /// It lasts longer.
    Extended,
    /// It ended early.
    EndedEarly,
    /// It does not take place.
    Cancelled,
}

impl State {
    /// Every state, for those who try out templates.
    pub const ALL: [Self; 5] =
        [Self::Announced, Self::Changed, Self::Extended, Self::EndedEarly, Self::Cancelled];

    /// As it stands in templates and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Changed => "changed",
            Self::Extended => "extended",
            Self::EndedEarly => "ended_early",
            Self::Cancelled => "cancelled",
        }
    }
}
