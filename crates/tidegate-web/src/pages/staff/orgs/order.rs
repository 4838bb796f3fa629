//! What an administrator wants done to an organization, read from a form.

use std::str::FromStr;

use chrono_tz::Tz;
use tidegate_domain::{Account, Completion, Mode, OrgLimits, Organization, WhenClosed};
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::{
    ChangeError, Fingerprint, SenderKey, account_mut, add_account, add_keys, bind, parse_keys,
    remove_account, remove_keys, set_disabled, unbind,
};
use zeroize::Zeroizing;

use super::draft::Mistake;
use crate::pages::answer::digest;
use crate::pages::fields::Fields;

/// One change; the account that it is about stands beside it.
pub(super) enum Order {
    Set(Box<Settings>),
    /// Shuts out, or lets in again; the organization where there is no account.
    Disable(bool),
    AddAccount(Option<NewPassword>),
    RemoveAccount,
    OfAccount(OfAccount),
}

/// One change of an account.
pub(super) enum OfAccount {
    SetPassword(NewPassword),
    AllowFrom(Vec<String>),
    AddKeys(Vec<SenderKey>),
    /// By its fingerprint.
    RemoveKey(String),
    Bind(Fingerprint),
    Unbind(Fingerprint),
}

/// A password on its way into a hash.
pub(super) enum NewPassword {
    Typed(Zeroizing<String>),
    Hashed(String),
}

/// Everything of an organization that one form shows.
pub(super) struct Settings {
    name: String,
    contacts: Vec<String>,
    timezone: Option<Tz>,
    completion: Completion,
    /// Left alone where absent.
    mode: Option<Mode>,
    when_closed: WhenClosed,
    facilities: Vec<String>,
    limits: OrgLimits,
    /// What the form was made from.
    seen: String,
}

impl Order {
    /// `None` if there is no such action.
    pub(super) fn read(action: &str, form: &Fields) -> Option<Result<Self, Vec<Mistake>>> {
        let one = |mistake: Mistake| vec![mistake];
        if let Some(order) = OfAccount::read(action, form) {
            return Some(order.map(Self::OfAccount).map_err(one));
        }
        Some(match action {
            "set" => Settings::read(form).map(|settings| Self::Set(Box::new(settings))),
            "disable" => Ok(Self::Disable(true)),
            "enable" => Ok(Self::Disable(false)),
            // Without a password it is for keys.
            "add-account" if form.exact("password").is_empty() => Ok(Self::AddAccount(None)),
            "add-account" => {
                NewPassword::read(form).map(|password| Self::AddAccount(Some(password))).map_err(one)
            }
            "remove-account" => Ok(Self::RemoveAccount),
            _ => return None,
        })
    }

    /// Hashes what was typed. Blocks.
    pub(super) fn hashed(self, intake: &Intake) -> Result<Self, Mistake> {
        Ok(match self {
            Self::AddAccount(Some(password)) => Self::AddAccount(Some(password.hashed(intake)?)),
            Self::OfAccount(OfAccount::SetPassword(password)) => {
                Self::OfAccount(OfAccount::SetPassword(password.hashed(intake)?))
            }
            other => other,
        })
    }

    /// Does it, and says what was done.
    pub(super) fn apply(self, organization: &mut Organization, account: &str) -> Result<String, ChangeError> {
        let code = organization.code.clone();
        Ok(match self {
            Self::Set(settings) => {
                settings.apply(organization)?;
                format!("{code} is changed.")
            }
            Self::Disable(disabled) => {
                let one = Some(account).filter(|account| !account.is_empty());
                set_disabled(organization, one, disabled)?;
                let (who, done) =
                    (one.unwrap_or(code.as_str()), if disabled { "shut out" } else { "let in again" });
                format!("{who} is {done}.")
            }
            Self::AddAccount(password) => {
                let password_hash = password.and_then(NewPassword::into_hash);
                add_account(organization, Account { password_hash, ..Account::new(account) })?;
                format!("Account {account} is added.")
            }
            Self::RemoveAccount => {
                remove_account(organization, account)?;
                format!("Account {account} is gone.")
            }
            Self::OfAccount(order) => order.apply(account_mut(organization, account)?)?,
        })
    }
}

impl OfAccount {
    fn read(action: &str, form: &Fields) -> Option<Result<Self, Mistake>> {
        Some(match action {
            "set-password" => NewPassword::read(form).map(Self::SetPassword),
            "allow-from" => Ok(Self::AllowFrom(form.lines("allow_from"))),
            "add-keys" => {
                let keys = parse_keys(form.get("public_keys"));
                keys.map(Self::AddKeys).map_err(|error| Mistake::new("public_keys", error.to_string()))
            }
            "remove-key" => Ok(Self::RemoveKey(form.get("fingerprint").to_owned())),
            "bind" => certificate(form).map(Self::Bind),
            "unbind" => certificate(form).map(Self::Unbind),
            _ => return None,
        })
    }

    fn apply(self, account: &mut Account) -> Result<String, ChangeError> {
        let name = account.name.clone();
        Ok(match self {
            Self::SetPassword(password) => {
                account.password_hash = password.into_hash();
                format!("The password of {name} is set.")
            }
            Self::AllowFrom(networks) => {
                account.allow_from = networks;
                format!("The networks of {name} are set.")
            }
            Self::AddKeys(keys) => {
                add_keys(account, &keys)?;
                let count = account.authorized_keys.len();
                format!("{name} may log in with {count} {} now.", if count == 1 { "key" } else { "keys" })
            }
            Self::RemoveKey(fingerprint) => {
                let keys = account.authorized_keys.iter().filter_map(|line| SenderKey::parse(line).ok());
                let keys: Vec<SenderKey> = keys.filter(|key| key.fingerprint() == fingerprint).collect();
                if keys.is_empty() {
                    return Err(ChangeError::NoKey { account: name, key: fingerprint });
                }
                remove_keys(account, &keys)?;
                format!("{name} may no longer log in with that key.")
            }
            Self::Bind(certificate) => {
                bind(account, certificate)?;
                format!(
                    "The password of {name} now counts only over FTPS and with a certificate that it is bound to."
                )
            }
            Self::Unbind(certificate) => {
                unbind(account, certificate)?;
                format!("{name} is no longer bound to that certificate.")
            }
        })
    }
}

impl NewPassword {
    pub(super) fn read(form: &Fields) -> Result<Self, Mistake> {
        let password = form.exact("password");
        if password != form.exact("again") {
            return Err(Mistake::new("again", "The two passwords differ."));
        }
        Ok(Self::Typed(Zeroizing::new(password.to_owned())))
    }

    /// Blocks.
    pub(super) fn hashed(self, intake: &Intake) -> Result<Self, Mistake> {
        match self {
            Self::Typed(password) => {
                let hash = intake.hash_password(&password);
                hash.map(Self::Hashed).map_err(|error| Mistake::new("password", error.to_string()))
            }
            hashed @ Self::Hashed(_) => Ok(hashed),
        }
    }

    /// Nothing of what was not hashed.
    pub(super) fn into_hash(self) -> Option<String> {
        match self {
            Self::Typed(_) => None,
            Self::Hashed(hash) => Some(hash),
        }
    }
}

impl Settings {
    fn read(form: &Fields) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let settings = Self {
            name: form.get("name").to_owned(),
            contacts: form.lines("contacts"),
            timezone: given(form, "timezone", &mut mistakes, |_| {
                "no time zone; write one of the IANA database, such as America/Chicago".to_owned()
            }),
            completion: given(form, "completion", &mut mistakes, to_text).unwrap_or_default(),
            mode: given(form, "mode", &mut mistakes, to_text),
            when_closed: given(form, "when_closed", &mut mistakes, to_text).unwrap_or_default(),
            facilities: form.lines("facilities"),
            limits: OrgLimits {
                sessions_max: given(form, "sessions_max", &mut mistakes, whole),
                upload_bytes_max: given(form, "upload_bytes_max", &mut mistakes, to_text),
                files_waiting_max: given(form, "files_waiting_max", &mut mistakes, whole),
                uploads_per_minute_max: given(form, "uploads_per_minute_max", &mut mistakes, whole),
            },
            seen: form.get("seen").to_owned(),
        };
        if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
    }

    fn apply(self, organization: &mut Organization) -> Result<(), ChangeError> {
        if self.seen != seen(organization) {
            return Err(ChangeError::Meanwhile(organization.code.clone()));
        }
        organization.name = self.name;
        organization.contacts = self.contacts;
        organization.timezone = self.timezone;
        organization.completion = self.completion;
        if self.mode.is_some() {
            organization.hl7.mode = self.mode;
        }
        organization.when_closed = self.when_closed;
        organization.facilities = self.facilities;
        organization.limits = self.limits;
        Ok(())
    }
}

/// What tells the settings of an organization from what they were before; accounts are changed by forms of their own.
pub(super) fn seen(organization: &Organization) -> String {
    let settings = Organization { accounts: Vec::new(), disabled: false, ..organization.clone() };
    // What can't be written as JSON is never the same, so that nobody overwrites it.
    serde_json::to_vec(&settings).map(|text| digest(&text)).unwrap_or_default()
}

/// What a field says; `None` where it is empty, or wrong.
fn given<T: FromStr>(
    form: &Fields,
    field: &str,
    mistakes: &mut Vec<Mistake>,
    words: impl FnOnce(&T::Err) -> String,
) -> Option<T> {
    match form.given(field)?.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            mistakes.push(Mistake::new(field, words(&error)));
            None
        }
    }
}

fn to_text(error: &impl ToString) -> String {
    error.to_string()
}

fn whole(_: &std::num::ParseIntError) -> String {
    "write a whole number, or leave it empty for no limit of its own".to_owned()
}

/// A fingerprint, or the certificate itself.
fn certificate(form: &Fields) -> Result<Fingerprint, Mistake> {
    let text = form.get("certificate");
    let found = if text.contains("-----BEGIN") {
        Fingerprint::of_pem(text.as_bytes())
    } else {
        Fingerprint::parse(text)
    };
    found.map_err(|error| Mistake::new("certificate", error.to_string()))
}
