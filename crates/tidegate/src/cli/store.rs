//! `tidegate store ...`.

use clap::{Args, Subcommand};

use super::JsonArg;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Compare the queue's index with the journal and the files
    Verify(JsonArg),
    /// Make the queue's index anew from the journal and the files; the server must be stopped
    Rebuild(RebuildArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
}
