//! What became of the files that waited for the end of a window.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tidegate_domain::OrgCode;
use tidegate_domain::job::Backlog;

use super::{Messages, OccurrenceView};

/// `GET /v1/maintenance/report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportView {
    /// When it was put together.
    pub at: DateTime<Utc>,
    /// The occurrence that it is about; the running or the last one unless another was asked for.
    pub occurrence: OccurrenceView,
    /// All files that waited when it ended, or that wait now if it runs.
    pub all: BacklogView,
    /// The same of each organization that had some, by code.
    pub orgs: Vec<OrgBacklogView>,
}

/// Files of one organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrgBacklogView {
    /// Whose.
    pub org: OrgCode,
    /// Its files that waited.
    #[serde(flatten)]
    pub backlog: BacklogView,
}

/// Files that waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacklogView {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub size_bytes: u64,
    /// Their messages, as far as they were processed.
    pub messages: Messages,
    /// How long the one waited that waited longest, in seconds.
    pub longest_wait_s: u64,
    /// Those that are not at their end yet.
    pub left: u64,
    /// When the last one came to its end, once all have.
    pub drained_at: Option<DateTime<Utc>>,
    /// How long that was after the end of the window, in seconds.
    pub drained_after_s: Option<u64>,
    /// Those that ended in state `error`.
    pub errors: u64,
    /// Those that ended in state `exception`.
    pub exceptions: u64,
}

impl BacklogView {
    /// As it is told of files that waited for `end`.
    pub fn new(backlog: &Backlog, end: DateTime<Utc>) -> Self {
        let drained_at = backlog.drained_at.filter(|_| backlog.left == 0);
        let seconds = |length: chrono::TimeDelta| length.num_seconds().max(0).unsigned_abs();
        Self {
            files: backlog.files,
            size_bytes: backlog.bytes,
            messages: backlog.messages.into(),
            longest_wait_s: seconds(backlog.longest_wait),
            left: backlog.left,
            drained_at,
            drained_after_s: drained_at.map(|at| seconds(at - end)),
            errors: backlog.errors,
            exceptions: backlog.exceptions,
        }
    }
}
