//! What senders and staff were told, and when.
//!
//! Invariant: an entry is raised only after the reply was read, under the lock under which a cut takes
//! its snapshot of the disk ([`Shared::freeze`]). So whatever the copy says was acknowledged, was so
//! before the cut; what was in flight stays open to either end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::disk::{Disk, Snapshot};
use crate::upload::Upload;

/// How long a cut waits for its moment, and how often it looks.
const PATIENCE: Duration = Duration::from_millis(400);
const POLL: Duration = Duration::from_micros(200);

/// How far something has come by the eyes of its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Told {
    /// Nothing was asked.
    #[default]
    No,
    /// Asked; no reply was read.
    Begun,
    /// Success was read.
    Yes,
}

/// One upload.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) org: &'static str,
    pub(crate) accepted: Told,
    /// The response was removed from the outbox.
    pub(crate) deleted: Told,
    /// The response as the sender fetched it.
    pub(crate) fetched: Option<Arc<[u8]>>,
}

/// All uploads that were begun, by number, and the hold of staff.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) uploads: BTreeMap<u64, Entry>,
    /// Whether a hold for everyone stands; `None` while a command runs.
    pub(crate) held: Option<bool>,
}

impl Ledger {
    pub(crate) fn acknowledged(&self) -> usize {
        self.uploads.values().filter(|entry| entry.accepted == Told::Yes).count()
    }

    pub(crate) fn deleted(&self) -> usize {
        self.uploads.values().filter(|entry| entry.deleted == Told::Yes).count()
    }

    pub(crate) fn begin(&mut self, upload: Upload, org: &'static str) {
        let entry = Entry { org, accepted: Told::Begun, deleted: Told::No, fetched: None };
        self.uploads.insert(upload.0, entry);
    }

    pub(crate) fn raise(&mut self, upload: Upload, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.uploads.get_mut(&upload.0) {
            change(entry);
        }
    }
}

/// The ledger that all clients write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Ledger>>);

impl Shared {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self(Arc::new(Mutex::new(ledger)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instant of a cut: the disk as it is, and all that was acknowledged before. Waits a little for
    /// a moment at which that many blocks are not flushed.
    pub(crate) fn freeze(&self, disk: &Disk, unflushed: usize) -> (Snapshot, Ledger) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            {
                let ledger = self.lock();
                if disk.unflushed() >= unflushed || Instant::now() > deadline {
                    return (disk.snapshot(), ledger.clone());
                }
            }
            std::thread::sleep(POLL);
        }
    }
}
