//! What each command does: it asks the server or looks at files, and prints.
//!
//! Invariant: with `--json` exactly one JSON value goes to standard output; everything else that
//! people read goes through [`crate::render`]. Questions and complaints go to standard error.

mod act;
mod alerts;
mod announce;
mod backup;
mod bans;
pub(crate) mod certificate;
mod check_config;
mod completions;
mod confirm;
mod doctor;
mod hl7;
mod init;
mod init_keys;
mod maintenance;
mod man;
mod notice;
mod org;
mod org_certificates;
mod org_change;
mod org_files;
mod org_keys;
mod org_view;
mod password;
mod payload;
mod print_config;
mod queue;
mod reference;
mod reload;
mod retention;
mod staff;
mod status;
mod store;
mod windows;

use crate::cli::{AlertsCommand, Cli, Command};
use crate::context::Context;
use crate::failure::Failure;

/// Does what `cli` says.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let config = cli.config.as_deref();
    let context = || Context::load(config);
    let server = || Context::load_for_server(config);
    match cli.command {
        Command::Demo(args) => crate::demo::demo(&args),
        Command::Init(args) => match &args.dir {
            Some(dir) => init::init(dir),
            None => init_keys::init_keys(&context()?),
        },
        Command::Serve(args) => crate::serve::serve(Context::load_for_start(config)?, &args),
        Command::CheckConfig(args) => check_config::check_config(config, &args),
        Command::PrintConfig(args) => print_config::print_config(config, &args),
        Command::Status(args) => status::status(&server()?, &args),
        Command::Reload(args) => reload::reload(&server()?, args),
        Command::Queue(command) => queue::queue(&server()?, command),
        Command::Maintenance(command) => maintenance::maintenance(&server()?, command),
        Command::Retention(command) => retention::retention(&server()?, command),
        Command::Org(command) => org::org(&context()?, command),
        Command::Staff(command) => staff::staff(&context()?, command),
        Command::Bans(command) => bans::bans(&server()?, command),
        Command::Alerts(AlertsCommand::Test) => alerts::test(&context()?),
        Command::Hl7(command) => hl7::hl7(config, command),
        Command::Store(command) => store::store(context, command),
        Command::Doctor(args) => doctor::doctor(config, args),
        Command::Completions { shell } => completions::completions(shell),
        Command::Man(args) => man::man(&args),
    }
}
