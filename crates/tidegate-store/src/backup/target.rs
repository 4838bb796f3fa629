//! The directory that a backup is made in.
//!
//! Invariant: from the first file on there is a note in it that it is not whole; `layout` is written
//! when all else is durable. Nothing but what was made here is ever written to or removed.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tidegate_disk::Disk;

use super::BackupError;
use crate::core::Core;
use crate::layout::Layout;

/// Copied bytes after which they are made durable: small shares hold up nobody else's syncs for long.
const UNSYNCED_BYTES_MAX: u64 = 64 << 20;
const NOTE: &[u8] =
    b"This backup is not whole: it is being made, or was interrupted. Nothing can be restored from it.\n";
/// Made by the file system itself.
const TOLERATED: &str = "lost+found";

/// A directory that a backup is being made in.
#[derive(Debug)]
pub(super) struct Target {
    disk: Disk,
    pub(super) layout: Layout,
    directory: File,
    /// Bytes that stay free, where uploads need them too.
    free_bytes_min: u64,
    pub(super) files: u64,
    pub(super) bytes: u64,
    unsynced_bytes: u64,
}

impl Target {
    /// Makes the directory, or takes an empty one, and notes in it that it is not whole.
    pub(super) fn prepare(core: &Core, path: &Path) -> Result<Self, BackupError> {
        let disk = core.disk().clone();
        let path = resolve(path)?;
        if path.starts_with(fs::canonicalize(core.layout.root()).unwrap_or_default()) {
            return Err(BackupError::Inside { path });
        }
        make(&path)?;
        let failed = |doing| BackupError::target(doing, &path);
        let layout = Layout::new(&path);
        let mut note = disk.create_new(&layout.incomplete()).map_err(failed("writing into"))?;
        let noted = note.write_all(NOTE).and_then(|()| note.sync_all()).and_then(|()| disk.sync_dir(&path));
        noted.map_err(failed("writing into"))?;
        for directory in [layout.journal(), layout.orgs(), layout.queue(), layout.uploads()] {
            disk.create_dir_all(&directory).map_err(failed("creating a directory in"))?;
        }
        let directory = File::open(&path).map_err(failed("opening"))?;
        let device = |file: &File| file.metadata().map(|metadata| metadata.dev());
        let shares_disk = device(&directory).ok() == device(&core.directory).ok();
        let free_bytes_min = if shares_disk { core.options.free_bytes_min } else { 0 };
        Ok(Self { disk, layout, directory, free_bytes_min, files: 0, bytes: 0, unsynced_bytes: 0 })
    }

    /// Copies all that is left of `from` to the new file `to`.
    pub(super) fn copy(&mut self, from: &mut File, to: &Path) -> Result<(), BackupError> {
        let root = self.layout.root();
        let failed = || BackupError::target("writing into", root);
        if self.disk.free_bytes(root).map_err(failed())? < self.free_bytes_min {
            return Err(BackupError::NoSpace { path: root.to_owned() });
        }
        let mut copy = self.disk.create_new(to).map_err(failed())?;
        let length = copy.write_from(from).map_err(failed())?;
        self.files += 1;
        self.bytes += length;
        self.unsynced_bytes += length;
        if self.unsynced_bytes >= UNSYNCED_BYTES_MAX {
            self.sync()?;
        }
        Ok(())
    }

    /// Takes a copy back.
    pub(super) fn remove(&mut self, copy: &Path) -> Result<(), BackupError> {
        let failed = BackupError::target("writing into", self.layout.root());
        let length = fs::symlink_metadata(copy).map_or(0, |metadata| metadata.len());
        self.disk.remove(copy).map_err(failed)?;
        self.files -= 1;
        self.bytes = self.bytes.saturating_sub(length);
        Ok(())
    }

    pub(super) fn make_dir(&self, directory: &Path) -> Result<(), BackupError> {
        let failed = BackupError::target("creating a directory in", self.layout.root());
        self.disk.create_dir_all(directory).map_err(failed)
    }

    /// Everything is there: makes it durable, then gives it the number that a start looks for.
    pub(super) fn finish(&mut self) -> Result<(), BackupError> {
        self.sync()?;
        let root = self.layout.root();
        let marked = tidegate_migrations::mark(&self.disk, root)
            .and_then(|()| self.disk.remove(&self.layout.incomplete()))
            .and_then(|()| self.disk.sync_dir(root))
            .and_then(|()| root.parent().map_or(Ok(()), |parent| self.disk.sync_dir(parent)));
        marked.map_err(BackupError::target("writing into", root))
    }

    fn sync(&mut self) -> Result<(), BackupError> {
        self.unsynced_bytes = 0;
        let failed = BackupError::target("syncing", self.layout.root());
        self.disk.sync_all_of(&self.directory).map_err(failed)
    }
}

/// The path without links and dots, for a comparison with the data directory's.
fn resolve(path: &Path) -> Result<PathBuf, BackupError> {
    let refused = |source| BackupError::target("looking for", path)(source);
    if !path.is_absolute() {
        return Err(refused(io::Error::other("name it with its whole path, from / on")));
    }
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                return Err(refused(error));
            };
            let parent_failed = BackupError::target("looking for the directory", parent);
            Ok(fs::canonicalize(parent).map_err(parent_failed)?.join(name))
        }
        other => other.map_err(refused),
    }
}

fn make(path: &Path) -> Result<(), BackupError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => take(path),
        other => other.map_err(BackupError::target("creating", path)),
    }
}

fn take(path: &Path) -> Result<(), BackupError> {
    let failed = || BackupError::target("taking", path);
    if path.join(tidegate_migrations::INCOMPLETE).exists() && !path.join("layout").exists() {
        return Err(BackupError::Rest { path: path.to_owned() });
    }
    for entry in fs::read_dir(path).map_err(failed())? {
        if entry.map_err(failed())?.file_name() != TOLERATED {
            return Err(BackupError::NotEmpty { path: path.to_owned() });
        }
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed())
}
