//! What the packaging installs: completion scripts and the manual page.

use std::io;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::render::Screen;

pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tidegate", &mut script);
    Ok(Screen::write(&script)?)
}

/// One manual page (man-pages(7)) for everything: each command has a section of its own.
pub(super) fn man() -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    let page = page(&command).context("while writing the manual page")?;
    Ok(Screen::write(&page)?)
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    sections(command, "tidegate", &mut page)?;
    man.render_extra_section(&mut page)?;
    Ok(page)
}

/// The commands below `command`; those that only group others have nothing to say for themselves.
fn sections(command: &clap::Command, path: &str, page: &mut Vec<u8>) -> io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        let path = format!("{path} {}", inner.get_name());
        if inner.has_subcommands() {
            sections(inner, &path, page)?;
            continue;
        }
        let man = Man::new(inner.clone());
        let mut section = Vec::new();
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        page.extend(format!(".SH \"{path}\"\n").into_bytes());
        page.extend(subsections(&String::from_utf8_lossy(&section)).into_bytes());
    }
    Ok(())
}

/// What would be sections of a page of its own, without the beginnings of such a page.
fn subsections(text: &str) -> String {
    let preamble = |line: &&str| line.starts_with(".ie ") || line.starts_with(".el ");
    let lines = text.lines().filter(|line| !preamble(line));
    lines
        .map(|line| match line.strip_prefix(".SH ") {
            Some(heading) => format!(".SS {heading}\n"),
            None => format!("{line}\n"),
        })
        .collect()
}
