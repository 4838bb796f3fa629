//! One organization's file: read, parsed and checked.
//!
//! Invariant: an organization that comes out of here has hashes that can be checked and networks
//! that mean something. Messages never quote the file, because a line of it may be a hash.

use std::path::Path;

use tidegate_domain::{DeliveryConfig, Organization};

use super::certificates::Fingerprint;
use super::keys::SenderKey;
use super::networks::parse_network;
use super::password::parse_hash;
use super::problem::Problem;

/// Longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads one file; every mistake that can be found at once. Files that it names lie beside it.
pub(super) fn read_organization(path: &Path) -> Result<Organization, Vec<Problem>> {
    let mut organization = read_as_written(path)?;
    for file in organization.delivery.iter_mut().flat_map(DeliveryConfig::files_mut) {
        *file = path.with_file_name(&file);
    }
    Ok(organization)
}

/// The same with the paths that stand in it.
pub(super) fn read_as_written(path: &Path) -> Result<Organization, Vec<Problem>> {
    let problem =
        |key: &str, message: String| Problem { file: path.to_owned(), key: key.to_owned(), message };
    let text = read_text(path).map_err(|message| vec![problem("", message)])?;
    let organization = parse(&text).map_err(|(key, message)| vec![problem(&key, message)])?;
    let mistakes = mistakes(&organization);
    if mistakes.is_empty() {
        return Ok(organization);
    }
    Err(mistakes.into_iter().map(|(key, message)| problem(&key, message)).collect())
}

fn read_text(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| format!("can't be read: {error}"))?.len();
    if length > FILE_BYTES_MAX {
        return Err("longer than 1 MiB".to_owned());
    }
    std::fs::read_to_string(path).map_err(|error| format!("can't be read: {error}"))
}

fn parse(text: &str) -> Result<Organization, (String, String)> {
    let describe = |error: &toml::de::Error| match error.span() {
        Some(span) => format!("line {}: {}", line_of(text, span.start), error.message()),
        None => error.message().to_owned(),
    };
    let document = toml::Deserializer::parse(text).map_err(|error| (String::new(), describe(&error)))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let key = error.path().to_string();
        let key = if key == "." { String::new() } else { key };
        (key, describe(error.inner()))
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// What serde can't see: the key, and what is wrong there.
pub(super) fn mistakes(organization: &Organization) -> Vec<(String, String)> {
    let limits = organization.limits.mistakes().into_iter();
    let mut found: Vec<_> = limits.map(|(key, message)| (format!("limits.{key}"), message)).collect();
    let hl7 = organization.hl7.mistakes().into_iter();
    found.extend(hl7.map(|(key, message)| (format!("hl7.{key}"), message)));
    let delivery = organization.delivery.iter().flat_map(DeliveryConfig::validate);
    found.extend(delivery.map(|(key, message)| (format!("delivery.{key}"), message)));
    for (index, account) in organization.accounts.iter().enumerate() {
        let mut add = |key: &str, message: &str| {
            found.push((format!("account[{index}].{key}"), message.to_owned()));
        };
        if account.name.is_empty() || account.name.len() > 64 || account.name.chars().any(char::is_control) {
            add("name", "an account's name has 1 to 64 bytes and no control characters");
        }
        if let Some(Err(error)) = account.password_hash.as_deref().map(parse_hash) {
            add("password_hash", &error.to_string());
        }
        for error in account.authorized_keys.iter().filter_map(|line| SenderKey::parse(line).err()) {
            add("authorized_keys", &error.to_string());
        }
        let certificates = account.client_certificates.iter();
        for error in certificates.filter_map(|text| Fingerprint::parse(text).err()) {
            add("client_certificates", &error.to_string());
        }
        for network in account.allow_from.iter().filter(|text| parse_network(text).is_none()) {
            add("allow_from", &format!("{network:?} is no network; write 192.0.2.0/24 or an address"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("A.toml");
        std::fs::write(&path, text).unwrap();
        let problems = read_organization(&path).unwrap_err();
        assert!(problems.iter().all(|problem| problem.file == path));
        problems.into_iter().map(|problem| (problem.key, problem.message)).collect()
    }

    #[test]
    fn a_mistake_names_its_key_and_line() {
        let [(key, message)] = &keys("code = 'A'\n[[account]]\nname = 5\n")[..] else { panic!() };
        assert_eq!(key, "account[0].name");
        assert!(message.starts_with("line 3: "), "{message}");
        let [(_, message)] = &keys("code = 'A'\nnmae = 'x'\n")[..] else { panic!() };
        assert!(message.contains("line 2") && message.contains("nmae"), "{message}");
    }

    #[test]
    fn all_mistakes_of_a_file_come_together_and_no_hash_with_them() {
        let found = keys(
            "code = 'A'\n[[account]]\nname = ''\npassword_hash = '$hidden$'\nauthorized_keys = ['ssh-hidden']
client_certificates = ['hidden']\nallow_from = ['x', '10.0.0.0/8']\n",
        );
        let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        let expected = ["name", "password_hash", "authorized_keys", "client_certificates", "allow_from"];
        assert_eq!(keys, expected.map(|key| format!("account[0].{key}")));
        assert!(!format!("{found:?}").contains("hidden"));
    }

    #[test]
    fn an_organizations_own_target_is_checked_and_its_files_lie_beside_it() {
        let found = keys("code = 'A'\n[delivery]\nkind = 'mllp'\npath = 'x'\n");
        let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["delivery.path", "delivery.address"]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("A.toml");
        std::fs::write(&path, "code = 'A'\n[delivery]\nkind = 'mllp'\naddress = 'r:1'\nca = 'ca.pem'\n")
            .unwrap();
        let delivery = read_organization(&path).unwrap().delivery.unwrap();
        assert_eq!(delivery.ca, Some(folder.path().join("ca.pem")));
    }

    #[test]
    fn a_syntax_error_does_not_quote_the_line() {
        let found = keys("code = 'A'\npassword_hash = '$hidden$\n");
        assert!(!format!("{found:?}").contains("hidden"), "{found:?}");
        assert!(found[0].1.starts_with("line 2"), "{found:?}");
    }
}
