//! The answer to "is it up, are we in a window, how deep is the queue".

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tidegate_domain::OrgCode;
use tidegate_domain::job::JobState;
use tidegate_store::Verification;

use super::GateView;

/// `GET /v1/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the running server.
    pub version: String,
    /// The gate for everyone.
    pub gate: GateView,
    /// Organizations for which more closes the gate than for everyone.
    pub closed_orgs: Vec<ClosedOrg>,
    /// Number of jobs in each state; every state is there.
    pub jobs: BTreeMap<JobState, u64>,
    /// When the oldest job that still waits was received.
    pub oldest_queued_at: Option<DateTime<Utc>>,
    /// Organizations with files that wait or are in hand, the one that waits longest first; 100 at most.
    #[serde(default)]
    pub lanes: Vec<LaneView>,
    /// How many such organizations there are beyond those.
    #[serde(default)]
    pub lanes_more: usize,
    /// How quickly the queue drains.
    pub drain: Drain,
    /// Organizations of which a legal hold keeps everything.
    pub legal_holds: Vec<OrgCode>,
    /// How many addresses are banned for failed logins.
    pub bans: usize,
    /// Where the server listens.
    pub listeners: Vec<Listener>,
    /// Configuration files that could not be taken up; the server goes on with what it had.
    pub problems: Vec<String>,
    /// What stands in `tidegate.toml` and is not in force.
    #[serde(default)]
    pub configuration: ConfigurationView,
}

/// What stands in `tidegate.toml` and is not in force although nothing is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationView {
    /// Whether the file was changed after the server had read it.
    pub changed_since_read: bool,
    /// Keys, such as `limits.sessions_max`, whose new values take effect when the server is restarted.
    pub needs_restart: Vec<String>,
}

/// What one organization has in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneView {
    /// Its code.
    pub org: OrgCode,
    /// Its files that wait.
    pub waiting: u64,
    /// Whether one of its files is being processed.
    pub in_hand: bool,
    /// When the first that waits was received.
    pub oldest_at: Option<DateTime<Utc>>,
}

/// One organization whose files wait for a reason of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedOrg {
    /// Its code.
    pub org: OrgCode,
    /// Its files that wait.
    pub waiting: u64,
    /// Its gate.
    pub gate: GateView,
}

/// How quickly the queue drains.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Drain {
    /// Files finished in a second, of late.
    pub files_per_s: f64,
    /// When the queue will be empty at this rate; unknown while nothing is being finished.
    pub eta: Option<DateTime<Utc>>,
}

/// One address on which the server listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Protocol, such as `ftp`.
    pub protocol: String,
    /// Address and port as bound, or a path.
    pub address: String,
}

/// `POST /v1/reload`: what was taken up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Organizations now in force.
    pub organizations: usize,
    /// Windows of `tidegate.toml` now in force.
    #[serde(default)]
    pub windows: usize,
    /// Files that could not be taken up.
    pub problems: Vec<String>,
    /// Keys of `tidegate.toml` whose new values take effect when the server is restarted.
    #[serde(default)]
    pub needs_restart: Vec<String>,
}

/// `POST /v1/verify`: what a comparison of index, journal and spool found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyView {
    /// Changes read in the journal.
    pub changes: u64,
    /// When the last of them was made.
    pub last_change_at: Option<DateTime<Utc>>,
    /// Jobs that wait and whose bytes were looked for.
    pub jobs_waiting: u64,
    /// What does not agree, for people; empty when all is well.
    pub findings: Vec<String>,
}

impl From<Verification> for VerifyView {
    fn from(found: Verification) -> Self {
        let Verification { changes, last_change_at, jobs_waiting, findings } = found;
        Self { changes, last_change_at, jobs_waiting, findings }
    }
}
