//! `tidegate org ...`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use tidegate_domain::units::ByteSize;
use tidegate_domain::{Completion, Mode, OrgCode, WhenClosed};

use super::JsonArg;

#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Add an organization with its first account
    Add(AddArgs),
    /// List organizations
    List(JsonArg),
    /// Show one organization
    Show(ShowArgs),
    /// Change the name, contacts, time zone, networks, mode, limits, completion or facilities of an organization, or
    /// what the web service does for it while the gate is closed
    Set(SetArgs),
    /// Shut out an organization, or one of its accounts; what was accepted is still processed
    Disable(AccountsArgs),
    /// Let an organization, or one of its accounts, in again
    Enable(AccountsArgs),
    /// Add an account to an organization, or take one away
    #[command(subcommand)]
    Account(AccountCommand),
    /// Set the password of an account
    Passwd(PasswdArgs),
    /// Give an account a public key for SFTP, or take one away
    #[command(subcommand)]
    Key(KeyCommand),
    /// Bind an account to a certificate for FTPS, or no longer
    #[command(subcommand)]
    Certificate(CertificateCommand),
}

/// One organization.
#[derive(Debug, Args)]
pub(crate) struct OrgArg {
    /// Code of the organization
    #[arg(value_name = "CODE", value_parser = org_code)]
    pub(crate) code: OrgCode,
}

/// One account of an organization.
#[derive(Debug, Args)]
pub(crate) struct LoginArg {
    /// Code of the organization
    #[arg(value_name = "CODE", value_parser = org_code)]
    pub(crate) code: OrgCode,
    /// User name of the account
    #[arg(value_name = "ACCOUNT")]
    pub(crate) account: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// Let an account log in with its password only where its client shows this certificate, or another one
    /// that it is bound to
    Add(CertificateArgs),
    /// No longer let an account log in with this certificate
    Remove(CertificateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CertificateArgs {
    #[command(flatten)]
    pub(crate) login: LoginArg,
    /// PEM file with the certificate, or its SHA-256 fingerprint as openssl x509 -fingerprint -sha256 shows it
    #[arg(value_name = "FILE|FINGERPRINT")]
    pub(crate) certificate: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Let an account log in with the public keys in a file
    Add(KeyArgs),
    /// Let an account no longer log in with the public keys in a file
    Remove(KeyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    pub(crate) login: LoginArg,
    /// File with public keys, one a line, as ssh-keygen writes it (NAME.pub); - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
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
    /// What submits its uploads: close, rename or sidecar
    #[arg(long, value_name = "STEP", default_value_t)]
    pub(crate) completion: Completion,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) org: OrgArg,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct PasswdArgs {
    #[command(flatten)]
    pub(crate) login: LoginArg,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    pub(crate) org: OrgArg,
    /// Name for people
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Mail address, for you; several replace those there were, and '' takes them away
    #[arg(long, value_name = "MAIL")]
    pub(crate) contact: Vec<String>,
    /// IANA zone of the times in its reports, such as America/Chicago; '' stands for the calendar's
    #[arg(long, value_name = "ZONE")]
    pub(crate) timezone: Option<String>,
    /// Network that it may log in from, such as 192.0.2.0/24; several replace those there were, and '' stands
    /// for anywhere
    #[arg(long, value_name = "NETWORK")]
    pub(crate) allow_from: Vec<String>,
    /// Set the networks of this account only, not of all
    #[arg(long, value_name = "ACCOUNT", requires = "allow_from")]
    pub(crate) account: Option<String>,
    /// What submits its uploads: close; rename, to another name; or sidecar, a file NAME.done or NAME.sha256
    #[arg(long, value_name = "STEP")]
    pub(crate) completion: Option<Completion>,
    /// production: its messages are delivered; test: they are checked and answered, and none is delivered
    #[arg(long)]
    pub(crate) mode: Option<Mode>,
    /// Facility that it may name to the web service besides its code; several replace those there were, and ''
    /// takes them away
    #[arg(long, value_name = "FACILITY")]
    pub(crate) facility: Vec<String>,
    /// What becomes of its messages to the web service while the gate is closed: refuse, with 503; or defer, queued as
    /// a file is
    #[arg(long, value_name = "WHAT")]
    pub(crate) when_closed: Option<WhenClosed>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// Limits of its own; '' stands for none but the service's.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "they are named as the keys are")]
pub(crate) struct LimitArgs {
    /// Sessions at once; '' stands for the service's limit alone
    #[arg(long, value_name = "NUMBER", value_parser = limit::<usize>)]
    pub(crate) sessions_max: Option<Limit<usize>>,
    /// Longest upload, such as 50MiB; '' as above
    #[arg(long, value_name = "SIZE", value_parser = limit::<ByteSize>)]
    pub(crate) upload_bytes_max: Option<Limit<ByteSize>>,
    /// Files that may wait to be processed; '' stands for any number
    #[arg(long, value_name = "NUMBER", value_parser = limit::<u64>)]
    pub(crate) files_waiting_max: Option<Limit<u64>>,
    /// Uploads begun within any minute; '' stands for any number
    #[arg(long, value_name = "NUMBER", value_parser = limit::<usize>)]
    pub(crate) uploads_per_minute_max: Option<Limit<usize>>,
}

/// What a limit is to be; none where it is taken away.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit<T>(pub(crate) Option<T>);

#[derive(Debug, Args)]
pub(crate) struct AccountsArgs {
    #[command(flatten)]
    pub(crate) org: OrgArg,
    /// User name of one account; the whole organization where left out
    #[arg(value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Add an account; asks for its password
    Add(AccountAddArgs),
    /// Take an account away; its files stay the organization's
    Remove(LoginArg),
}

#[derive(Debug, Args)]
pub(crate) struct AccountAddArgs {
    #[command(flatten)]
    pub(crate) login: LoginArg,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Give it no password: nobody logs in with one
    #[arg(long, conflicts_with = "password_stdin")]
    pub(crate) no_password: bool,
}

pub(super) fn org_code(text: &str) -> Result<OrgCode, String> {
    OrgCode::new(text).map_err(|error| error.to_string())
}

fn limit<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<Limit<T>, String> {
    let value =
        if text.is_empty() { None } else { Some(text.parse().map_err(|error: T::Err| error.to_string())?) };
    Ok(Limit(value))
}
