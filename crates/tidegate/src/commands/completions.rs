//! What the packaging installs: completion scripts and the manual page.

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::render::Screen;

pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tidegate", &mut script);
    Ok(Screen::write(&script)?)
}

/// The manual page of the whole command line: each subcommand is a section of it.
pub(super) fn man() -> Result<(), Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).context("while writing the manual page")?;
    Ok(Screen::write(&page)?)
}
