//! The check of an account name and a password, or a public key.
//!
//! Invariant: whoever is refused can't tell why. An unknown account, a wrong password, a wrong certificate, a
//! disabled account and a foreign network cost the same work and are answered no sooner than the refusal
//! delay, which grows with each failure; only a password that was right a while ago is found right without that
//! work. The reasons are for the log. Account names that don't exist are never logged: people type
//! passwords there.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tidegate_domain::{Account, Completion, OrgCode, OrgLimits, Organization};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::bans::Bans;
use super::certificates::Fingerprint;
use super::directory::Directory;
use super::keys::SenderKey;
use super::networks::allows;
use super::password::{PasswordError, PasswordHashing};
use super::remembered::Remembered;
use crate::audit::Audit;
use crate::config::AuthConfig;

/// Who logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The organization whose files the session sees.
    pub org: OrgCode,
    /// The account.
    pub account: String,
}

/// Why a login was refused. For the log; the client only hears that it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefused {
    /// No organization has such an account.
    #[error("unknown account")]
    UnknownAccount,
    /// The password is not the account's, or the account has none.
    #[error("wrong password")]
    WrongPassword,
    /// The one-time password is wrong, missing, or was used before.
    #[error("wrong one-time password")]
    WrongCode,
    /// The key is none of the account's.
    #[error("unknown key")]
    UnknownKey,
    /// The password is right, and the client has shown none of the account's certificates.
    #[error("none of the account's certificates")]
    WrongCertificate,
    /// The account or its organization is shut out.
    #[error("disabled")]
    Disabled,
    /// The client's address is in none of the account's networks.
    #[error("address not allowed")]
    AddressNotAllowed,
    /// Too many logins from the client's address have failed.
    #[error("address banned")]
    Banned,
    /// The organization, or the service, has as many sessions as it may.
    #[error("too many sessions")]
    TooManySessions,
    /// The check itself failed.
    #[error("check failed")]
    CheckFailed,
}

/// Checks logins, a few at a time.
#[derive(Debug)]
pub struct Logins {
    directory: Arc<Directory>,
    hashing: PasswordHashing,
    /// Stands in for the hash of accounts that have none.
    nobodys_hash: String,
    remembered: Arc<Remembered>,
    checks: Semaphore,
    bans: Bans,
    refusal_delay: Duration,
}

impl Logins {
    /// Prepares for logins into the directory's accounts. Blocks for one hash.
    pub fn new(directory: Arc<Directory>, config: &AuthConfig) -> Result<Self, PasswordError> {
        let hashing = PasswordHashing::new(config)?;
        Ok(Self {
            directory,
            nobodys_hash: hashing.hash("the password of nobody")?,
            hashing,
            remembered: Arc::new(Remembered::new(config.remember.0)),
            checks: Semaphore::new(config.checks_concurrent_max),
            bans: Bans::new(config.clone()),
            refusal_delay: config.refusal_delay.0,
        })
    }

    /// The same with an audit log.
    pub(crate) fn audited(self, audit: Audit) -> Self {
        Self { bans: self.bans.audited(audit), ..self }
    }

    /// Checks a password that came from `peer`, and the certificate that was shown there.
    pub async fn check(
        &self,
        account: &str,
        password: Zeroizing<String>,
        certificate: Option<Fingerprint>,
        peer: IpAddr,
    ) -> Result<Login, LoginRefused> {
        let started = Instant::now();
        let result = self.check_at_once(account, password, certificate, peer).await;
        self.settle(account, peer, started, result).await
    }

    /// Counts how a login ended that began at `started`; a refusal takes its time.
    async fn settle<T>(
        &self,
        account: &str,
        peer: IpAddr,
        started: Instant,
        result: Result<T, LoginRefused>,
    ) -> Result<T, LoginRefused> {
        let delay = match &result {
            Ok(_) => {
                self.bans.succeeded(account);
                return result;
            }
            Err(LoginRefused::CheckFailed) => self.refusal_delay,
            Err(_) => self.bans.failed(account, peer),
        };
        tokio::time::sleep_until(started + delay).await;
        result
    }

    /// Checks a password of somebody who is no sender, such as staff, against the hash that is kept elsewhere, and then
    /// `also`. Nobody's has none. It costs whoever fails what it costs senders.
    pub(crate) async fn check_hash(
        &self,
        name: &str,
        password: Zeroizing<String>,
        hash: Option<String>,
        peer: IpAddr,
        also: impl FnOnce() -> Result<(), LoginRefused>,
    ) -> Result<(), LoginRefused> {
        // No account of a sender has such a name.
        let (started, name) = (Instant::now(), format!("staff {name}"));
        let result = match self.check_hash_at_once(&name, password, hash, peer).await {
            Ok(()) => also(),
            refused => refused,
        };
        self.settle(&name, peer, started, result).await
    }

    async fn check_hash_at_once(
        &self,
        name: &str,
        password: Zeroizing<String>,
        hash: Option<String>,
        peer: IpAddr,
    ) -> Result<(), LoginRefused> {
        if self.bans.is_banned(peer) {
            return Err(LoginRefused::Banned);
        }
        let has_hash = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobodys_hash.clone());
        let fits = self.fits(name, password, hash).await?;
        if has_hash && fits { Ok(()) } else { Err(LoginRefused::WrongPassword) }
    }

    /// Hashes a new password for an organization's file. Blocks.
    pub(crate) fn hash(&self, password: &str) -> Result<String, PasswordError> {
        self.hashing.hash(password)
    }

    /// The account of a name, if there is one.
    pub(crate) fn named(&self, account: &str) -> Option<Login> {
        let organizations = self.directory.current();
        let (organization, account) = organizations.account(account)?;
        Some(Login { org: organization.code.clone(), account: account.name.clone() })
    }

    /// What an organization may use; one that is gone has no limits of its own.
    pub(crate) fn limits_of(&self, org: &OrgCode) -> OrgLimits {
        self.directory.current().get(org).map(|organization| organization.limits).unwrap_or_default()
    }

    /// What submits an organization's uploads.
    pub(crate) fn completion_of(&self, org: &OrgCode) -> Completion {
        self.directory.current().get(org).map(|organization| organization.completion).unwrap_or_default()
    }

    /// Addresses that are turned away for a while.
    pub fn bans(&self) -> &Bans {
        &self.bans
    }

    /// Checks a public key that came from `peer`, and whose owner has proved that it is theirs.
    pub async fn check_key(
        &self,
        account: &str,
        key: &SenderKey,
        peer: IpAddr,
    ) -> Result<Login, LoginRefused> {
        let started = Instant::now();
        let result = self.look_up_key(account, key, peer);
        self.settle(account, peer, started, result).await
    }

    /// Whether a login with this key would succeed. Answers at once: clients offer all keys they have, one
    /// after the other.
    pub(crate) fn look_up_key(
        &self,
        name: &str,
        key: &SenderKey,
        peer: IpAddr,
    ) -> Result<Login, LoginRefused> {
        if self.bans.is_banned(peer) {
            return Err(LoginRefused::Banned);
        }
        let organizations = self.directory.current();
        let (organization, account) = organizations.account(name).ok_or(LoginRefused::UnknownAccount)?;
        let mut keys = account.authorized_keys.iter().filter_map(|line| SenderKey::parse(line).ok());
        if !keys.any(|known| known == *key) {
            return Err(LoginRefused::UnknownKey);
        }
        admit(organization, account, peer)?;
        Ok(Login { org: organization.code.clone(), account: account.name.clone() })
    }

    async fn check_at_once(
        &self,
        name: &str,
        password: Zeroizing<String>,
        certificate: Option<Fingerprint>,
        peer: IpAddr,
    ) -> Result<Login, LoginRefused> {
        if self.bans.is_banned(peer) {
            return Err(LoginRefused::Banned);
        }
        let organizations = self.directory.current();
        let known = organizations.account(name);
        let hash = known.and_then(|(_, account)| account.password_hash.clone());
        let has_hash = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobodys_hash.clone());
        let fits = self.remembered.knows(name, &hash, &password) || self.fits(name, password, hash).await?;
        let (organization, account) = known.ok_or(LoginRefused::UnknownAccount)?;
        if !has_hash || !fits {
            return Err(LoginRefused::WrongPassword);
        }
        if !accepts(account, certificate) {
            return Err(LoginRefused::WrongCertificate);
        }
        admit(organization, account, peer)?;
        Ok(Login { org: organization.code.clone(), account: account.name.clone() })
    }

    async fn fits(
        &self,
        account: &str,
        password: Zeroizing<String>,
        hash: String,
    ) -> Result<bool, LoginRefused> {
        let _turn = self.checks.acquire().await.map_err(|_| LoginRefused::CheckFailed)?;
        let (hashing, remembered, account) =
            (self.hashing.clone(), Arc::clone(&self.remembered), account.to_owned());
        let check = tokio::task::spawn_blocking(move || {
            // Others with the same password may have waited for their turn meanwhile.
            let fits = remembered.knows(&account, &hash, &password) || hashing.verify(&password, &hash);
            if fits {
                remembered.remember(&account, &hash, &password);
            }
            fits
        });
        check.await.map_err(|_| LoginRefused::CheckFailed)
    }

    /// Whether somebody who is logged in may still do so.
    pub(crate) fn still_admits(&self, login: &Login, peer: IpAddr) -> Result<(), LoginRefused> {
        let organizations = self.directory.current();
        let (organization, account) =
            organizations.account(&login.account).ok_or(LoginRefused::UnknownAccount)?;
        if organization.code != login.org {
            return Err(LoginRefused::UnknownAccount);
        }
        admit(organization, account, peer)
    }
}

/// Whether an account is bound to no certificate, or to this one.
fn accepts(account: &Account, certificate: Option<Fingerprint>) -> bool {
    let mut bound = account.client_certificates.iter();
    bound.len() == 0
        || certificate.is_some_and(|shown| bound.any(|text| Fingerprint::parse(text) == Ok(shown)))
}

fn admit(organization: &Organization, account: &Account, peer: IpAddr) -> Result<(), LoginRefused> {
    if organization.disabled || account.disabled {
        return Err(LoginRefused::Disabled);
    }
    if !allows(&account.allow_from, peer) {
        return Err(LoginRefused::AddressNotAllowed);
    }
    Ok(())
}

#[cfg(test)]
#[path = "login_tests.rs"]
mod tests;
