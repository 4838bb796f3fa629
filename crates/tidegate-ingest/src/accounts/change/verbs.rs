//! What can be done to an organization and its accounts.

use tidegate_domain::{Account, Organization};

use super::error::ChangeError;
use crate::accounts::certificates::Fingerprint;
use crate::accounts::keys::{KeyError, SenderKey};

/// One account of an organization, to be changed.
pub fn account_mut<'a>(
    organization: &'a mut Organization,
    name: &str,
) -> Result<&'a mut Account, ChangeError> {
    let Organization { code, accounts, .. } = organization;
    let names: Vec<String> = accounts.iter().map(|account| account.name.clone()).collect();
    let found = accounts.iter_mut().find(|account| account.name == name);
    found.ok_or_else(|| ChangeError::NoAccount { code: code.clone(), account: name.to_owned(), names })
}

/// Adds an account to an organization.
pub fn add_account(organization: &mut Organization, account: Account) -> Result<(), ChangeError> {
    if organization.accounts.iter().any(|one| one.name == account.name) {
        let owner = organization.code.clone();
        return Err(ChangeError::Taken { account: account.name, owner });
    }
    organization.accounts.push(account);
    Ok(())
}

/// Takes an account away from an organization.
pub fn remove_account(organization: &mut Organization, name: &str) -> Result<(), ChangeError> {
    account_mut(organization, name)?;
    organization.accounts.retain(|account| account.name != name);
    Ok(())
}

/// Shuts an organization out, or one of its accounts, or lets it in again.
pub fn set_disabled(
    organization: &mut Organization,
    account: Option<&str>,
    disabled: bool,
) -> Result<(), ChangeError> {
    match account {
        Some(name) => account_mut(organization, name)?.disabled = disabled,
        None => organization.disabled = disabled,
    }
    Ok(())
}

/// Lets an account log in with those keys.
pub fn add_keys(account: &mut Account, keys: &[SenderKey]) -> Result<(), ChangeError> {
    for key in keys {
        if account.authorized_keys.iter().any(|line| is_key(line, key)) {
            return Err(ChangeError::HasKey { account: account.name.clone(), key: key.fingerprint() });
        }
        let line = key.to_line().map_err(|error| refused("authorized_keys", &error))?;
        account.authorized_keys.push(line);
    }
    Ok(())
}

/// No longer lets an account log in with those keys.
pub fn remove_keys(account: &mut Account, keys: &[SenderKey]) -> Result<(), ChangeError> {
    for key in keys {
        let before = account.authorized_keys.len();
        account.authorized_keys.retain(|line| !is_key(line, key));
        if account.authorized_keys.len() == before {
            return Err(ChangeError::NoKey { account: account.name.clone(), key: key.fingerprint() });
        }
    }
    Ok(())
}

/// The public keys of a text, one a line, as `ssh-keygen` writes them.
pub fn parse_keys(text: &str) -> Result<Vec<SenderKey>, KeyError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Vec<SenderKey> = lines.map(SenderKey::parse).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(KeyError::Empty) } else { Ok(keys) }
}

/// Binds an account to one more certificate.
pub fn bind(account: &mut Account, certificate: Fingerprint) -> Result<(), ChangeError> {
    if account.client_certificates.iter().any(|text| is_certificate(text, certificate)) {
        return Err(ChangeError::Bound { account: account.name.clone(), certificate });
    }
    account.client_certificates.push(certificate.to_string());
    Ok(())
}

/// No longer binds an account to a certificate.
pub fn unbind(account: &mut Account, certificate: Fingerprint) -> Result<(), ChangeError> {
    let before = account.client_certificates.len();
    account.client_certificates.retain(|text| !is_certificate(text, certificate));
    if account.client_certificates.len() == before {
        return Err(ChangeError::NotBound { account: account.name.clone(), certificate });
    }
    Ok(())
}

fn is_key(line: &str, key: &SenderKey) -> bool {
    SenderKey::parse(line).is_ok_and(|known| known == *key)
}

fn is_certificate(text: &str, certificate: Fingerprint) -> bool {
    Fingerprint::parse(text) == Ok(certificate)
}

fn refused(key: &str, what: &dyn std::fmt::Display) -> ChangeError {
    ChangeError::Refused(vec![(key.to_owned(), what.to_string())])
}
