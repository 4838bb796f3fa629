//! sled's database, and the one of them that is in use.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tidegate_disk::Disk;

use super::room::Room;
use crate::error::StoreError;

/// One sled database in a directory of its own.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) db: sled::Db,
    pub(super) tree: sled::Tree,
    pub(super) room: Room,
    /// Whether it lacks a change that it was to be given.
    lacks_something: AtomicBool,
    /// sled reaches its directory through this; so it goes last.
    home: File,
}

impl Database {
    /// Opens or creates it.
    ///
    /// sled keeps the path of its directory and looks for large values there whenever it needs one. The name
    /// may be another database's by then, so it is given the open directory for its path.
    pub(super) fn open(disk: &Disk, directory: &Path) -> Result<Self, StoreError> {
        let home = open_directory(disk, directory).map_err(sled::Error::Io)?;
        let path = path_of(&home);
        let path = if path.is_dir() { path } else { directory.to_owned() };
        // Without sled's own thread: on a full disk it would fail, and with it the store, though nobody wrote anything.
        let config = sled::Config::new().path(path).cache_capacity(32 << 20).flush_every_ms(None);
        let db = config.open()?;
        let tree = db.open_tree("queue")?;
        let room = Room::of(disk, &directory.join("db"))?;
        Ok(Self { db, tree, room, lacks_something: AtomicBool::new(false), home })
    }

    /// Whether its directory may be renamed while it is open: not where there is no `/proc`.
    pub(super) fn is_movable(&self) -> bool {
        path_of(&self.home).is_dir()
    }

    pub(super) fn note_lack(&self) {
        self.lacks_something.store(true, Ordering::Release);
    }
}

fn open_directory(disk: &Disk, directory: &Path) -> io::Result<File> {
    if !directory.exists() {
        disk.create_dir_all(directory)?;
    }
    File::open(directory)
}

fn path_of(home: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", home.as_raw_fd()))
}

/// The database in use, shared by the writer and all readers.
#[derive(Debug, Clone)]
pub(super) struct Stored(Arc<RwLock<Arc<Database>>>);

impl Stored {
    pub(super) fn new(database: Arc<Database>) -> Self {
        Self(Arc::new(RwLock::new(database)))
    }

    pub(super) fn now(&self) -> Arc<Database> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts `next` in the place of the one in use if `exchange`, which exchanges their names, succeeds. Nobody begins to use either meanwhile, so whoever could not give `next` a change has said so,
    /// or finds it in use.
    pub(super) fn put(
        &self,
        next: Arc<Database>,
        exchange: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<Former, StoreError> {
        let mut in_use = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if next.lacks_something.load(Ordering::Acquire) {
            return Err(StoreError::Index("the new one lacks a change".to_owned()));
        }
        exchange()?;
        in_use.room.exchange_names(&next.room);
        Ok(Former(std::mem::replace(&mut *in_use, next)))
    }
}

/// The database that was in use before. Its directory has to stay for as long as somebody reads it: sled opens
/// the file of a large value when it is asked for it.
#[derive(Debug)]
pub(crate) struct Former(Arc<Database>);

impl Former {
    /// Whether somebody began to before it was replaced, and has not ended. Nobody begins any more.
    pub(crate) fn is_read(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_lacks_a_change_is_not_put_in_use() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let open = |directory: &Path| Arc::new(Database::open(&Disk::default(), directory).unwrap());
        let (stored, next) = (Stored::new(open(one.path())), open(other.path()));
        next.note_lack();
        let was_in_use = stored.now();
        assert!(stored.put(next, || panic!("their names were exchanged")).is_err());
        assert!(Arc::ptr_eq(&stored.now(), &was_in_use));
    }
}
