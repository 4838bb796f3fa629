//! `tidegate queue ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tidegate_domain::JobId;

use super::{Conditions, Jobs, JsonArg};

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// List jobs, newest first
    List(ListArgs),
    /// Show one job: history, attempts, message counts, files
    Show(ShowArgs),
    /// Print the HL7 response of a job
    Response(ResponseArgs),
    /// Print the upload itself, byte for byte; who read it and why stays in its history
    Payload(PayloadArgs),
    /// Put jobs back into the queue that are in error, exception or cancelled, or complete with nothing accepted
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
    #[command(flatten)]
    pub(crate) conditions: Conditions,
    /// At most that many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// The next page: only jobs older than this one, the last of the page before
    #[arg(long, value_name = "JOB")]
    pub(crate) after: Option<JobId>,
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
pub(crate) struct PayloadArgs {
    /// Job id
    #[arg(value_name = "JOB")]
    pub(crate) job: JobId,
    /// Why; kept in the job's history
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Write it to a new file that only you can read; - for standard output, even if that is a terminal
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
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
