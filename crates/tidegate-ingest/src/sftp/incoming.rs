//! An upload while its writes come in.
//!
//! Invariant: the store is given the file from its first byte to its last, each byte once, or nothing: a write
//! that can't be put in its place is refused at once, and so is the CLOSE of a file with a hole in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_domain::UploadName;
use tidegate_store::Upload;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::session::RunningUpload;
use crate::storage::TransferError;

/// What even the smallest early write counts: keeping it costs memory, too.
const EARLY_BYTES_MIN: usize = 1024;

/// An upload that is open.
pub(super) struct Incoming {
    name: UploadName,
    /// `None` once a write was refused.
    upload: Option<Upload>,
    /// Writes whose turn has not come, by offset. Clients that send several at once may mix up their order.
    early: BTreeMap<u64, Early>,
    bytes_max: u64,
    running: RunningUpload,
}

struct Early {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl Incoming {
    pub(super) fn new(upload: Upload, name: UploadName, bytes_max: u64, running: RunningUpload) -> Self {
        Self { name, upload: Some(upload), early: BTreeMap::new(), bytes_max, running }
    }

    /// Bytes that are in their place.
    pub(super) fn size_bytes(&self) -> u64 {
        self.upload.as_ref().map_or(0, Upload::size_bytes)
    }

    /// Puts bytes in their place, or keeps them until those in front of them have come. After a refusal
    /// nothing more is taken.
    pub(super) async fn write(
        &mut self,
        offset: u64,
        bytes: &[u8],
        early_room: &Arc<Semaphore>,
    ) -> Result<(), TransferError> {
        let mut upload = self.upload.take().ok_or(TransferError::Broken)?;
        self.put(&mut upload, offset, bytes, early_room).await.inspect_err(|_| self.early.clear())?;
        self.upload = Some(upload);
        Ok(())
    }

    async fn put(
        &mut self,
        upload: &mut Upload,
        offset: u64,
        bytes: &[u8],
        early_room: &Arc<Semaphore>,
    ) -> Result<(), TransferError> {
        if offset.saturating_add(bytes.len() as u64) > self.bytes_max {
            return Err(TransferError::TooLarge);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        if offset > upload.size_bytes() {
            return self.keep(offset, bytes, early_room);
        }
        if offset < upload.size_bytes() {
            return Err(TransferError::OutOfOrder);
        }
        upload.write(bytes).await?;
        self.catch_up(upload).await
    }

    fn keep(&mut self, offset: u64, bytes: &[u8], room: &Arc<Semaphore>) -> Result<(), TransferError> {
        let count = u32::try_from(bytes.len().max(EARLY_BYTES_MIN)).map_err(|_| TransferError::OutOfOrder)?;
        let room = Arc::clone(room).try_acquire_many_owned(count).map_err(|_| TransferError::OutOfOrder)?;
        let early = Early { bytes: bytes.to_vec(), _room: room };
        if self.early.insert(offset, early).is_some() { Err(TransferError::OutOfOrder) } else { Ok(()) }
    }

    /// Writes what was waiting for the bytes that have just come.
    async fn catch_up(&mut self, upload: &mut Upload) -> Result<(), TransferError> {
        while let Some(first) = self.early.first_entry() {
            if *first.key() > upload.size_bytes() {
                break;
            }
            if *first.key() < upload.size_bytes() {
                return Err(TransferError::OutOfOrder);
            }
            let early = first.remove();
            upload.write(&early.bytes).await?;
        }
        Ok(())
    }

    /// The upload, if all of it is there.
    pub(super) fn into_whole(self) -> Result<(Upload, UploadName, RunningUpload), TransferError> {
        let upload = self.upload.ok_or(TransferError::Broken)?;
        if !self.early.is_empty() {
            return Err(TransferError::Hole);
        }
        Ok((upload, self.name, self.running))
    }
}
