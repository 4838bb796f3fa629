//! What the store's threads and its callers share.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tidegate_disk::Disk;
use tidegate_domain::{Clock, JobId, JobIds, OrgCode};
use tokio::sync::{Notify, Semaphore, watch};

use crate::compact::Wear;
use crate::drain::DrainMeter;
use crate::error::StoreError;
use crate::index::Reader;
use crate::known::Runs;
use crate::lanes::Lanes;
use crate::layout::Layout;
use crate::maintenance::Gatekeeper;
use crate::record::Purged;
use crate::spool::Spool;

/// How a store behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Uploads are refused while the file system has fewer free bytes than this.
    pub free_bytes_min: u64,
    /// A claim that is not renewed for so long is lost.
    pub lease: Duration,
    /// A segment of the journal that has grown to so many bytes is closed and the next one begun.
    pub segment_bytes_max: u64,
    /// Files of small uploads are written once nothing was asked of the store for so long; until then
    /// their bytes are in memory and in the journal.
    pub files_after: Duration,
    /// So many of these bytes, or a few more, are kept in memory; then the oldest are written.
    pub deferred_bytes_max: usize,
    /// When and how a new index is made beside the work.
    pub renewal: Renewal,
    /// The file system; tests pass one that fails.
    pub disk: Disk,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            free_bytes_min: 0,
            lease: Duration::from_mins(1),
            segment_bytes_max: 64 << 20,
            // Longer than senders who wait for their answers pause, and short for people who look.
            files_after: Duration::from_millis(20),
            // A burst of some thousand files; as much is written by the start after a kill.
            deferred_bytes_max: 32 << 20,
            renewal: Renewal::default(),
            disk: Disk::default(),
        }
    }
}

/// How a new index is made beside the work.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// It is when the file of the one in use is this many bytes longer than what is in it accounts for.
    pub garbage_bytes_max: u64,
    /// So many pairs are copied at once, or about 1 MiB of them: whenever the index is to be made durable, or
    /// the store had nothing to do.
    pub pairs_at_once: usize,
    /// A store that makes a new index has nothing to do when nothing was asked of it for so long.
    pub pause: Duration,
}

impl Default for Renewal {
    fn default() -> Self {
        Self {
            // As much comes together in some 70,000 files, and takes seconds to get rid of.
            garbage_bytes_max: 64 << 20,
            // Some milliseconds, in which everybody else waits.
            pairs_at_once: 2000,
            pause: Duration::from_millis(20),
        }
    }
}

pub(crate) struct Core {
    pub(crate) layout: Layout,
    /// Held until the threads have ended; given up when the store is closed.
    pub(crate) lock: Mutex<Option<File>>,
    /// An open handle on the data directory, which `syncfs` is called on.
    pub(crate) directory: File,
    pub(crate) options: Options,
    pub(crate) clock: Arc<dyn Clock>,
    /// Given up when the store is closed: whoever has it keeps the index locked.
    pub(crate) reader: RwLock<Option<Reader>>,
    pub(crate) spool: Spool,
    pub(crate) gatekeeper: Gatekeeper,
    pub(crate) ids: Mutex<JobIds>,
    pub(crate) lanes: Mutex<Lanes>,
    pub(crate) leases: Mutex<HashMap<JobId, Lease>>,
    pub(crate) drain: Mutex<DrainMeter>,
    /// Jobs that were purged and whose files are still there, by the change that purged them.
    pub(crate) remains: Mutex<BTreeMap<u64, Purged>>,
    /// The change up to which every view was brought; what a sync may record afterwards.
    pub(crate) settled_seq: AtomicU64,
    pub(crate) upload_number: AtomicU64,
    /// Shared by large uploads, for the memory they need.
    pub(crate) large_blocks: Arc<Semaphore>,
    pub(crate) wakeup: Notify,
    /// Held by a backup, of which there is one at a time.
    pub(crate) backup: Arc<tokio::sync::Mutex<()>>,
    /// Held by whoever takes away what nothing else ever does (files of jobs, changes of closed
    /// segments), and by a backup for as long as it copies. Taken before `backup`'s instant, so that a
    /// job that the backup has keeps its files until they are copied.
    pub(crate) removal: Arc<tokio::sync::Mutex<()>>,
    /// Places of the journal that this start could not read.
    pub(crate) journal_holes: u64,
    /// Whether the store is being closed in good order.
    pub(crate) is_closing: AtomicBool,
    /// Held by whoever changes files beside the store's threads; true once the store is closed.
    pub(crate) closed: Mutex<bool>,
    pub(crate) wear: Mutex<Wear>,
    /// Held by whoever writes or forgets known messages.
    pub(crate) known: Mutex<()>,
    /// What jobs of each organization have to know of each other's messages.
    pub(crate) known_runs: Mutex<HashMap<OrgCode, Arc<Runs>>>,
    pub(crate) store_id: u64,
    pub(crate) failed: watch::Sender<bool>,
}

/// Who may write to a job, and until when. Leases are counted on the monotonic clock, so that a wall
/// clock that jumps takes no job from its worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) fence: u64,
    pub(crate) ends: Instant,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("data_dir", &self.layout.root()).finish_non_exhaustive()
    }
}

impl Core {
    /// Nothing more is promised: see [`StoreError::Poisoned`].
    pub(crate) fn poison(&self, doing: &'static str, error: &dyn std::fmt::Display) {
        tracing::error!(doing, %error, "store failed");
        self.failed.send_replace(true);
    }

    /// Names what was being done when the file system refused. A sync that failed is nobody's to try
    /// again, so it ends the store.
    pub(crate) fn io(&self, doing: &'static str) -> impl FnOnce(std::io::Error) -> StoreError + '_ {
        move |error| {
            if tidegate_disk::is_failed_sync(&error) {
                self.poison(doing, &error);
                return StoreError::Poisoned;
            }
            StoreError::io(doing)(error)
        }
    }

    pub(crate) fn disk(&self) -> &Disk {
        &self.options.disk
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if *self.failed.borrow() { Err(StoreError::Poisoned) } else { Ok(()) }
    }

    /// What reads the index.
    pub(crate) fn reader(&self) -> Result<Reader, StoreError> {
        self.reader.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(StoreError::Closed)
    }

    /// Nobody reads the index any more, but for what was begun.
    pub(crate) fn give_reader_up(&self) {
        drop(self.reader.write().unwrap_or_else(PoisonError::into_inner).take());
    }

    pub(crate) fn settled(&self) -> u64 {
        self.settled_seq.load(Ordering::Acquire)
    }

    pub(crate) fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn leases(&self) -> MutexGuard<'_, HashMap<JobId, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn drain(&self) -> MutexGuard<'_, DrainMeter> {
        self.drain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn remains(&self) -> MutexGuard<'_, BTreeMap<u64, Purged>> {
        self.remains.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wear(&self) -> MutexGuard<'_, Wear> {
        self.wear.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes files while the store is open; it closes afterwards, not meanwhile.
    pub(crate) fn while_open<T>(&self, work: impl FnOnce() -> T) -> Result<T, StoreError> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if *closed || self.is_closing.load(Ordering::Relaxed) { Err(StoreError::Closed) } else { Ok(work()) }
    }

    pub(crate) fn new_id(&self) -> JobId {
        let random = getrandom::u32().unwrap_or_default();
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).next(self.clock.now(), random)
    }
}
