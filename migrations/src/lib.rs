//! Numbered steps from one layout of the data directory to the next.
//!
//! Invariant: a data directory has the number of its layout in the file `layout`, and this program
//! touches none whose number it does not know. Each step lives in a module of its own, with frozen
//! copies of whatever records it reads and writes, so that it means the same for ever. Before the first
//! step on a directory that is in use, the backup is made that leads back.

mod backup;
mod m0001_initial;
mod m0002_purges;
mod m0003_calls;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tidegate_disk::Disk;

/// The layout that this program reads and writes.
pub const LAYOUT: u32 = 3;

/// A file of this name, without `layout` beside it, marks a backup that did not come to its end.
pub const INCOMPLETE: &str = "incomplete-backup";

/// One step: brings a data directory from the layout before to its own.
struct Step {
    to: u32,
    run: fn(&Disk, &Path) -> io::Result<()>,
}

const STEPS: &[Step] = &[
    Step { to: 1, run: m0001_initial::run },
    Step { to: 2, run: m0002_purges::run },
    Step { to: 3, run: m0003_calls::run },
];

/// What [`migrate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The layout that was found; 0 for an empty directory.
    pub found: u32,
    /// The copy of what the steps may have changed; none if nothing had to be changed.
    pub backup: Option<PathBuf>,
}

/// Why a data directory can't be brought to the present layout.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// It was written by a later version.
    #[error(
        "{path} has layout {found}, but this version knows only up to {LAYOUT}: use the version that wrote it"
    )]
    Newer {
        /// The data directory.
        path: PathBuf,
        /// The number it carries.
        found: u32,
    },
    /// It is not empty, and no data directory either.
    #[error("{path} has files in it but no readable file `layout`: it is no data directory of tidegate")]
    Foreign {
        /// The directory.
        path: PathBuf,
    },
    /// It is a backup that did not come to its end.
    #[error("{path} is a backup that was interrupted, and not whole: use another one, and remove this one")]
    Incomplete {
        /// The directory.
        path: PathBuf,
    },
    /// There is no room for the copy that leads back.
    #[error(
        "{path} is of an older layout; before it is brought to layout {LAYOUT} its journal is copied, which \
         needs {needed} bytes of free space, but only {free} are free: make room, then start again"
    )]
    NoSpace {
        /// The data directory.
        path: PathBuf,
        /// Bytes that have to be free.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// A copy of an earlier attempt lies where the new one belongs.
    #[error(
        "{path} was made when the journal was another one: move it away, or delete it if you do not need \
         it, then start again"
    )]
    OtherBackup {
        /// The copy.
        path: PathBuf,
    },
    /// The file system refused the copy; nothing else was changed.
    #[error("making the copy {path} before the layout is changed: {source}")]
    Backup {
        /// The copy.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file system refused.
    #[error("bringing {path} to layout {to}: {source}")]
    Io {
        /// The data directory.
        path: PathBuf,
        /// The layout that was to be reached.
        to: u32,
        /// The system's answer.
        source: io::Error,
    },
}

/// Brings the data directory `root`, which must exist, to [`LAYOUT`]; an empty one becomes a new
/// store. Each step is durable before its number is written, and the backup is before the first step.
pub fn migrate(disk: &Disk, root: &Path) -> Result<Migrated, MigrationError> {
    let found = layout_of(root)?;
    let backup = if found > 0 && found < LAYOUT { Some(backup::make(disk, root, found)?) } else { None };
    for step in STEPS.iter().filter(|step| step.to > found) {
        let failed = |source| MigrationError::Io { path: root.to_owned(), to: step.to, source };
        (step.run)(disk, root).and_then(|()| write_layout(disk, root, step.to)).map_err(failed)?;
    }
    Ok(Migrated { found, backup })
}

/// The number that a directory carries, at most [`LAYOUT`]; 0 for an empty one. Changes nothing.
pub fn layout_of(root: &Path) -> Result<u32, MigrationError> {
    let failed = |source| MigrationError::Io { path: root.to_owned(), to: LAYOUT, source };
    let path = || root.to_owned();
    match fs::read_to_string(root.join("layout")) {
        Ok(text) => match text.trim().parse() {
            Ok(found) if found > LAYOUT => Err(MigrationError::Newer { path: path(), found }),
            Ok(found) => Ok(found),
            Err(_) => Err(MigrationError::Foreign { path: path() }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if root.join(INCOMPLETE).exists() {
                Err(MigrationError::Incomplete { path: path() })
            } else if m0001_initial::may_begin(root).map_err(failed)? {
                Ok(0)
            } else {
                Err(MigrationError::Foreign { path: path() })
            }
        }
        Err(error) => Err(failed(error)),
    }
}

/// Durably gives a directory that a copy was made in the number [`LAYOUT`].
pub fn mark(disk: &Disk, root: &Path) -> io::Result<()> {
    write_layout(disk, root, LAYOUT)
}

fn write_layout(disk: &Disk, root: &Path, number: u32) -> io::Result<()> {
    let temporary = root.join("layout.tmp");
    let mut file = disk.create(&temporary)?;
    file.write_all(format!("{number}\n").as_bytes())?;
    file.sync_all()?;
    disk.rename(&temporary, &root.join("layout"))?;
    disk.sync_dir(root)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn an_empty_directory_becomes_a_store_once() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(migrate(&Disk::default(), root.path()).unwrap(), Migrated { found: 0, backup: None });
        assert_eq!(migrate(&Disk::default(), root.path()).unwrap().found, LAYOUT);
        assert!(root.path().join("journal").is_dir());
    }

    #[test]
    fn a_first_start_that_was_cut_short_is_taken_up_again() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("journal")).unwrap();
        File::create(root.path().join("layout.tmp")).unwrap();
        assert_eq!(migrate(&Disk::default(), root.path()).unwrap().found, 0);
    }

    #[test]
    fn a_directory_of_something_else_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        File::create(root.path().join("thesis.txt")).unwrap();
        assert!(matches!(migrate(&Disk::default(), root.path()), Err(MigrationError::Foreign { .. })));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_later_layout_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let later = LAYOUT + 1;
        fs::write(root.path().join("layout"), format!("{later}\n")).unwrap();
        let refused = migrate(&Disk::default(), root.path());
        assert!(matches!(refused, Err(MigrationError::Newer { found, .. }) if found == later));
    }
}
