//! A mount namespace of our own, so that nothing stays mounted however this process ends.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

const INSIDE: &str = "TIDEGATE_POWER_INSIDE";

/// Starts this program once more in a mount namespace of its own; returns there.
pub(crate) fn enter() -> Result<()> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(());
    }
    let program = std::env::current_exe().context("finding this program")?;
    let error = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(program)
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .exec();
    Err(error).context("unshare (of util-linux) can't be run")
}
