//! The question before what can't be taken back.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::Context as _;

use crate::failure::Failure;

/// Asks `question` and goes on after a yes only. Who can't be asked has to say it beforehand.
pub(super) fn confirm(question: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{question} Say so with --yes, or look first with --dry-run")));
    }
    eprint!("{question} [y/N] ");
    io::stderr().flush().context("while asking")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("while reading the answer")?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    eprintln!("Nothing was done.");
    Err(Failure::Told)
}
