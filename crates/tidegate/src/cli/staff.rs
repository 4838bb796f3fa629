//! `tidegate staff ...`.

use clap::{Args, Subcommand};
use tidegate_web::staff::Role;

use super::JsonArg;

#[derive(Debug, Subcommand)]
pub(crate) enum StaffCommand {
    /// Show who may use the console
    List(JsonArg),
    /// Add somebody; asks for a password
    Add(AddArgs),
    /// Set a password
    Passwd(PasswdArgs),
    /// Set what somebody may do
    Role(RoleArgs),
    /// Shut somebody out, at once
    Disable(NameArgs),
    /// Let somebody in again
    Enable(NameArgs),
    /// Ask somebody for one-time passwords from now on; prints the secret for an authenticator, once
    Totp(TotpArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Name, in small letters
    pub(crate) name: String,
    /// What they may do: viewer (look), operator (act on jobs and maintenance), administrator (on accounts, too)
    #[arg(long, default_value = "viewer")]
    pub(crate) role: Role,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PasswdArgs {
    /// Name
    pub(crate) name: String,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RoleArgs {
    /// Name
    pub(crate) name: String,
    /// viewer, operator or administrator
    pub(crate) role: Role,
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// Name
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct TotpArgs {
    /// Name
    pub(crate) name: String,
    /// Ask for none any more
    #[arg(long)]
    pub(crate) off: bool,
}
