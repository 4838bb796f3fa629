//! `tidegate retention ...`.

use clap::{Args, Subcommand};
use tidegate_domain::OrgCode;

use super::JsonArg;
use super::org::org_code;

#[derive(Debug, Subcommand)]
pub(crate) enum RetentionCommand {
    /// Show the terms, the last pass, and legal holds
    Status(JsonArg),
    /// Delete what is over now, as the server does every hour by itself
    Run(RunArgs),
    /// Place a legal hold: nothing of an organization is deleted until it is released
    Hold(LegalHoldArgs),
    /// Release the legal holds of an organization
    Release(LegalHoldArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Only tell what would be deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct LegalHoldArgs {
    /// Code of the organization
    #[arg(value_name = "ORG", value_parser = org_code)]
    pub(crate) org: OrgCode,
    /// Why; it is kept in the journal with your name
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}
