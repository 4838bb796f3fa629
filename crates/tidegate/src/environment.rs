//! Whether this machine is ready for a configuration: directories, rights, space.
//!
//! Invariant: looking changes nothing. Whatever is found wrong says what to do about it.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tidegate_domain::{Account, Organization};
use tidegate_ingest::accounts::{OrgFolder, load_folder};
use tidegate_ingest::config::{FolderConfig, FtpConfig};
use tidegate_ingest::sftp::HostKeys;
use tidegate_ingest::tls::TlsFiles;
use tidegate_notices::Templates;

use crate::config::{Config, Loaded};
use crate::render::{length, plural, size};

/// A certificate that is valid for less deserves a look: authorities renew at a month before the end.
const CERTIFICATE_MIN: TimeDelta = TimeDelta::days(14);

/// How a finding is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// Works, but somebody should have a look.
    Warning,
    /// Does not work.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    /// What was found.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) advice: Option<String>,
}

impl Finding {
    pub(crate) fn ok(what: impl Into<String>) -> Self {
        Self { level: Level::Ok, what: what.into(), advice: None }
    }

    pub(crate) fn warning(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Warning, what: what.into(), advice: Some(advice.into()) }
    }

    pub(crate) fn wrong(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Wrong, what: what.into(), advice: Some(advice.into()) }
    }
}

/// Everything about the machine that the configuration leans on.
pub(crate) fn examine(loaded: &Loaded) -> Vec<Finding> {
    let mut findings = data_dir(&loaded.config.data_dir);
    findings.extend(free_space(loaded));
    let ftp = loaded.config.ftp.as_ref();
    findings.extend(ftp.and_then(FtpConfig::tls_files).iter().flat_map(|files| certificate("ftp", files)));
    // That of FTP was looked at already.
    let own = loaded.config.web.as_ref().filter(|web| web.certificate.is_some());
    let own = own.and_then(|web| web.tls_files(None));
    findings.extend(own.iter().flat_map(|files| certificate("web", files)));
    findings.extend(host_keys(loaded));
    findings.extend(organizations(&loaded.orgs_dir(), &loaded.config));
    findings.extend(delivered(loaded));
    findings.extend(folders(loaded));
    findings.extend(templates(loaded));
    findings
}

/// Whether announcements can be written with the templates of staff, whatever happens to a window.
fn templates(loaded: &Loaded) -> Vec<Finding> {
    let Some(directory) = &loaded.config.notices.templates else { return Vec::new() };
    let errors = match Templates::load(&loaded.config.notices, loaded.channels()) {
        Ok(templates) => templates.check(),
        Err(errors) => errors,
    };
    if errors.is_empty() {
        return vec![Finding::ok(format!("templates of announcements in {}", directory.display()))];
    }
    let advice = "mend the file, or delete it to have the built-in template again";
    errors.iter().map(|error| Finding::wrong(format!("notices.templates: {error}"), advice)).collect()
}

/// Whether the doors can prove themselves, and for how long.
fn certificate(section: &str, files: &TlsFiles) -> Vec<Finding> {
    let shown = files.certificate.display();
    let mut findings = match files.load() {
        Err(problems) => problems
            .into_iter()
            .map(|(key, message)| {
                Finding::wrong(format!("{section}.{key}: {message}"), "mend the file, or name another")
            })
            .collect(),
        Ok(certificate) => vec![expiry(&shown.to_string(), certificate.expires_at)],
    };
    if files.key.metadata().is_ok_and(|key| key.mode() & 0o007 != 0) {
        let key = files.key.display();
        let what = format!("the private key {key} can be read by everybody on this machine");
        findings.push(Finding::warning(what, format!("chmod o= {key}")));
    }
    findings
}

fn expiry(certificate: &str, at: SystemTime) -> Finding {
    let left = DateTime::<Utc>::from(at) - DateTime::<Utc>::from(SystemTime::now());
    let advice = "put a new one in its place; the server takes it up by itself";
    if left < TimeDelta::zero() {
        Finding::wrong(format!("certificate {certificate} has expired: senders will refuse it"), advice)
    } else if left < CERTIFICATE_MIN {
        Finding::warning(format!("certificate {certificate} expires in {}", length(left)), advice)
    } else {
        Finding::ok(format!("certificate {certificate}, valid for {}", length(left)))
    }
}

fn folders(loaded: &Loaded) -> Vec<Finding> {
    let data_dir = loaded.config.data_dir.canonicalize().ok();
    let mut findings = Vec::new();
    let mut watched = BTreeSet::new();
    for folder in &loaded.config.folder {
        let responses = folder.responses.iter().map(|path| ("folder.responses", path));
        let directories = std::iter::once(("folder.path", &folder.path)).chain(responses);
        findings.extend(directories.map(|(key, path)| writable(key, path)));
        // Where links lead to, which the configuration by itself can't tell.
        let Ok(path) = folder.path.canonicalize() else { continue };
        let shown = folder.path.display();
        if data_dir.as_ref().is_some_and(|data_dir| path.starts_with(data_dir)) {
            let what = format!("{shown} (folder.path) lies in data_dir: the server would take its own files");
            findings.push(Finding::wrong(what, "use a directory elsewhere"));
        }
        if !watched.insert(path) {
            let what = format!("{shown} (folder.path) is the same directory as another [[folder]]'s");
            findings.push(Finding::wrong(what, "give each organization a directory of its own"));
        }
    }
    let is_watched = |path: &PathBuf| path.canonicalize().is_ok_and(|path| watched.contains(&path));
    for path in loaded.config.folder.iter().filter_map(|folder| folder.responses.as_ref()) {
        if is_watched(path) {
            let what =
                format!("{} (folder.responses) is watched: responses would be taken there", path.display());
            findings.push(Finding::wrong(what, "use a directory that is not watched"));
        }
    }
    findings
}

/// A directory that files are taken from or brought to: both need the right to change it.
fn writable(key: &str, path: &Path) -> Finding {
    use rustix::fs::{Access, access};
    let shown = path.display();
    if !path.is_dir() {
        return Finding::wrong(format!("{shown} ({key}) is no directory"), "make it, or change the path");
    }
    match access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::ok(format!("{shown} ({key})")),
        Err(error) => Finding::wrong(
            format!("{shown} ({key}): {error}"),
            format!("give the service's user the right to read and write: setfacl -m u:USER:rwx {shown}"),
        ),
    }
}

fn data_dir(path: &Path) -> Vec<Finding> {
    let shown = path.display();
    let found = match path.metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return vec![absent(path)],
        Err(error) => {
            let advice = format!("give the service's user access to {shown}, or change data_dir");
            return vec![Finding::wrong(format!("data directory {shown}: {error}"), advice)];
        }
    };
    if !found.is_dir() {
        let advice = "name a directory in data_dir".to_owned();
        return vec![Finding::wrong(format!("data directory {shown} is not a directory"), advice)];
    }
    let mut findings = Vec::new();
    findings.extend(foreign_owner(path));
    if found.mode() & 0o077 != 0 {
        let what = format!("data directory {shown} is open to other users: mode {:o}", found.mode() & 0o777);
        findings.push(Finding::wrong(what, format!("chmod 0700 {shown}")));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(format!("data directory {shown}")));
    }
    findings
}

fn absent(path: &Path) -> Finding {
    let shown = path.display();
    let parent = path.ancestors().skip(1).find(|parent| parent.exists()).unwrap_or(Path::new("/"));
    if rustix::fs::access(parent, rustix::fs::Access::WRITE_OK).is_ok() {
        return Finding::ok(format!("data directory {shown} is not there yet; `tidegate serve` makes it"));
    }
    Finding::wrong(
        format!("data directory {shown} is not there and {} may not be written", parent.display()),
        format!("as root: install -d -m 0700 -o USER {shown}, with the service's user for USER"),
    )
}

/// A finding if `path` belongs to another user than the one we are. Files that we would make there
/// could not be read by its owner, who is the service's user.
pub(crate) fn foreign_owner(path: &Path) -> Option<Finding> {
    let owner = path.metadata().ok().as_ref().map(Metadata::uid)?;
    let user = rustix::process::geteuid().as_raw();
    (owner != user).then(|| {
        Finding::wrong(
            format!("{} belongs to the user with number {owner}, and this is user {user}", path.display()),
            format!("run this as that user: sudo -u '#{owner}' tidegate ..."),
        )
    })
}

fn free_space(loaded: &Loaded) -> Option<Finding> {
    let path = loaded.config.data_dir.ancestors().find(|path| path.exists())?;
    let found = rustix::fs::statvfs(path).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let floor = loaded.config.limits.free_bytes_min.0;
    if free > floor.saturating_mul(2) {
        return Some(Finding::ok(format!("{} free for the data directory", size(free))));
    }
    let advice = "free some space, or lower limits.free_bytes_min".to_owned();
    let what =
        format!("{} free for the data directory; below {} uploads are refused", size(free), size(floor));
    Some(if free > floor { Finding::warning(what, advice) } else { Finding::wrong(what, advice) })
}

fn host_keys(loaded: &Loaded) -> Option<Finding> {
    let found = HostKeys::load(&loaded.config.sftp.as_ref()?.host_keys);
    Some(match found {
        Ok(keys) => Finding::ok(format!("SFTP host keys {}", keys.fingerprints().join(", "))),
        Err(error) => {
            let text = error.to_string();
            let (what, advice) = text.split_once('\n').unwrap_or((&text, "name others in sftp.host_keys"));
            Finding::wrong(what, advice)
        }
    })
}

/// An organization that is not there, or demands what a watched folder can't tell.
fn demands(folder: &FolderConfig, organizations: &OrgFolder) -> Option<Finding> {
    let path = folder.path.display();
    let Some((_, organization)) = organizations.find(&folder.org) else {
        let what = format!("nothing is taken from {path}: there is no organization {}", folder.org);
        return Some(Finding::wrong(what, format!("tidegate org add {}, or change folder.org", folder.org)));
    };
    let (code, completion) = (&organization.code, organization.completion);
    let what =
        format!("nothing is taken from {path}: {code} asks for a {completion}, which can't be told there");
    let advice = format!("tidegate org set {code} --completion close, or take the [[folder]] out");
    (!completion.is_default()).then(|| Finding::wrong(what, advice))
}

/// Passwords that count only with a certificate, where none can be shown.
fn bound_in_vain(organization: &Organization, ftp: Option<&FtpConfig>) -> Vec<Finding> {
    if ftp.is_some_and(|ftp| ftp.client_ca.is_some()) {
        return Vec::new();
    }
    let is_bound =
        |account: &&Account| !account.client_certificates.is_empty() && account.password_hash.is_some();
    let bound = organization.accounts.iter().filter(is_bound);
    let (code, advice) = (&organization.code, "name the authority of their certificates in ftp.client_ca");
    let what = |account: &Account| {
        format!(
            "{} of {code} can't log in by password: it is bound to a certificate, and none is asked for",
            account.name
        )
    };
    bound.map(|account| Finding::wrong(what(account), advice)).collect()
}

/// Where accepted messages go, if that is a directory and there already; the worker makes it otherwise.
fn delivered(loaded: &Loaded) -> Option<Finding> {
    let directory = loaded.config.delivery.directory(&loaded.config.data_dir)?;
    directory.exists().then(|| writable("delivery.path", &directory))
}

fn organizations(folder: &Path, config: &Config) -> Vec<Finding> {
    let found = load_folder(folder);
    let mut findings: Vec<Finding> = found
        .problems
        .iter()
        .map(|problem| Finding::wrong(problem.to_string(), "mend the file; the server takes it up by itself"))
        .collect();
    findings.extend(config.folder.iter().filter_map(|folder| demands(folder, &found)));
    let organizations = found.organizations.values();
    findings.extend(organizations.flat_map(|organization| bound_in_vain(organization, config.ftp.as_ref())));
    let orgs = found.organizations.len() as u64;
    let accounts = found.organizations.values().map(|organization| organization.accounts.len() as u64).sum();
    if orgs > 0 {
        findings.push(Finding::ok(format!(
            "{} with {} in {}",
            plural(orgs, "organization"),
            plural(accounts, "account"),
            folder.display()
        )));
    } else if findings.is_empty() {
        let what = format!("no organizations in {}: nobody can log in", folder.display());
        findings.push(Finding::warning(what, "add one: tidegate org add CODE --account NAME"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_spoken_of_before_its_end() {
        let levels = [-1, 13, 15].map(|days: i64| {
            let left = Utc::now() + TimeDelta::days(days) + TimeDelta::minutes(1);
            expiry("certificate.pem", left.into()).level
        });
        assert_eq!(levels, [Level::Wrong, Level::Warning, Level::Ok]);
        assert!(expiry("c", SystemTime::UNIX_EPOCH).what.contains("has expired"));
    }
}
