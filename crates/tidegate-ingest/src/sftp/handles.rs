//! What a client has open.
//!
//! Invariant: all channels of a session together have a bounded number of handles, and their uploads hold a
//! bounded number of bytes that came too early.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;
use std::vec::IntoIter;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::incoming::Incoming;
use super::progress::Progress;
use super::request::NO_HANDLE;
use crate::storage::{Entry, Place};

/// Handles of a session. Clients are told.
pub(super) const HANDLES_MAX: usize = 64;
/// Files that an open directory counts for: it holds all of its names, which take some megabytes for tens of
/// thousands of them.
pub(super) const DIRECTORY_HANDLES: u32 = 8;
/// Bytes that a session may have sent before those in front of them: more than clients have under way at once.
const EARLY_BYTES_MAX: usize = 4 << 20;

/// What the channels of a session share.
#[derive(Clone)]
pub(super) struct Bounds {
    handles: Arc<Semaphore>,
    /// One permit a byte.
    pub(super) early_bytes: Arc<Semaphore>,
    pub(super) progress: Arc<Progress>,
    /// Turns true when the service stops.
    pub(super) closing: watch::Receiver<bool>,
}

impl Bounds {
    pub(super) fn new(progress: Arc<Progress>, closing: watch::Receiver<bool>) -> Self {
        let new = |count| Arc::new(Semaphore::new(count));
        Self { handles: new(HANDLES_MAX), early_bytes: new(EARLY_BYTES_MAX), progress, closing }
    }
}

/// Something that a client has open.
pub(super) enum Handle {
    Upload(Box<Incoming>),
    Response(Arc<File>),
    /// The entries that were not sent yet.
    Directory(IntoIter<(Vec<u8>, Entry)>),
}

/// The handles of a channel.
pub(super) struct Handles {
    open: BTreeMap<u32, (Handle, OwnedSemaphorePermit)>,
    last: u32,
    pub(super) bounds: Bounds,
}

impl Handles {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { open: BTreeMap::new(), last: NO_HANDLE, bounds }
    }

    /// A place for one more handle that counts for so many; `None` if there are as many as there may be.
    pub(super) fn room(&self, count: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.bounds.handles).try_acquire_many_owned(count).ok()
    }

    pub(super) fn insert(&mut self, handle: Handle, room: OwnedSemaphorePermit) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.open.insert(self.last, (handle, room));
        self.last
    }

    pub(super) fn get(&mut self, handle: u32) -> Option<&mut Handle> {
        self.open.get_mut(&handle).map(|(handle, _)| handle)
    }

    /// The upload to this path that is open, if there is one.
    pub(super) fn upload_to(&self, place: &Place) -> Option<u32> {
        let Place::Upload(name) = place else { return None };
        let is_it = |handle: &Handle| matches!(handle, Handle::Upload(incoming) if incoming.is_named(name));
        self.open.iter().find(|(_, (handle, _))| is_it(handle)).map(|(number, _)| *number)
    }

    pub(super) fn remove(&mut self, handle: u32) -> Option<Handle> {
        self.open.remove(&handle).map(|(handle, _)| handle)
    }

    /// Closes all; uploads have broken off.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }
}
