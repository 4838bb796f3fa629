//! What staff do to jobs.

use serde::{Deserialize, Serialize};
use tidegate_domain::job::JobState;
use tidegate_domain::{JobId, OrgCode};

/// `POST /v1/jobs/act`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActRequest {
    /// What to do.
    pub action: Action,
    /// To which jobs.
    pub selection: Selection,
    /// Who does it: a user name.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// Only tell what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// What staff can do to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Put it back into the queue.
    Requeue,
    /// Park it.
    Hold,
    /// Let a parked one go on.
    Release,
    /// Take it out.
    Cancel,
}

/// Jobs by name, or all of an organization in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// These.
    Jobs(Vec<JobId>),
    /// Those that match.
    Matching {
        /// Whose.
        org: OrgCode,
        /// Where they stand.
        state: JobState,
    },
}

/// What became of an [`ActRequest`], job by job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// Whether nothing was done because it was only asked what would happen.
    pub dry_run: bool,
    /// Each selected job.
    pub jobs: Vec<ActResult>,
    /// Whether there may be more that match than one request takes.
    pub more: bool,
}

/// What became of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActResult {
    /// Its id.
    pub id: JobId,
    /// Its state afterwards; after a dry run that is its state now. Absent if there is no such job.
    pub state: Option<JobState>,
    /// Why nothing was done to it.
    pub error: Option<String>,
}
