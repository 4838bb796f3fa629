//! The end of the journal, where batches are appended.

use std::io;
use std::path::{Path, PathBuf};

use tidegate_disk::{Disk, DiskFile};

use super::segment::Segment;

/// Zeros are written ahead of the batches, at first so many bytes, then as many again as there are, up to
/// a limit: the sync of a batch over them has no new length or extents to write, which takes about half
/// the time. They end with the segment.
const AHEAD_BYTES_MIN: u64 = 128 << 10;
const AHEAD_BYTES_MAX: u64 = 8 << 20;

/// Appends batches to the newest segment.
#[derive(Debug)]
pub(crate) struct Writer {
    disk: Disk,
    directory: PathBuf,
    store_id: u64,
    segment: Segment,
    file: DiskFile,
    /// Where the zeros end.
    filled_to: u64,
    /// Whether nothing more may be appended to the segment, however short it is.
    is_ended: bool,
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
    fn of(error: io::Error) -> Self {
        if tidegate_disk::is_failed_sync(&error) { Self::Unknown(error) } else { Self::Refused(error) }
    }

    /// The system's answer.
    pub(crate) fn into_inner(self) -> io::Error {
        match self {
            Self::Refused(error) | Self::Unknown(error) => error,
        }
    }
}

impl Writer {
    /// Begins a segment whose first change is `first_seq`.
    pub(crate) fn begin(
        disk: &Disk,
        directory: &Path,
        store_id: u64,
        first_seq: u64,
    ) -> Result<Self, AppendError> {
        let segment = Segment::new(directory, first_seq, false);
        let file = Self::create(disk, &segment, store_id).map_err(AppendError::Refused)?;
        file.sync_all().and_then(|()| disk.sync_dir(directory)).map_err(AppendError::of)?;
        Ok(Self {
            disk: disk.clone(),
            directory: directory.to_owned(),
            store_id,
            segment,
            filled_to: file.position(),
            file,
            is_ended: false,
        })
    }

    fn create(disk: &Disk, segment: &Segment, store_id: u64) -> io::Result<DiskFile> {
        let mut file = disk.create(&segment.path)?;
        segment.write_header(&mut file, store_id)?;
        Ok(file)
    }

    /// The first change of the segment that is being written.
    pub(crate) fn first_seq(&self) -> u64 {
        self.segment.first_seq
    }

    /// Whether it has grown to `bytes_max`, or was ended.
    pub(crate) fn is_full(&self, bytes_max: u64) -> bool {
        self.is_ended || self.file.position() >= bytes_max
    }

    /// Ends the segment: what comes next goes to another one, which [`Self::roll`] begins.
    pub(crate) fn end_segment(&mut self) {
        self.is_ended = true;
    }

    /// Begins the next segment; returns the one that is now closed.
    pub(crate) fn roll(&mut self, first_seq: u64) -> Result<Segment, AppendError> {
        let next = Self::begin(&self.disk, &self.directory, self.store_id, first_seq)?;
        let mut full = std::mem::replace(self, next);
        full.end();
        Ok(full.segment)
    }

    /// Cuts off the zeros that nothing was written over. If that fails they stay, which costs space only.
    pub(crate) fn end(&mut self) {
        if let Err(error) = self.file.set_len(self.file.position()) {
            tracing::debug!(%error, "zeros behind a journal segment stay");
        }
    }

    /// Appends a finished batch. `Ok` means that it is on stable storage.
    pub(crate) fn append(&mut self, batch: &[u8]) -> Result<(), AppendError> {
        let end = self.file.position() + batch.len() as u64;
        if let Err(error) = self.fill_ahead(end).and_then(|()| self.file.write_all(batch)) {
            return Err(self.take_back(error));
        }
        // A failed sync is never tried again: the kernel may have dropped the pages it could not write.
        self.file.sync_data().map_err(AppendError::Unknown)
    }

    fn fill_ahead(&mut self, end: u64) -> io::Result<()> {
        if end > self.filled_to {
            let filled_to = end + self.filled_to.clamp(AHEAD_BYTES_MIN, AHEAD_BYTES_MAX);
            self.file.fill_zeros(filled_to)?;
            self.filled_to = filled_to;
        }
        Ok(())
    }

    fn take_back(&mut self, error: io::Error) -> AppendError {
        let cut = self.file.set_len(self.file.position());
        self.filled_to = self.file.position();
        if cut.is_ok() { AppendError::Refused(error) } else { AppendError::Unknown(error) }
    }
}
