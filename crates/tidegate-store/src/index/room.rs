//! Room on the disk for what sled is going to write.
//!
//! sled keeps the first error of a write for ever, so an index that met a full disk once is of no use to its
//! process any more. Therefore room is set aside for its file before it is given anything; while there is none it
//! is given nothing, and what it lacks stays in memory and in the journal.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;
use tidegate_disk::Disk;

use crate::error::StoreError;

/// Bytes that sled writes for each byte of a batch: at most 6.0 were seen, of pairs of 150 bytes that lay all
/// over a tree of 200,000 and of new ones behind each other.
const BYTES_PER_BYTE: u64 = 8;
/// For what it writes besides: four of its segments.
const BATCH_BYTES: u64 = 2 << 20;
/// For ending a segment and beginning the next, to make durable what it was given.
const SYNC_BYTES: u64 = 1 << 20;
/// More than is needed is set aside, so that this is not asked for each time.
const AHEAD_BYTES: u64 = 2 << 20;
/// Unit of `st_blocks`, whatever the blocks of the file system (stat(2)).
const BLOCK_BYTES: u64 = 512;

/// What is set aside for sled's file.
#[derive(Debug)]
pub(super) struct Room {
    disk: Disk,
    path: Mutex<PathBuf>,
    file: File,
}

impl Room {
    /// For sled's file at `path`.
    pub(super) fn of(disk: &Disk, path: &Path) -> Result<Self, StoreError> {
        let file = disk.open_to_keep(path).map_err(StoreError::file("opening the index's file"))?;
        Ok(Self { disk: disk.clone(), path: Mutex::new(path.to_owned()), file })
    }

    /// Their files have each other's names by now.
    pub(super) fn exchange_names(&self, other: &Self) {
        let (one, two) = (self.path(), other.path());
        *self.path.lock().unwrap_or_else(PoisonError::into_inner) = two;
        *other.path.lock().unwrap_or_else(PoisonError::into_inner) = one;
    }

    fn path(&self) -> PathBuf {
        self.path.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether sled may be given a batch of so many bytes.
    pub(super) fn has_for_batch(&self, bytes: u64) -> bool {
        self.has(bytes.saturating_mul(BYTES_PER_BYTE).saturating_add(BATCH_BYTES))
    }

    /// Whether sled may make durable what it was given.
    pub(super) fn has_for_sync(&self) -> bool {
        self.has(SYNC_BYTES)
    }

    /// Whether so many bytes find room behind the file's end. Where none can be set aside, or nobody can tell,
    /// sled has to find out by itself.
    fn has(&self, bytes: u64) -> bool {
        let Ok(metadata) = self.file.metadata() else { return true };
        let (end, has_bytes) = (metadata.len().saturating_add(bytes), metadata.blocks() * BLOCK_BYTES);
        if has_bytes >= end {
            return true;
        }
        let (path, end) = (self.path(), end + AHEAD_BYTES);
        // An attempt in vain would take the last blocks from everybody else.
        if self.disk.free_bytes(&path).is_ok_and(|free| free < end - has_bytes) {
            return false;
        }
        let reserved = self.disk.reserve(&path, &self.file, end);
        !reserved.is_err_and(|error| {
            [Errno::NOSPC, Errno::DQUOT].into_iter().any(|full| Errno::from_io_error(&error) == Some(full))
        })
    }

    /// Makes the file durable, whoever wrote to it.
    pub(super) fn sync_file(&self) -> Result<(), StoreError> {
        self.disk.sync_data_of(&self.path(), &self.file).map_err(StoreError::io("syncing the index"))
    }
}
