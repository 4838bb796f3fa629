//! An upload while its writes come in.
//!
//! Invariant: the store is given the file from its first byte to its last, each byte once, or nothing: a write
//! that can't be put in its place is refused at once, and so is the CLOSE of a file with a hole in it. What is
//! there already of a file that is opened without being truncated stays in front of what is written behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_domain::UploadName;
use tidegate_store::Upload;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument as _;

use super::handles::Bounds;
use crate::session::{RunningUpload, SessionUser};
use crate::storage::{InboxStorage, TransferError};

/// What even the smallest early write counts: keeping it costs memory, too.
const EARLY_BYTES_MIN: usize = 1024;

/// An upload that is open. One that is dropped before its CLOSE broke off, and what came of it is kept.
pub(super) struct Incoming {
    storage: InboxStorage,
    user: Arc<SessionUser>,
    name: UploadName,
    /// `None` once a write was refused.
    upload: Option<Upload>,
    /// What there is to go on with, until the first write tells whether it does.
    begun: Option<Begun>,
    /// What the client's offsets lack.
    skipped_bytes: u64,
    /// Writes whose turn has not come, by offset. Clients that send several at once may mix up their order.
    early: BTreeMap<u64, Early>,
    bounds: Bounds,
    running: Option<RunningUpload>,
}

/// What there was of an upload when it was opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub(super) size_bytes: u64,
    /// Whether everything is to be written to its end.
    pub(super) is_appended_to: bool,
}

struct Early {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl Incoming {
    pub(super) fn new(
        (storage, user): (InboxStorage, Arc<SessionUser>),
        upload: Upload,
        name: UploadName,
        begun: Option<Begun>,
        bounds: Bounds,
        running: RunningUpload,
    ) -> Self {
        let (upload, running, early) = (Some(upload), Some(running), BTreeMap::new());
        Self { storage, user, name, upload, begun, skipped_bytes: 0, early, bounds, running }
    }

    pub(super) fn is_named(&self, name: &[u8]) -> bool {
        self.name.as_bytes() == name
    }

    /// Bytes that are in their place.
    pub(super) fn size_bytes(&self) -> u64 {
        let came = || self.upload.as_ref().map_or(0, Upload::size_bytes);
        self.begun.map_or_else(came, |begun| begun.size_bytes)
    }

    /// Whether it may be said to have so many bytes: those that it has, or none before the first write, which
    /// then begins it anew.
    pub(super) fn set_size(&mut self, size_bytes: u64) -> bool {
        let is_emptied = size_bytes == 0 && self.begun.take().is_some();
        is_emptied || size_bytes == self.size_bytes()
    }

    /// Puts bytes in their place, or keeps them until those in front of them have come. After a refusal
    /// nothing more is taken.
    pub(super) async fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), TransferError> {
        let mut upload = self.upload.take().ok_or(TransferError::Broken)?;
        if let Err(reason) = self.put(&mut upload, offset, bytes).await {
            self.early.clear();
            self.running = None;
            return Err(reason);
        }
        self.bounds.progress.came(bytes.len());
        self.upload = Some(upload);
        Ok(())
    }

    async fn put(&mut self, upload: &mut Upload, offset: u64, bytes: &[u8]) -> Result<(), TransferError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let begun = self.begun.take();
        // The protocol has no use for the offsets of a file that is appended to: some clients begin with 0.
        if let Some(Begun { size_bytes, is_appended_to: true }) = begun
            && offset == 0
        {
            self.skipped_bytes = size_bytes;
        }
        let offset = offset.saturating_add(self.skipped_bytes);
        if offset.saturating_add(bytes.len() as u64) > self.storage.upload_bytes_max(&self.user) {
            return Err(TransferError::TooLarge);
        }
        if begun.is_some() && offset > 0 {
            *upload = self.storage.go_on(&self.user, &self.name, offset).await?;
        }
        if offset > upload.size_bytes() {
            return self.keep(offset, bytes);
        }
        if offset < upload.size_bytes() {
            return Err(TransferError::OutOfOrder);
        }
        upload.write(bytes).await?;
        self.catch_up(upload).await
    }

    fn keep(&mut self, offset: u64, bytes: &[u8]) -> Result<(), TransferError> {
        let room = Arc::clone(&self.bounds.early_bytes);
        let count = u32::try_from(bytes.len().max(EARLY_BYTES_MIN)).map_err(|_| TransferError::OutOfOrder)?;
        let room = room.try_acquire_many_owned(count).map_err(|_| TransferError::OutOfOrder)?;
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

    /// The upload, if all of it is there. Where nothing was written to it, that is what was there before.
    pub(super) async fn into_whole(mut self) -> Result<(Upload, UploadName, RunningUpload), TransferError> {
        let (mut upload, running) =
            self.upload.take().zip(self.running.take()).ok_or(TransferError::Broken)?;
        if !self.early.is_empty() {
            return Err(TransferError::Hole);
        }
        if let Some(begun) = self.begun {
            upload = self.storage.go_on(&self.user, &self.name, begun.size_bytes).await?;
        }
        Ok((upload, self.name.clone(), running))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Where a write was refused, that was noted.
        let Some(upload) = self.upload.take() else { return };
        // russh drops it wherever it likes.
        let _of_session = self.storage.session().span().clone().entered();
        let is_stalled = self.bounds.progress.is_stalled();
        let reason = if is_stalled { TransferError::Stalled } else { TransferError::ControlLost };
        self.storage.note_refusal(&self.user, &reason);
        let (storage, user, name) = (self.storage.clone(), Arc::clone(&self.user), self.name.clone());
        let kept = async move { storage.keep_broken(&user, upload, name).await };
        // Without a runtime the server is gone, and what came with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(kept.in_current_span()));
        }
    }
}
