//! Which jobs a command is about.

use clap::Args;
use tidegate_domain::job::JobState;
use tidegate_domain::{JobId, OrgCode};

use super::org::org_code;

/// Job ids, or all jobs of an organization in a state; never both, never neither.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Jobs {
    /// Job ids
    #[arg(value_name = "JOB", id = "jobs", required_unless_present = "org", conflicts_with_all = ["org", "state"])]
    pub(crate) ids: Vec<JobId>,
    /// All jobs of this organization, together with --state
    #[arg(long, value_name = "CODE", value_parser = org_code, requires = "state")]
    pub(crate) org: Option<OrgCode>,
    /// All jobs in this state, together with --org
    #[arg(long, value_name = "STATE", requires = "org")]
    pub(crate) state: Option<JobState>,
}
