//! The log: what goes in and in which form.
//!
//! Invariant: libraries that write paths or names of senders' files into their events never reach the
//! log, whatever filter is asked for. The log goes to standard error.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use tracing::Metadata;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

use super::journal::Journal;
use crate::cli::{LogFormat, ServeArgs};
use crate::failure::Failure;

/// Beginnings of the targets that are never logged.
const HIDDEN: [&str; 4] = ["libunftp", "unftp_", "russh", "sled"];

/// Starts logging for the rest of the process.
pub(super) fn start(args: &ServeArgs) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&args.log)
        .map_err(|error| Failure::Usage(format!("--log {:?} is no filter: {error}", args.log)))?;
    let base = registry().with(filter);
    let writer = fmt::layer().with_writer(io::stderr);
    let started = match args.log_format {
        LogFormat::Json => {
            base.with(writer.json().flatten_event(true).with_filter(filter_fn(is_shown))).try_init()
        }
        LogFormat::Journal => {
            base.with(writer.event_format(Journal).with_filter(filter_fn(is_shown))).try_init()
        }
        LogFormat::Text => base.with(writer.with_ansi(colours()).with_filter(filter_fn(is_shown))).try_init(),
    };
    Ok(started.context("while starting the log")?)
}

fn is_shown(event: &Metadata<'_>) -> bool {
    !HIDDEN.iter().any(|hidden| event.target().starts_with(hidden))
}

fn colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
