//! The copy that is made before a step changes a data directory: of everything that steps may change.
//!
//! Invariant: a directory `backup-layout-<n>` is whole and durable. While it is made it has another
//! name, and a start that broke off in between begins it anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tidegate_disk::Disk;

use crate::MigrationError;

/// Left free beside the copy.
const FREE_BYTES_MIN: u64 = 16 << 20;

/// Copies the journal and the number of layout `found`; the path of the copy.
pub(crate) fn make(disk: &Disk, root: &Path, found: u32) -> Result<PathBuf, MigrationError> {
    let made = root.join(format!("backup-layout-{found}"));
    let failed = |source| MigrationError::Backup { path: made.clone(), source };
    let segments = files(disk, &root.join("journal")).map_err(failed)?;
    if made.exists() {
        return check_is_of(disk, &made, &segments).map(|()| made.clone());
    }
    let needed = segments.iter().map(|(_, length)| length).sum::<u64>() + FREE_BYTES_MIN;
    let free = disk.free_bytes(root).map_err(failed)?;
    if free < needed {
        return Err(MigrationError::NoSpace { path: root.to_owned(), needed, free });
    }
    copy(disk, root, &made, &segments).map_err(failed)?;
    Ok(made)
}

/// A start that broke off left the copy, unless it was made of another state of the journal.
fn check_is_of(disk: &Disk, made: &Path, segments: &[(PathBuf, u64)]) -> Result<(), MigrationError> {
    let failed = |source| MigrationError::Backup { path: made.to_owned(), source };
    let names = |files: &[(PathBuf, u64)]| -> Vec<_> {
        files.iter().map(|(path, length)| (path.file_name().map(ToOwned::to_owned), *length)).collect()
    };
    let copied = files(disk, &made.join("journal")).map_err(failed)?;
    if names(&copied) == names(segments) {
        Ok(())
    } else {
        Err(MigrationError::OtherBackup { path: made.to_owned() })
    }
}

fn copy(disk: &Disk, root: &Path, made: &Path, segments: &[(PathBuf, u64)]) -> io::Result<()> {
    let part = made.with_extension("part");
    disk.remove_dir_all(&part)?;
    let journal = part.join("journal");
    disk.create_dir_all(&journal)?;
    for (segment, _) in segments {
        copy_file(disk, segment, &journal)?;
    }
    copy_file(disk, &root.join("layout"), &part)?;
    disk.sync_dir(&journal)?;
    disk.sync_dir(&part)?;
    disk.rename(&part, made)?;
    disk.sync_dir(root)
}

fn copy_file(disk: &Disk, from: &Path, into: &Path) -> io::Result<()> {
    let to = into.join(from.file_name().unwrap_or_default());
    let mut copy = disk.create_new(&to)?;
    copy.write_from(&mut disk.open_read(from)?)?;
    copy.sync_all()
}

/// The files of a directory with their lengths, by name.
fn files(disk: &Disk, directory: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in disk.list(directory)? {
        let path = entry.path();
        let length = fs::symlink_metadata(&path)?.len();
        files.push((path, length));
    }
    files.sort();
    Ok(files)
}
