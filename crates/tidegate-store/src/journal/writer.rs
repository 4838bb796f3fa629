//! The end of the journal, where batches are appended.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::segment::Segment;
use crate::disk;

/// A segment that has grown to this many bytes is closed and a new one begun.
const SEGMENT_BYTES_MAX: u64 = 64 << 20;

/// Appends batches to the newest segment.
#[derive(Debug)]
pub(crate) struct Writer {
    directory: PathBuf,
    store_id: u64,
    segment: Segment,
    file: File,
    len: u64,
}

/// Why a batch was not appended.
#[derive(Debug)]
pub(crate) enum AppendError {
    /// Nothing of it is in the journal; the next batch may work.
    Refused(io::Error),
    /// It is unknown what is on the disk: nothing more may be appended by this process.
    Unknown(io::Error),
}

impl AppendError {
    /// The system's answer.
    pub(crate) fn into_inner(self) -> io::Error {
        match self {
            Self::Refused(error) | Self::Unknown(error) => error,
        }
    }
}

impl Writer {
    /// Begins a segment whose first change is `first_seq`.
    pub(crate) fn begin(directory: &Path, store_id: u64, first_seq: u64) -> Result<Self, AppendError> {
        let segment = Segment::new(directory, first_seq, false);
        let (file, len) = Self::create(&segment.path, store_id, first_seq).map_err(AppendError::Refused)?;
        file.sync_all().and_then(|()| disk::sync_dir(directory)).map_err(AppendError::Unknown)?;
        Ok(Self { directory: directory.to_owned(), store_id, segment, file, len })
    }

    fn create(path: &Path, store_id: u64, first_seq: u64) -> io::Result<(File, u64)> {
        let mut file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path)?;
        Segment::write_header(&mut file, store_id, first_seq)?;
        let len = file.stream_position()?;
        Ok((file, len))
    }

    /// The first change of the segment that is being written.
    pub(crate) fn first_seq(&self) -> u64 {
        self.segment.first_seq
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len >= SEGMENT_BYTES_MAX
    }

    /// Begins the next segment; returns the one that is now closed.
    pub(crate) fn roll(&mut self, first_seq: u64) -> Result<Segment, AppendError> {
        let next = Self::begin(&self.directory, self.store_id, first_seq)?;
        Ok(std::mem::replace(self, next).segment)
    }

    /// Appends a finished batch. `Ok` means that it is on stable storage.
    pub(crate) fn append(&mut self, batch: &[u8]) -> Result<(), AppendError> {
        if let Err(error) = self.file.write_all(batch) {
            return Err(self.take_back(error));
        }
        // A failed sync is never tried again: the kernel may have dropped the pages it could not write.
        self.file.sync_data().map_err(AppendError::Unknown)?;
        self.len += batch.len() as u64;
        Ok(())
    }

    fn take_back(&mut self, error: io::Error) -> AppendError {
        let cut = self.file.set_len(self.len).and_then(|()| self.file.seek(SeekFrom::Start(self.len)));
        if cut.is_ok() { AppendError::Refused(error) } else { AppendError::Unknown(error) }
    }
}
