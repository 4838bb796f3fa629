//! Which jobs a command is about.

use clap::Args;
use tidegate_domain::job::{JobState, Outcome};
use tidegate_domain::{JobId, OrgCode};
use tidegate_web::api::{ACT_JOBS_MAX, JobFilter, Since, States};

use super::org::org_code;

/// What jobs have in common.
#[derive(Debug, Clone, Args)]
pub(crate) struct Conditions {
    /// Only in these states: queued, processing, retrying, held, complete, error, exception, duplicate or cancelled;
    /// several with commas
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    pub(crate) state: Vec<JobState>,
    /// Only complete ones that ended so: `accepted`, `accepted_with_errors`, `rejected` or `tested`
    #[arg(long, value_name = "OUTCOME")]
    pub(crate) outcome: Option<Outcome>,
    /// Only of this organization
    #[arg(long, value_name = "CODE", value_parser = org_code)]
    pub(crate) org: Option<OrgCode>,
    /// Only received since then: 2h, 14:30, "2024-03-08 19:00" or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Since>,
    /// Only received before then, written like --since
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Since>,
    /// Only files of such a name: "*friday*", where * stands for any characters
    #[arg(long, value_name = "PATTERN")]
    pub(crate) name: Option<String>,
}

impl Conditions {
    /// Whether they leave every job.
    pub(crate) fn are_none(&self) -> bool {
        self.filter() == JobFilter::default()
    }

    /// The same for the server.
    pub(crate) fn filter(&self) -> JobFilter {
        let Self { state, outcome, org, since, until, name } = self.clone();
        JobFilter { org, states: States(state), outcome, since, until, name }
    }
}

/// Tables show of a complete job how it ended.
fn state(word: &str) -> Result<JobState, String> {
    word.parse().map_err(|unknown| match word.parse::<Outcome>() {
        Ok(outcome) => format!("that is how a complete job ended: write --outcome {outcome}"),
        Err(_) => unknown,
    })
}

/// Job ids, or all jobs in a state that meet further conditions; never both, never neither.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Jobs {
    /// Job ids
    #[arg(value_name = "JOB", id = "jobs", required_unless_present = "state",
          conflicts_with_all = ["state", "outcome", "org", "since", "until", "name", "limit"])]
    pub(crate) ids: Vec<JobId>,
    #[command(flatten)]
    pub(crate) conditions: Conditions,
    /// Only the oldest N of those that match
    #[arg(long, value_name = "N", requires = "state",
          value_parser = clap::value_parser!(u32).range(1..=i64::try_from(ACT_JOBS_MAX).unwrap_or(1)))]
    pub(crate) limit: Option<u32>,
}
