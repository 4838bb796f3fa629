//! The command line as people write it; what it means is decided in [`crate::commands`].
//!
//! Invariant: whatever is wrong in form is refused here, with exit code 2, before a configuration is
//! read or a server asked. Help texts are for staff of a registry, not for programmers.

mod alerts;
mod bans;
mod job;
mod maintenance;
mod org;
mod queue;
mod retention;
mod serve;
mod staff;
mod store;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use tidegate_domain::OrgCode;

pub(crate) use alerts::AlertsCommand;
pub(crate) use bans::{BansCommand, LiftArgs};
pub(crate) use job::{Conditions, Jobs};
pub(crate) use maintenance::{
    AddArgs, AnnounceArgs, AnnouncementsArgs, EndArgs, ExplainArgs, ExtendArgs, Length,
    ListArgs as MaintenanceListArgs, MaintenanceCommand, NoticeArgs, NoticeFormat,
    ReleaseArgs as ReleaseHoldArgs, RemoveArgs, ReportArgs, SkipArgs, StartArgs, Which,
};
pub(crate) use org::{
    AccountAddArgs, AccountCommand, AccountsArgs, AddArgs as OrgAddArgs, CertificateArgs, CertificateCommand,
    KeyArgs, KeyCommand, Limit, LimitArgs, LoginArg, OrgCommand, PasswdArgs, SetArgs as OrgSetArgs,
    ShowArgs as OrgShowArgs,
};
pub(crate) use queue::{ActArgs, ListArgs, PayloadArgs, QueueCommand, ResponseArgs, ShowArgs};
pub(crate) use retention::{LegalHoldArgs, RetentionCommand, RunArgs as RunRetentionArgs};
pub(crate) use serve::{LogFormat, ServeArgs};
pub(crate) use staff::StaffCommand;
pub(crate) use store::{BackupArgs, RebuildArgs, StoreCommand, VerifyArgs};

/// Durable file intake for immunization registries: whatever a sender was told is accepted is
/// processed, once, even across maintenance windows, crashes and power cuts.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Configuration file [default: ./tidegate.toml, else /etc/tidegate/tidegate.toml]
    #[arg(long, global = true, value_name = "FILE", env = "TIDEGATE_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 usage, 69 server not reachable, \
                          75 store locked by another process, 78 configuration";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See the main job in one go, on this machine, with throw-away data
    Demo(DemoArgs),
    /// Set up a directory to try the product in: configuration, one organization, data directory
    Init(InitArgs),
    /// Run the server
    Serve(ServeArgs),
    /// Tell what is wrong with the configuration, all of it at once
    CheckConfig(CheckConfigArgs),
    /// Print the configuration in force, or the commented default
    PrintConfig(PrintConfigArgs),
    /// Show whether the gate is open, why not, until when, and how deep the queue is
    Status(StatusArgs),
    /// Have the running server read its configuration anew, and tell what it takes up and what needs a restart
    Reload(JsonArg),
    /// Look at jobs and act on them
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Look at maintenance windows and holds, start and end them
    #[command(subcommand)]
    Maintenance(MaintenanceCommand),
    /// Look at how long what was processed is kept, and keep what the law wants longer
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// Look at organizations and their accounts, add them, change passwords and keys
    #[command(subcommand)]
    Org(OrgCommand),
    /// Look at who may use the staff console, add people, set passwords and roles
    #[command(subcommand)]
    Staff(StaffCommand),
    /// Look at addresses that are turned away for failed logins, and let them in again
    #[command(subcommand)]
    Bans(BansCommand),
    /// Alerts: a command or a webhook for what somebody should look at
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// Try HL7 files without submitting them
    #[command(subcommand)]
    Hl7(Hl7Command),
    /// Back the store up, check it, or rebuild its index
    #[command(subcommand)]
    Store(StoreCommand),
    /// Look for anything that is wrong with this installation and say what to do about it
    Doctor(JsonArg),
    /// Print a completion script for a shell
    Completions {
        /// Shell
        shell: Shell,
    },
    /// Print the manual page, or write one for each command
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Go on showing it, until q is pressed; piped: again whenever something has changed
    #[arg(long, short)]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this directory, as tidegate-queue-list.1
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Print the same in Markdown, as in docs/cli.md
    #[arg(long, conflicts_with = "dir")]
    pub(crate) markdown: bool,
}

/// For listings.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct JsonArg {
    /// Print JSON for programs instead of a table for people
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Leave the server running afterwards and tell how to use it
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Directory; made if it is not there
    #[arg(value_name = "DIR", required_unless_present = "keys")]
    pub(crate) dir: Option<PathBuf>,
    /// Instead make what an installed configuration names and nobody made yet: host keys of SFTP, and a certificate
    /// that nobody vouches for. What is there is left alone
    #[arg(long, conflicts_with = "dir")]
    pub(crate) keys: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckConfigArgs {
    /// Look at the files only, not at directories and rights on this machine
    #[arg(long)]
    pub(crate) no_environment: bool,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct PrintConfigArgs {
    /// Print the commented default, which documents every key
    #[arg(long)]
    pub(crate) default: bool,
}

/// `hl7 ...`
#[derive(Debug, Subcommand)]
pub(crate) enum Hl7Command {
    /// Check files as the server would and print the report and the response each would get
    Check(Hl7CheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct Hl7CheckArgs {
    /// Files with HL7 messages; - for standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Check by the profile of this organization
    #[arg(long, value_name = "CODE", value_parser = org::org_code)]
    pub(crate) org: Option<OrgCode>,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
