//! `tidegate alerts ...`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// Send an alert that says that it is a test
    Test,
}
