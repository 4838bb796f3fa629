//! Numbered steps from one layout of the data directory to the next.
//!
//! Invariant: a data directory has the number of its layout in the file `layout`, and this program
//! touches none whose number it does not know. Each step lives in a module of its own, with frozen
//! copies of whatever records it reads and writes, so that it means the same for ever.

mod m0001_initial;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tidegate_disk::Disk;

/// The layout that this program reads and writes.
pub const LAYOUT: u32 = 1;

/// One step: brings a data directory from the layout before to its own.
struct Step {
    to: u32,
    run: fn(&Disk, &Path) -> io::Result<()>,
}

const STEPS: &[Step] = &[Step { to: 1, run: m0001_initial::run }];

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
/// store. Each step is durable before its number is written. Returns the number that was found.
pub fn migrate(disk: &Disk, root: &Path) -> Result<u32, MigrationError> {
    let found = layout_of(root)?;
    if found > LAYOUT {
        return Err(MigrationError::Newer { path: root.to_owned(), found });
    }
    for step in STEPS.iter().filter(|step| step.to > found) {
        let failed = |source| MigrationError::Io { path: root.to_owned(), to: step.to, source };
        (step.run)(disk, root).and_then(|()| write_layout(disk, root, step.to)).map_err(failed)?;
    }
    Ok(found)
}

/// The number that a directory carries; 0 for an empty one.
fn layout_of(root: &Path) -> Result<u32, MigrationError> {
    let failed = |source| MigrationError::Io { path: root.to_owned(), to: LAYOUT, source };
    match fs::read_to_string(root.join("layout")) {
        Ok(text) => text.trim().parse().map_err(|_| MigrationError::Foreign { path: root.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if m0001_initial::may_begin(root).map_err(failed)? {
                Ok(0)
            } else {
                Err(MigrationError::Foreign { path: root.to_owned() })
            }
        }
        Err(error) => Err(failed(error)),
    }
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
        assert_eq!(migrate(&Disk::default(), root.path()).unwrap(), 0);
        assert_eq!(migrate(&Disk::default(), root.path()).unwrap(), LAYOUT);
        assert!(root.path().join("journal").is_dir());
    }

    #[test]
    fn a_first_start_that_was_cut_short_is_taken_up_again() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("journal")).unwrap();
        File::create(root.path().join("layout.tmp")).unwrap();
        assert_eq!(migrate(&Disk::default(), root.path()).unwrap(), 0);
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
        fs::write(root.path().join("layout"), "2\n").unwrap();
        assert!(matches!(
            migrate(&Disk::default(), root.path()),
            Err(MigrationError::Newer { found: 2, .. })
        ));
    }
}
