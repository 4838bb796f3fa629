//! Why an organization was not changed.

use std::io;
use std::path::PathBuf;

use tidegate_domain::{Completion, OrgCode};

use crate::accounts::certificates::Fingerprint;
use crate::accounts::problem::Problems;
use crate::accounts::write::WriteError;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no organization of that code.
    #[error("there is no organization {0}")]
    Unknown(OrgCode),
    /// There is one of that code.
    #[error("organization {code} exists already, in {}", file.display())]
    Exists {
        /// The code.
        code: OrgCode,
        /// Where it stands.
        file: PathBuf,
    },
    /// Accounts are told apart by their names alone.
    #[error("account {account} belongs to organization {owner} already")]
    Taken {
        /// The account.
        account: String,
        /// Whose it is.
        owner: OrgCode,
    },
    /// The organization has no such account.
    #[error("{code} has no account {account}; it has {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") })]
    NoAccount {
        /// The organization.
        code: OrgCode,
        /// The account.
        account: String,
        /// Those it has.
        names: Vec<String>,
    },
    /// What submits its uploads is nothing that a watched folder can tell.
    #[error("{} is watched for {code}, and a watched folder can't tell {completion}", folder.display())]
    Watched {
        /// The organization.
        code: OrgCode,
        /// Its watched folder.
        folder: PathBuf,
        /// What it can't tell.
        completion: Completion,
    },
    /// The account has that key.
    #[error("{account} has the key {key} already")]
    HasKey {
        /// The account.
        account: String,
        /// The key's fingerprint.
        key: String,
    },
    /// The account does not have that key.
    #[error("{account} does not have the key {key}")]
    NoKey {
        /// The account.
        account: String,
        /// The key's fingerprint.
        key: String,
    },
    /// The account is bound to that certificate.
    #[error("{account} is bound to {certificate} already")]
    Bound {
        /// The account.
        account: String,
        /// The certificate.
        certificate: Fingerprint,
    },
    /// The account is not bound to that certificate.
    #[error("{account} is not bound to {certificate}")]
    NotBound {
        /// The account.
        account: String,
        /// The certificate.
        certificate: Fingerprint,
    },
    /// The server would refuse it: keys of the file, and what is wrong there.
    #[error("{}", .0.iter().map(|(key, what)| format!("{key}: {what}")).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<(String, String)>),
    /// It is not what it was when whoever changes it looked.
    #[error("somebody else has changed {0} meanwhile")]
    Meanwhile(OrgCode),
    /// Its file can't be read as it is now.
    #[error(transparent)]
    Broken(#[from] Problems),
    /// The file can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The folder can't be had.
    #[error("{} can't be used: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}
