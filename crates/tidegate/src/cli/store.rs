//! `tidegate store ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::JsonArg;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Copy the whole store while the server runs, as it is now
    ///
    /// The server makes the copy, as its own user. Restoring is pointing `data_dir` at it, or putting it
    /// in the place of the data directory. The configuration lies in it below `config`.
    Backup(BackupArgs),
    /// Look for anything that was acknowledged and is missing, in the store or in a backup
    ///
    /// Changes nothing. While the server runs it looks through its own store.
    Verify(VerifyArgs),
    /// Make the queue's index anew from the journal and the files; the server must be stopped
    Rebuild(RebuildArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Directory for the copy: one that does not exist yet, or an empty one, best on another disk
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A backup, or a data directory that no server uses [default: this installation's store]
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
}
