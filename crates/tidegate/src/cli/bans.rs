//! `tidegate bans ...`.

use std::net::IpAddr;

use clap::{Args, Subcommand};

use super::JsonArg;

#[derive(Debug, Subcommand)]
pub(crate) enum BansCommand {
    /// Show the addresses that are turned away because logins from them failed
    List(JsonArg),
    /// Let an address in again, or all of them
    Lift(LiftArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LiftArgs {
    /// The address, as `bans list` shows it
    #[arg(value_name = "ADDRESS", value_parser = address, required_unless_present = "all", conflicts_with = "all")]
    pub(crate) address: Option<IpAddr>,
    /// Lift every ban
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

/// An address, or a network of 64 bits as bans of IPv6 addresses are listed.
fn address(text: &str) -> Result<IpAddr, String> {
    let address = text.strip_suffix("/64").unwrap_or(text).parse();
    address.map_err(|_| "write an address such as 192.0.2.1 or 2001:db8::1".to_owned())
}
