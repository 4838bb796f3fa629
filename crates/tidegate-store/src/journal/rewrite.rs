//! A segment that is written in place of others.

use std::io;
use std::path::{Path, PathBuf};

use tidegate_disk::{Disk, DiskFile};

use super::frame::{BATCH_BYTES_MAX, BatchBuilder};
use super::segment::Segment;
use crate::record::Entry;

const BATCH_BYTES: usize = BATCH_BYTES_MAX / 64;
/// What segments are called while they are rewritten.
pub(super) const SEALING: &str = "sealing.tmp";
pub(super) const COMPACTING: &str = "compacting.tmp";

/// Removes what a crash left of a rewriting: on a full disk it may be in the way of the next one.
pub(crate) fn remove_unfinished(disk: &Disk, directory: &Path) -> io::Result<()> {
    [SEALING, COMPACTING].iter().try_for_each(|name| disk.remove_once(&directory.join(name)))
}

/// Bytes after which they are made durable: small shares hold up nobody else's syncs for long.
const UNSYNCED_BYTES_MAX: u64 = 8 << 20;

/// Its file has another name until it is whole.
pub(super) struct Rewriting {
    disk: Disk,
    directory: PathBuf,
    temporary: PathBuf,
    segment: Segment,
    out: DiskFile,
    batch: BatchBuilder,
    synced: u64,
}

impl Rewriting {
    pub(super) fn begin(
        disk: &Disk,
        directory: &Path,
        temporary: &str,
        store_id: u64,
        segment: Segment,
    ) -> io::Result<Self> {
        let temporary = directory.join(temporary);
        let mut out = disk.create(&temporary)?;
        segment.write_header(&mut out, store_id)?;
        let (disk, directory) = (disk.clone(), directory.to_owned());
        Ok(Self { disk, directory, temporary, segment, out, batch: BatchBuilder::new(store_id), synced: 0 })
    }

    pub(super) fn push(&mut self, entry: &Entry) -> io::Result<()> {
        self.batch.push(entry, None).map_err(io::Error::other)?;
        if self.batch.body_len() > BATCH_BYTES { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> io::Result<()> {
        self.out.write_all(self.batch.finish())?;
        self.batch.clear();
        if self.out.position() - self.synced > UNSYNCED_BYTES_MAX {
            self.out.sync_data()?;
            self.synced = self.out.position();
        }
        Ok(())
    }

    /// Gives it its name, durably; its length in bytes. From here on it counts in place of the others.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        if self.batch.body_len() > 0 {
            self.write()?;
        }
        self.out.sync_all()?;
        self.disk.rename(&self.temporary, &self.segment.path)?;
        self.disk.sync_dir(&self.directory)?;
        Ok(self.out.position())
    }

    /// Drops what was written.
    pub(super) fn give_up(self) -> io::Result<()> {
        self.disk.remove(&self.temporary)
    }
}

impl Drop for Rewriting {
    /// On a disk that is full, what could not be finished must not stay.
    fn drop(&mut self) {
        drop(self.disk.remove_once(&self.temporary));
    }
}
