//! `tidegate man`: the manual, made from the command line's own definitions.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;

use super::reference::reference;
use crate::cli::{Cli, ManArgs};
use crate::failure::Failure;
use crate::render::{Screen, plural};

pub(super) fn man(args: &ManArgs) -> Result<(), Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    if args.markdown {
        return Ok(Screen::write(reference(&command).as_bytes())?);
    }
    let Some(dir) = &args.dir else {
        let page = page(&command).context("while writing the manual page")?;
        return Ok(Screen::write(&page)?);
    };
    fs::create_dir_all(dir).with_context(|| format!("while making {}", dir.display()))?;
    let count = pages(&command, dir).with_context(|| format!("while writing to {}", dir.display()))?;
    Ok(Screen::print(&format!("Wrote {} to {}.", plural(count, "page"), dir.display()))?)
}

/// A page for `command` and for each below it; how many.
fn pages(command: &clap::Command, dir: &Path) -> io::Result<u64> {
    Man::new(command.clone()).source(concat!("tidegate ", env!("CARGO_PKG_VERSION"))).generate_to(dir)?;
    command.get_subcommands().try_fold(1, |count, inner| Ok(count + pages(inner, dir)?))
}

/// One page (man-pages(7)) for everything: each command has a section of its own.
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
