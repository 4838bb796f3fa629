//! The file-system calls that durability rests on, each in the one way in which tidegate uses it.
//!
//! Whatever keeps a promise writes, names, removes and syncs files through a [`Disk`]. A disk can be
//! *watched*: somebody hears of each [`Call`] before it is made and may let it fail or tear it, which
//! is how tests try every fault at every place. An unwatched disk costs nothing but a check for that.
//!
//! Looking at files (lengths, existence) needs no disk: it neither keeps nor breaks a promise.

mod call;
mod failed_sync;
#[cfg(feature = "faults")]
pub mod faults;
mod file;

use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{CWD, FallocateFlags, OFlags, RenameFlags, fallocate, renameat_with};

pub use call::{Call, Grant, Watch};
pub use failed_sync::is_failed_sync;
pub use file::DiskFile;

/// What direct writes begin at multiples of, in memory and in the file: the largest logical block of usual
/// disks.
pub const DIRECT_ALIGN_BYTES: usize = 4096;

/// The file system, perhaps watched; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    watch: Option<Arc<dyn Watch>>,
}

impl Disk {
    /// A disk whose calls `watch` hears of before they are made.
    pub fn watched(watch: Arc<dyn Watch>) -> Self {
        Self { watch: Some(watch) }
    }

    /// Creates a file that must not exist yet, for its owner only.
    pub fn create_new(&self, path: &Path) -> io::Result<DiskFile> {
        self.allow(&Call::Create(path))?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(DiskFile::new(self.clone(), path, file, 0))
    }

    /// Creates a file for its owner only; an older one of that name is emptied.
    pub fn create(&self, path: &Path) -> io::Result<DiskFile> {
        self.allow(&Call::Create(path))?;
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(DiskFile::new(self.clone(), path, file, 0))
    }

    /// Writes a whole file, replacing what is there. Not durable by itself.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.create(path)?.write_all(bytes)
    }

    /// Cuts a file to `len` bytes, durably.
    pub fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.allow(&Call::Open(path))?;
        let file = OpenOptions::new().write(true).open(path)?;
        let mut file = DiskFile::new(self.clone(), path, file, 0);
        file.set_len(len)?;
        file.sync_all()
    }

    /// Writes bytes over those that a file has at an offset; the others stay. Not durable by itself.
    pub fn overwrite(&self, path: &Path, at: u64, bytes: &[u8]) -> io::Result<DiskFile> {
        self.allow(&Call::Open(path))?;
        let file = OpenOptions::new().write(true).open(path)?;
        let mut file = DiskFile::new(self.clone(), path, file, at);
        file.write_all(bytes)?;
        Ok(file)
    }

    /// Opens for reading, never through a symbolic link.
    pub fn open_read(&self, path: &Path) -> io::Result<File> {
        self.allow(&Call::Open(path))?;
        OpenOptions::new().read(true).custom_flags(no_follow()).open(path)
    }

    /// Opens a file that somebody else writes to, for [`Self::reserve`] and [`Self::sync_data_of`]; never through
    /// a symbolic link.
    pub fn open_to_keep(&self, path: &Path) -> io::Result<File> {
        self.allow(&Call::Open(path))?;
        OpenOptions::new().write(true).custom_flags(no_follow()).open(path)
    }

    /// Sets room aside for a file from its start up to `len` bytes, whatever it has already, so that who writes
    /// there finds it on a full disk, too. Its length stays. Not every file system can: see
    /// [`io::ErrorKind::Unsupported`]. Without enough room a part of it may have been set aside.
    pub fn reserve(&self, path: &Path, file: &File, len: u64) -> io::Result<()> {
        self.allow(&Call::Reserve { path, len })?;
        Ok(fallocate(file, FallocateFlags::KEEP_SIZE, 0, len)?)
    }

    /// The entries of a directory, in no order.
    pub fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.allow(&Call::Open(path))?;
        fs::read_dir(path)?.collect()
    }

    /// Makes a directory and those above it for their owner only; that it is there already is fine. Not
    /// durable by itself.
    pub fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.allow(&Call::MakeDir(path))?;
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    /// Renames.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.allow(&Call::Rename { from, to })?;
        fs::rename(from, to)
    }

    /// Renames; that the source is gone already is fine if the target is there.
    pub fn rename_once(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && to.exists() => Ok(()),
            other => other,
        }
    }

    /// Exchanges the names of two files or directories, both at once.
    pub fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        self.allow(&Call::Exchange { one, other })?;
        Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }

    /// Gives a file a second name, in place of whatever has it; that it has it already is fine.
    pub fn link_once(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.link(from, to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !is_same(from, to)? => {
                self.remove_once(to)?;
                self.link(from, to)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    /// Gives a file a second name, which nothing may have.
    pub fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.allow(&Call::Link { from, to })?;
        fs::hard_link(from, to)
    }

    /// Removes a file.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        self.allow(&Call::Remove(path))?;
        fs::remove_file(path)
    }

    /// Removes a file; that it is gone already is fine.
    pub fn remove_once(&self, path: &Path) -> io::Result<()> {
        match self.remove(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Removes a directory with everything in it; that it is gone already is fine.
    pub fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.allow(&Call::Remove(path))?;
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Makes a directory's entries durable.
    pub fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.allow(&Call::Open(path))?;
        let directory = File::open(path)?;
        self.sync(&Call::Sync(path), || directory.sync_all())
    }

    /// Makes the bytes of a file durable that somebody else wrote to.
    pub fn sync_file(&self, path: &Path, file: &File) -> io::Result<()> {
        self.sync(&Call::Sync(path), || file.sync_all())
    }

    /// Makes the bytes of a file durable that somebody else wrote to, without properties that reading
    /// them does not need.
    pub fn sync_data_of(&self, path: &Path, file: &File) -> io::Result<()> {
        self.sync(&Call::Sync(path), || file.sync_data())
    }

    /// Makes everything durable that was written to the file system of `directory` before: one call
    /// for any number of files (`syncfs(2)`, which reports write errors since Linux 5.8).
    pub fn sync_all_of(&self, directory: &File) -> io::Result<()> {
        self.sync(&Call::SyncAll, || Ok(rustix::fs::syncfs(directory)?))
    }

    /// Bytes that an unprivileged process may still write to the file system of `path`.
    pub fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn is_watched(&self) -> bool {
        self.watch.is_some()
    }

    fn allow(&self, call: &Call<'_>) -> io::Result<()> {
        self.ask(call).map(drop)
    }

    /// Asks, syncs, and marks the error if it failed: see [`is_failed_sync`].
    fn sync(&self, call: &Call<'_>, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        match self.ask(call) {
            Ok(Grant::Pretence) => Ok(()),
            Ok(_) => sync().map_err(failed_sync::mark),
            Err(error) => Err(failed_sync::mark(error)),
        }
    }

    fn ask(&self, call: &Call<'_>) -> io::Result<Grant> {
        self.watch.as_ref().map_or(Ok(Grant::Whole), |watch| watch.before(call))
    }
}

fn no_follow() -> i32 {
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default()
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (fs::symlink_metadata(one)?, fs::symlink_metadata(other)?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}
