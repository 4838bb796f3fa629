//! `tidegate serve`: opens everything in order, runs it, and stops it in order.
//!
//! Invariant: nothing answers before the store is open, and "ready" is said only when everything
//! answers. A store that has failed ends the process with an error. This module wires; what the
//! parts do is theirs.

mod alerts;
mod journal;
mod logging;
mod manager;
mod parts;
mod reports;
mod running;
mod signals;
mod site;

use anyhow::Context as _;
use sd_notify::NotifyState;
use tidegate_store::OpenError;

use self::parts::Parts;
use self::running::Running;
use self::signals::Signals;
pub(crate) use self::site::beside_store;
use crate::cli::ServeArgs;
use crate::config::{Loaded, Problems};
use crate::failure::Failure;

/// Runs the server until it is told to stop.
///
/// With it comes what is wrong with the maintenance windows; then the gate is closed.
pub(crate) fn serve((loaded, problems): (Loaded, Option<Problems>), args: &ServeArgs) -> Result<(), Failure> {
    logging::start(args)?;
    if let Some(problems) = &problems {
        tracing::error!(%problems, "maintenance windows can't be read: uploads are accepted, nothing is processed");
    }
    let problems = problems.map(|problems| problems.lines()).unwrap_or_default();
    let runtime = tokio::runtime::Runtime::new().context("while starting up")?;
    let ended = runtime.block_on(run(loaded, problems));
    // Whatever still blocks a thread, such as a slow disk, has had its time.
    runtime.shutdown_background();
    ended
}

async fn run(loaded: Loaded, problems: Vec<String>) -> Result<(), Failure> {
    manager::tell(&[NotifyState::Status("opening the store")]);
    let parts = Parts::open(loaded).await?;
    let signals = Signals::listen().context("while preparing to hear signals")?;
    let running = Running::start(parts, problems)?;
    running.say_ready()?;
    running.until_stopped(signals).await
}

/// Why a store can't be opened, with the exit code that says so and what to do.
pub(crate) fn open_failure(error: OpenError) -> Failure {
    match error {
        OpenError::Locked(path) => Failure::Locked(format!(
            "the store in {} is in use by another process\n\
             Is `tidegate serve` running? Use it through its commands, or stop it first",
            path.display()
        )),
        OpenError::Io { doing, path, source } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!(
                "{doing} {}: {source}\nRun this as the user that owns the data directory",
                path.display()
            )
            .into()
        }
        other => anyhow::Error::new(other).context("while opening the store").into(),
    }
}
