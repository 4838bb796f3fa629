//! What staff do to jobs.

use serde::{Deserialize, Serialize};
use tidegate_domain::job::JobState;
use tidegate_domain::{JobId, OrgCode};

use super::{JobFilter, States};

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
    /// Of those that match, only the oldest so many, at most [`ACT_JOBS_MAX`]; without it, more than those are refused.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Nothing is done to a job that is in none of these states by now; if there are none, any will do.
    #[serde(default)]
    pub only_in: States,
}

/// Most jobs in one request.
pub const ACT_JOBS_MAX: usize = 1_000;

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

/// Jobs by name, or by what is known of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// These; at most [`ACT_JOBS_MAX`].
    Jobs(Vec<JobId>),
    /// Those that match. Only for a dry run, which tells their names: what is done afterwards is done to these and
    /// to no other that has come meanwhile.
    Matching(JobFilter),
}

/// What became of an [`ActRequest`], job by job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// Whether nothing was done because it was only asked what would happen.
    pub dry_run: bool,
    /// Each selected job.
    pub jobs: Vec<ActResult>,
    /// Whether more match than were asked for.
    pub more: bool,
}

/// `POST /v1/jobs/ID/payload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadPayload {
    /// Who wants to read it: a user name.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// What became of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActResult {
    /// Its id.
    pub id: JobId,
    /// Whose it is. Absent if there is no such job, as what follows.
    pub org: Option<OrgCode>,
    /// The name the sender gave it; sensitive, never log it.
    pub name: Option<String>,
    /// Its state afterwards; after a dry run that is its state now.
    pub state: Option<JobState>,
    /// Why nothing was done to it.
    pub error: Option<String>,
}
