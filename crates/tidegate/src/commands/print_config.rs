//! `tidegate print-config`.

use std::path::Path;

use anyhow::Context as _;

use crate::cli::PrintConfigArgs;
use crate::config;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::Screen;

pub(super) fn print_config(named: Option<&Path>, args: &PrintConfigArgs) -> Result<(), Failure> {
    if args.default {
        return Ok(Screen::print(config::DEFAULT)?);
    }
    let loaded = Context::load(named)?.loaded;
    let text = toml::to_string(&loaded.config).context("while writing the configuration")?;
    Ok(Screen::print(&format!("# {}\n{text}", loaded.file.display()))?)
}
