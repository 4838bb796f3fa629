//! The `tidegate` binary: composition root, configuration, commands.
//!
//! Invariant: the libraries know nothing of the command line, of the configuration file as a whole or
//! of each other beyond their edges; they are put together here.

mod cli;
mod client;
mod commands;
mod config;
mod context;
mod demo;
mod environment;
mod failure;
mod panics;
mod render;
mod serve;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    panics::tell_where_only();
    // Whatever a command writes is health data or a secret: for its owner only.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    match commands::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
