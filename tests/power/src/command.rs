//! Runs other programs, with words when they fail.

use std::ffi::OsStr;
use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail};

/// Runs a tool of the system to its end; what it printed.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Result<String> {
    output_of(Command::new(program).args(arguments))
}

/// Runs a command to its end; what it printed.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("{command:?} can't be run"))?;
    if !status.success() {
        let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        bail!("{command:?}: {status}: {}{}", out.trim(), err.trim());
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}
