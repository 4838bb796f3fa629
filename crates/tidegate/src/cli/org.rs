//! `tidegate org ...`.

use clap::{Args, Subcommand};
use tidegate_domain::OrgCode;

use super::JsonArg;

#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Add an organization with its first account
    Add(AddArgs),
    /// List organizations
    List(JsonArg),
    /// Show one organization
    Show(ShowArgs),
    /// Set the password of an account
    Passwd(PasswdArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Code of the organization, such as ACME01
    #[arg(value_name = "CODE", value_parser = org_code)]
    pub(crate) code: OrgCode,
    /// Name for people
    #[arg(long, default_value = "")]
    pub(crate) name: String,
    /// User name of its first account
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: String,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Code of the organization
    #[arg(value_name = "CODE", value_parser = org_code)]
    pub(crate) code: OrgCode,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct PasswdArgs {
    /// Code of the organization
    #[arg(value_name = "CODE", value_parser = org_code)]
    pub(crate) code: OrgCode,
    /// User name of the account
    #[arg(value_name = "ACCOUNT")]
    pub(crate) account: String,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

pub(super) fn org_code(text: &str) -> Result<OrgCode, String> {
    OrgCode::new(text).map_err(|error| error.to_string())
}
