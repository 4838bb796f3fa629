//! `tidegate queue ...`.

use clap::{Args, Subcommand};
use tidegate_domain::job::JobState;
use tidegate_domain::{JobId, OrgCode};

use super::org::org_code;
use tidegate_web::api::Since;

use super::{Jobs, JsonArg};

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// List jobs, newest first
    List(ListArgs),
    /// Show one job: history, attempts, message counts, files
    Show(ShowArgs),
    /// Print the HL7 response of a job
    Response(ResponseArgs),
    /// Put jobs in error, exception or cancelled back into the queue
    Requeue(ActArgs),
    /// Park waiting jobs until they are released
    Hold(ActArgs),
    /// Let parked jobs go on
    Release(ActArgs),
    /// Take waiting or parked jobs out of the queue
    Cancel(ActArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only this organization
    #[arg(long, value_name = "CODE", value_parser = org_code)]
    pub(crate) org: Option<OrgCode>,
    /// Only this state: queued, processing, retrying, held, complete, error, exception, duplicate or
    /// cancelled
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<JobState>,
    /// Only received since then: 2h, 14:30, "2024-03-08 19:00" or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Since>,
    /// At most that many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Job id
    #[arg(value_name = "JOB")]
    pub(crate) job: JobId,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct ResponseArgs {
    /// Job id
    #[arg(value_name = "JOB")]
    pub(crate) job: JobId,
    /// Print the report for people instead of the HL7 response
    #[arg(long)]
    pub(crate) report: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ActArgs {
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// Why; kept in the history of each job
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Only tell what would happen
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}
