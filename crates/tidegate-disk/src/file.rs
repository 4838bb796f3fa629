//! A file that is being written.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, OFlags, fcntl_getfl, fcntl_setfl};

use crate::{Call, Disk, Grant};

/// Zeros that are written at once.
const ZEROS_BYTES: usize = 1 << 20;

/// A file that is written from its start on, under the name by which it was opened.
#[derive(Debug)]
pub struct DiskFile {
    disk: Disk,
    path: PathBuf,
    file: File,
    at: u64,
    way: Way,
}

/// Which way written bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Through the page cache.
    Cache,
    /// Past it.
    Direct,
    /// Through the page cache, since the file system takes no others.
    CacheOnly,
}

impl DiskFile {
    pub(crate) fn new(disk: Disk, path: &Path, file: File, at: u64) -> Self {
        Self { disk, path: path.to_owned(), file, at, way: Way::Cache }
    }

    /// Where the next byte goes, in bytes from the start.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Writes all bytes. After an error some of them may have been written; the next write begins at the
    /// same place.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.way == Way::Direct {
            self.leave_direct(Way::Cache)?;
        }
        self.put(bytes)
    }

    /// Writes all bytes, past the page cache where the file system lets us: no copy of them is made, and
    /// a later sync has little to do. That needs whole blocks: bytes that begin in memory and in the file
    /// at a multiple of [`DIRECT_ALIGN_BYTES`](crate::DIRECT_ALIGN_BYTES) and are a multiple of it long.
    /// Others are written, too, but through the cache. After an error some may have been written.
    pub fn write_direct(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.way == Way::Cache {
            self.way = if self.enter_direct()? { Way::Direct } else { Way::CacheOnly };
        }
        if self.way == Way::Direct {
            match self.put(bytes) {
                // Some file systems say only here that they can't.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    self.leave_direct(Way::CacheOnly)?;
                }
                other => return other,
            }
        }
        let at = self.at;
        self.put(bytes)?;
        // Begins to write them to the disk, or else the last sync would have to wait for all. It is only
        // advice, and nothing is lost with it.
        let _ = rustix::fs::fadvise(&self.file, at, NonZeroU64::new(bytes.len() as u64), Advice::DontNeed);
        Ok(())
    }

    /// Whether the file system lets us.
    fn enter_direct(&self) -> io::Result<bool> {
        let allowed = self.disk.allow(&Call::Open(&self.path));
        match allowed.and_then(|()| Ok(fcntl_setfl(&self.file, fcntl_getfl(&self.file)? | OFlags::DIRECT)?)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn leave_direct(&mut self, way: Way) -> io::Result<()> {
        self.way = way;
        self.set_cached()
    }

    fn set_cached(&self) -> io::Result<()> {
        Ok(fcntl_setfl(&self.file, fcntl_getfl(&self.file)? - OFlags::DIRECT)?)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_at(bytes, self.at)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        match self.disk.ask(&Call::Write { path: &self.path, at, bytes })? {
            Grant::Bytes(count) => {
                // A part need not be whole blocks.
                self.set_cached()?;
                self.file.write_all_at(bytes.get(..count).unwrap_or(bytes), at)?;
                Err(io::ErrorKind::StorageFull.into())
            }
            Grant::Whole | Grant::Pretence => self.file.write_all_at(bytes, at),
        }
    }

    /// Writes all that is left of `source`, sharing its blocks where the file system can; how many bytes
    /// that was. After an error some of them may have been written. Who watches hears of the bytes.
    pub fn write_from(&mut self, source: &mut File) -> io::Result<u64> {
        if self.disk.is_watched() {
            let mut bytes = Vec::new();
            source.read_to_end(&mut bytes)?;
            self.write_all(&bytes)?;
            return Ok(bytes.len() as u64);
        }
        self.file.seek(SeekFrom::Start(self.at))?;
        let count = io::copy(source, &mut self.file)?;
        self.at += count;
        Ok(count)
    }

    /// Writes zeros behind the present place up to `end`, without moving it: what is written there later
    /// replaces bytes that the file has already, so that syncing it needs no change of the file's length
    /// or extents. After an error some of them may have been written.
    pub fn fill_zeros(&mut self, end: u64) -> io::Result<()> {
        let zeros = vec![0; ZEROS_BYTES];
        let mut at = self.at;
        while at < end {
            let part = zeros.get(..usize::try_from(end - at).unwrap_or(ZEROS_BYTES)).unwrap_or(&zeros);
            self.write_at(part, at)?;
            at += part.len() as u64;
        }
        Ok(())
    }

    /// Cuts or fills with zeros to `len` bytes; what is written next goes to the end.
    pub fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.disk.allow(&Call::Cut { path: &self.path, len })?;
        self.file.set_len(len)?;
        self.at = len;
        Ok(())
    }

    /// Makes the bytes durable, and of the file's properties what is needed to read them.
    pub fn sync_data(&self) -> io::Result<()> {
        self.disk.sync(&Call::Sync(&self.path), || self.file.sync_data())
    }

    /// Makes the bytes and all properties durable.
    pub fn sync_all(&self) -> io::Result<()> {
        self.disk.sync(&Call::Sync(&self.path), || self.file.sync_all())
    }
}
