//! Alerts: what somebody should look at, by a command or a webhook.
//!
//! Invariant: what is raised and cleared follows from observations, a clock that is handed in, and what was told before; nothing
//! here looks at the store. An alert holds counts, ids of jobs and codes of organizations, never a file's name or
//! anything out of one.

mod config;
mod means;
mod rules;
#[cfg(test)]
mod tests;
mod watch;

use chrono::{DateTime, Utc};
use serde::Serialize;

pub use config::AlertsConfig;
pub use means::{Means, MeansError};
pub use watch::{Away, Ended, Observations, Watch};

/// What a command gets on standard input, and a webhook as its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// When it was found.
    pub at: DateTime<Utc>,
    /// What it is about, such as `exception`; see `docs/operations/monitoring.md`.
    pub alert: &'static str,
    /// Whom or what of several, such as the name of a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether it is so, or is so no more.
    pub state: AlertState,
    /// Since when it is, or was, so.
    pub since: DateTime<Utc>,
    /// For people, one line.
    pub text: String,
    /// What to do, one line.
    pub advice: &'static str,
}

/// Whether something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// It is.
    Raised,
    /// It was, and is no more.
    Cleared,
    /// It is not: somebody tries out how alerts come.
    Test,
}

impl AlertState {
    /// As it stands in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Cleared => "cleared",
            Self::Test => "test",
        }
    }
}

impl Alert {
    /// One to try things out with.
    pub fn test(at: DateTime<Utc>) -> Self {
        Self {
            at,
            alert: "test",
            subject: None,
            state: AlertState::Test,
            since: at,
            text: "This is a test of tidegate's alerts; nothing is wrong.".to_owned(),
            advice: "Nothing is to be done.",
        }
    }
}
