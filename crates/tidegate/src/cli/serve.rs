//! `tidegate serve`.

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// How to write the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// What to log: error, warn, info, debug, or a filter such as `info,tidegate_worker=debug`
    #[arg(long, value_name = "FILTER", default_value = "info", env = "TIDEGATE_LOG", hide_env_values = true)]
    pub(crate) log: String,
}

/// How to write the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
    /// Lines with priorities instead of times, for the systemd journal
    Journal,
}
