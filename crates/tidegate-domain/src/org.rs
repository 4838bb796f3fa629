//! Organizations and their accounts, as staff write them in `orgs.d/*.toml`.
//!
//! Invariant: an [`Organizations`] snapshot never has two organizations of one code nor two accounts
//! of one name, so that an account name alone decides whose directory a session sees.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{Completion, DeliveryConfig, OrgLimits};

/// An organization's short code: 1 to 32 characters of A-Z, a-z, 0-9, `-` and `_`, case-sensitive.
/// It names directories, so nothing else is let in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrgCode(Arc<str>);

/// A text that is no organization code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an organization code has 1 to 32 characters of A-Z, a-z, 0-9, - and _")]
pub struct OrgCodeError;

impl OrgCode {
    /// Checks a code.
    pub fn new(code: &str) -> Result<Self, OrgCodeError> {
        let fits = (1..=32).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if fits { Ok(Self(code.into())) } else { Err(OrgCodeError) }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrgCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for OrgCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for OrgCode {
    type Error = OrgCodeError;

    fn try_from(code: String) -> Result<Self, OrgCodeError> {
        Self::new(&code)
    }
}

impl From<OrgCode> for String {
    fn from(code: OrgCode) -> Self {
        code.0.as_ref().to_owned()
    }
}

/// A sender: who it is, how it logs in, what its files must look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Names its directories and its jobs.
    pub code: OrgCode,
    /// For people; may be empty.
    #[serde(default)]
    pub name: String,
    /// Mail addresses that hear of maintenance.
    #[serde(default)]
    pub contacts: Vec<String>,
    /// Whether its accounts are shut out. What was accepted is still processed.
    #[serde(default)]
    pub disabled: bool,
    /// The zone of the times in its reports; the maintenance calendar's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Tz>,
    /// What submits its uploads.
    #[serde(default, skip_serializing_if = "Completion::is_default")]
    pub completion: Completion,
    /// What its messages must look like.
    #[serde(default)]
    pub hl7: Hl7Profile,
    /// Facilities that it may name to the web service besides its own code, such as those of its sub-sites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facilities: Vec<String>,
    /// What becomes of its messages to the web service while the gate is closed.
    #[serde(default, skip_serializing_if = "WhenClosed::is_default")]
    pub when_closed: WhenClosed,
    /// What it may use.
    #[serde(default, skip_serializing_if = "OrgLimits::is_default")]
    pub limits: OrgLimits,
    /// Where its messages go, if not where everybody's do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryConfig>,
    /// Who may log in for it.
    #[serde(default, rename = "account")]
    pub accounts: Vec<Account>,
}

impl Organization {
    /// An organization that nobody can log in for yet, with the defaults of its file.
    pub fn new(code: OrgCode) -> Self {
        Self {
            code,
            name: String::new(),
            contacts: Vec::new(),
            disabled: false,
            timezone: None,
            completion: Completion::default(),
            hl7: Hl7Profile::default(),
            facilities: Vec::new(),
            when_closed: WhenClosed::default(),
            limits: OrgLimits::default(),
            delivery: None,
            accounts: Vec::new(),
        }
    }
}

/// What the web service does with an organization's messages while the gate is closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenClosed {
    /// It refuses them, and says to come again.
    #[default]
    Refuse,
    /// It queues them as files are queued.
    Defer,
}

impl WhenClosed {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Refuse, Self::Defer];

    /// As it stands in an organization's file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Defer => "defer",
        }
    }

    /// Whether it is what nobody has to write down.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A text that is neither of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write refuse or defer")]
pub struct WhenClosedError;

impl FromStr for WhenClosed {
    type Err = WhenClosedError;

    fn from_str(text: &str) -> Result<Self, WhenClosedError> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or(WhenClosedError)
    }
}

impl fmt::Display for WhenClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One login of an organization.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The user name, unique among all organizations.
    pub name: String,
    /// Argon2id in PHC form; without it no password is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// Public keys as in OpenSSH's `authorized_keys`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorized_keys: Vec<String>,
    /// SHA-256 fingerprints of certificates, one of which its client has to show wherever it logs in with
    /// its password; empty means that none is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_certificates: Vec<String>,
    /// Networks that it may come from, such as `192.0.2.0/24`; empty means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_from: Vec<String>,
    /// Whether it is shut out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
}

impl Account {
    /// An account that nobody can log in with yet, since it has neither password nor key.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            password_hash: None,
            authorized_keys: Vec::new(),
            client_certificates: Vec::new(),
            allow_from: Vec::new(),
            disabled: false,
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What an organization's messages must look like to pass the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hl7Profile {
    /// Accepted values of MSH-12.1.
    pub versions: Vec<String>,
    /// Accepted value of MSH-11.1: `P`, `T` or `D`.
    pub processing_id: String,
    /// Whether a wrong BTS-1 or FTS-1 refuses the whole file.
    pub strict_counts: bool,
    /// Whether a message with errors inside an ORDER group is delivered all the same.
    pub forward_on_group_error: bool,
    /// Whether its messages are delivered; absent: by the processing id, see [`Hl7Profile::is_test`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The character set of messages that name none in MSH-18: one of [`Hl7Profile::CHARSETS`].
    pub default_charset: String,
    /// What warnings do to an acknowledgment.
    pub warnings: Warnings,
}

/// Whether messages are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are.
    Production,
    /// Everything is answered and nothing delivered.
    Test,
}

impl Mode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Production, Self::Test];

    /// As it stands in an organization's file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Test => "test",
        }
    }
}

/// A text that is no mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write production or test")]
pub struct ModeError;

impl FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or(ModeError)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What warnings do to an acknowledgment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warnings {
    /// A message with warnings only is answered AE, as NIST does.
    #[default]
    Error,
    /// It is answered AA, with the warnings.
    Accept,
    /// It is answered AA, without them.
    Off,
}

impl Hl7Profile {
    /// Names of the character sets that may be the default.
    pub const CHARSETS: [&str; 18] = [
        "ASCII",
        "UTF-8",
        "8859/1",
        "8859/2",
        "8859/3",
        "8859/4",
        "8859/5",
        "8859/6",
        "8859/7",
        "8859/8",
        "8859/9",
        "8859/10",
        "8859/11",
        "8859/13",
        "8859/14",
        "8859/15",
        "8859/16",
        "windows-1252",
    ];

    /// Whether everything is answered and nothing delivered. Left to itself, only production data (processing id `P`)
    /// is delivered: training and debugging data (`T`, `D`; HL7 table 0103) belong in no registry.
    pub fn is_test(&self) -> bool {
        self.mode.map_or(self.processing_id != "P", |mode| mode == Mode::Test)
    }

    /// What can't be used: the key, and what to do about it.
    pub fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if self.versions.is_empty() {
            found.push(("versions", "name at least one version, such as \"2.5.1\"".to_owned()));
        }
        if !matches!(self.processing_id.as_str(), "P" | "T" | "D") {
            found.push(("processing_id", "use \"P\", \"T\" or \"D\"".to_owned()));
        }
        if !Self::CHARSETS.contains(&self.default_charset.as_str()) {
            found.push(("default_charset", format!("use one of {}", Self::CHARSETS.join(", "))));
        }
        found
    }
}

impl Default for Hl7Profile {
    fn default() -> Self {
        Self {
            versions: vec!["2.5.1".to_owned()],
            processing_id: "P".to_owned(),
            strict_counts: false,
            forward_on_group_error: false,
            mode: None,
            default_charset: "UTF-8".to_owned(),
            warnings: Warnings::default(),
        }
    }
}

/// All organizations at one moment; replaced as a whole when a file changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Organizations {
    by_code: BTreeMap<OrgCode, Organization>,
    by_account: BTreeMap<String, OrgCode>,
}

impl Organizations {
    /// Collects organizations; a code or an account name that stands twice is an error for people.
    pub fn new(organizations: impl IntoIterator<Item = Organization>) -> Result<Self, String> {
        let mut all = Self::default();
        for organization in organizations {
            let code = organization.code.clone();
            for account in &organization.accounts {
                if let Some(other) = all.by_account.insert(account.name.clone(), code.clone()) {
                    return Err(format!("account {:?} stands twice: in {other} and {code}", account.name));
                }
            }
            if all.by_code.insert(code.clone(), organization).is_some() {
                return Err(format!("organization {code} stands twice"));
            }
        }
        Ok(all)
    }

    /// The organization of a code.
    pub fn get(&self, code: &OrgCode) -> Option<&Organization> {
        self.by_code.get(code)
    }

    /// The account of a name and the organization that it belongs to.
    pub fn account(&self, name: &str) -> Option<(&Organization, &Account)> {
        let organization = self.by_code.get(self.by_account.get(name)?)?;
        let account = organization.accounts.iter().find(|account| account.name == name)?;
        Some((organization, account))
    }

    /// Every organization, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Organization> {
        self.by_code.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organization(code: &str, account: &str) -> Organization {
        let account = Account { password_hash: Some("$argon2id$secret".to_owned()), ..Account::new(account) };
        Organization { accounts: vec![account], ..Organization::new(OrgCode::new(code).unwrap()) }
    }

    #[test]
    fn a_code_can_only_ever_name_a_directory() {
        for bad in ["", ".", "..", "A/B", "A B", "Ä", &"x".repeat(33)] {
            assert_eq!(OrgCode::new(bad), Err(OrgCodeError), "{bad}");
        }
        assert!(OrgCode::new("ACME-01_b").is_ok());
    }

    #[test]
    fn an_account_belongs_to_one_organization_only() {
        let error = Organizations::new([organization("A", "x"), organization("B", "x")]).unwrap_err();
        assert!(error.contains("twice"), "{error}");
        let all = Organizations::new([organization("A", "x"), organization("B", "y")]).unwrap();
        assert_eq!(all.account("y").unwrap().0.code.as_str(), "B");
        assert!(all.account("z").is_none());
    }

    #[test]
    fn debug_output_hides_password_hashes() {
        assert!(!format!("{:?}", organization("A", "x")).contains("argon2id"));
    }
}
