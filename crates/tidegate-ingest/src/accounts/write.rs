//! Writes an organization's file, for the command line.
//!
//! Invariant: whoever reads the folder meanwhile, or after a power cut, finds the old file or the new
//! one, whole, readable by its owner only. What people wrote into a file stays as it is, comments too, but
//! for what is changed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tidegate_domain::Organization;

use super::edit::edited;

/// Why an organization's file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is one of that name.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// The organization has no form in TOML.
    #[error("the organization can't be written as TOML: {0}")]
    Form(#[from] toml::ser::Error),
    /// It is not written as the command line expects it, such as with accounts in one line.
    #[error("{0} is written in a way that can't be changed from here; change it in an editor")]
    Shape(PathBuf),
    /// The file system refused.
    #[error("{path} can't be written: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// Writes a new organization's file, `<CODE>.toml`, and returns its path. Blocks.
pub fn create_organization(folder: &Path, organization: &Organization) -> Result<PathBuf, WriteError> {
    let path = folder.join(format!("{}.toml", organization.code));
    write(&path, &toml::to_string_pretty(organization)?, |new, path| {
        // A link, unlike a rename, never replaces a file that somebody else made meanwhile.
        std::fs::hard_link(new, path)?;
        std::fs::remove_file(new)
    })?;
    Ok(path)
}

/// Changes an organization's file. Blocks.
pub(super) fn save_organization(path: &Path, organization: &Organization) -> Result<(), WriteError> {
    let before =
        std::fs::read_to_string(path).map_err(|source| WriteError::Io { path: path.to_owned(), source })?;
    let text = edited(&before, organization).ok_or_else(|| WriteError::Shape(path.to_owned()))?;
    write(path, &text, |new, path| std::fs::rename(new, path))
}

fn write(
    path: &Path,
    text: &str,
    publish: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> Result<(), WriteError> {
    let new = path.with_file_name(format!(".{}.new", std::process::id()));
    let written =
        write_synced(&new, text).and_then(|()| publish(&new, path)).and_then(|()| sync_parent(path));
    written.map_err(|source| {
        let _ = std::fs::remove_file(&new);
        if source.kind() == io::ErrorKind::AlreadyExists {
            return WriteError::Exists(path.to_owned());
        }
        WriteError::Io { path: path.to_owned(), source }
    })
}

fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    // Left over from a process of the same id that died.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tidegate_domain::{Account, OrgCode};

    use super::*;
    use crate::accounts::load_folder;

    fn organization() -> Organization {
        let account = Account { allow_from: vec!["10.0.0.0/8".to_owned()], ..Account::new("acme") };
        Organization {
            name: "Acme \"Family\" Clinic".to_owned(),
            timezone: Some(chrono_tz()),
            accounts: vec![account],
            ..Organization::new(OrgCode::new("ACME01").unwrap())
        }
    }

    fn chrono_tz() -> chrono_tz::Tz {
        chrono_tz::Tz::America__Chicago
    }

    #[test]
    fn what_is_written_is_read_back_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = create_organization(folder.path(), &organization()).unwrap();
        let read = load_folder(folder.path());
        assert_eq!(read.problems, []);
        assert_eq!(read.find(&organization().code), Some((path.as_path(), &organization())));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_new_organization_never_replaces_one_and_a_saved_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = create_organization(folder.path(), &organization()).unwrap();
        let again = create_organization(folder.path(), &organization());
        assert!(matches!(again, Err(WriteError::Exists(_))), "{again:?}");
        let changed = Organization { disabled: true, ..organization() };
        save_organization(&path, &changed).unwrap();
        assert_eq!(load_folder(folder.path()).organizations[&path], changed);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
