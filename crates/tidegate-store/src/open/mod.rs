//! The start: bring index and spool up to the journal, whatever state they are in.
//!
//! Invariant: after [`open`] the index and the directories show the journal's changes, all of them and
//! nothing else, durably; no damage to the index keeps a store from opening, not even a panic in it.

mod clean;
mod decay;
mod index;
mod inspect;
mod orphans;
mod replay;
mod spool;

use std::collections::BTreeMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, RwLock};

use chrono::{DateTime, Utc};
use tidegate_disk::Disk;
use tidegate_domain::job::{JobState, RetryPolicy};
use tidegate_domain::{Clock, JobId, JobIds};
use tokio::sync::{Notify, Semaphore, watch};

pub(crate) use inspect::inspect;

use crate::committer::{Committer, Unsettled};
use crate::core::{Core, Options};
use crate::error::{OpenError, StoreError};
use crate::index::{Index, wait_until_unlocked};
use crate::journal::{self, BatchBuilder, Journal, Segment, Writer};
use crate::layout::Layout;
use crate::maintenance::Gatekeeper;
use crate::record::{Change, Entry, Purged};
use crate::spool::Spool;
use crate::syncer::{Request, Syncer};
use crate::upload::LARGE_BLOCKS_MAX;
use crate::{Store, Threads};
use clean::End;

pub(crate) use clean::note as note_clean;

/// What a start had to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whether the index was made anew from the journal.
    pub index_rebuilt: bool,
    /// Changes that the index had missed.
    pub changes_replayed: u64,
    /// Jobs that were with a worker when the service ended.
    pub jobs_interrupted: u64,
    /// Files of uploads that were never acknowledged.
    pub strays_removed: u64,
    /// When the newest job was accepted that there was before the start, by its id.
    pub newest_job_at: Option<DateTime<Utc>>,
    /// Places in the journal that can't be read; acknowledged changes may be missing.
    pub journal_holes: u64,
}

/// Opens the store in `data_dir`, creating it if the directory is empty. `progress` hears of bytes of
/// the journal read, and all of them.
///
/// An index that was trusted and turns out to be unreadable is looked at again, more closely: a disk that
/// decays while the service is stopped leaves no other trace.
pub(crate) fn open(
    data_dir: &Path,
    options: Options,
    clock: Arc<dyn Clock>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Store, Recovery), OpenError> {
    if Layout::new(data_dir).clean().exists() {
        let attempt = || start(data_dir, options.clone(), Arc::clone(&clock), progress);
        match catch_unwind(AssertUnwindSafe(attempt)) {
            Ok(Err(OpenError::Index(error))) => tracing::warn!(error, "index is not what it was"),
            Err(_) => tracing::warn!("index is not what it was: sled panicked"),
            Ok(done) => return done,
        }
    }
    start(data_dir, options, clock, progress)
}

fn start(
    data_dir: &Path,
    options: Options,
    clock: Arc<dyn Clock>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Store, Recovery), OpenError> {
    let disk = options.disk.clone();
    disk.create_dir_all(data_dir).map_err(OpenError::io("creating", data_dir))?;
    let lock = lock(data_dir)?;
    migrate(&disk, data_dir)?;
    let layout = Layout::new(data_dir);
    let directory = File::open(data_dir).map_err(OpenError::io("opening", data_dir))?;
    let spool = Spool::new(disk.clone(), layout.clone());

    let journal = replay::find(&disk, &layout)?;
    let store_id = journal.as_ref().map_or_else(replay::new_store_id, |journal| journal.store_id);
    let end = clean::take(&disk, &layout)?;
    if let Some(journal) = journal.as_ref().filter(|_| end == End::Unclean) {
        journal.make_end_durable().map_err(OpenError::journal(&layout.journal()))?;
    }
    index::remove_next(&disk, &layout)?;
    let mut opened = index::open(&disk, &layout, store_id, journal.as_ref(), end == End::Clean)?;
    let mut recovery = Recovery { index_rebuilt: opened.is_new && journal.is_some(), ..Recovery::default() };
    let (mut next_seq, mut unsettled, mut remains) = (1, Vec::new(), BTreeMap::new());
    let views_through = opened.views_through;
    if let Some(journal) = &journal {
        let replayed = replay::replay(&disk, journal, &mut opened, &spool, &layout, progress)?;
        next_seq = replayed.last_seq + 1;
        recovery.changes_replayed = replayed.changes;
        recovery.journal_holes = replayed.holes;
        // The next start looks at them again, unless they are put right before.
        let again = |id| Unsettled { seq: views_through + 1, id };
        unsettled = replayed.unsettled.into_iter().map(again).collect();
        remains = replayed.remains;
    }
    if end == End::Unclean && recovery.journal_holes == 0 {
        recovery.strays_removed = spool::remove_strays(&disk, &layout, &opened.index.reader())?;
    }
    spool::empty_uploads(&disk, &layout)?;
    recovery.newest_job_at = opened.index.mark().highest_id.map(JobId::made_at);

    let writer = Writer::begin(&disk, &layout.journal(), store_id, next_seq)
        .map_err(|error| OpenError::io("beginning a segment in", &layout.journal())(error.into_inner()))?;
    let mut start = Start { disk, layout, spool, clock, writer, store_id, next_seq, unsettled, remains };
    recovery.jobs_interrupted = start.interrupt(&mut opened.index)?;
    let all_settled = start.unsettled.is_empty() && start.remains.is_empty();
    opened.views_through = if all_settled { opened.index.mark().seq } else { views_through };
    start.make_durable(&directory, &opened)?;
    let is_trusted = end == End::Clean && !opened.is_new;
    let store = start.run(lock, directory, options, opened, journal, recovery.journal_holes)?;
    if is_trusted {
        let looking = decay::look_for(&store.core);
        store.threads.join_too(looking.map_err(OpenError::io("starting a thread for", data_dir))?);
    }
    Ok((store, recovery))
}

/// Removes the index, then opens the store: everything is made anew from the journal.
pub(crate) fn rebuild(
    data_dir: &Path,
    options: Options,
    clock: Arc<dyn Clock>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Store, Recovery), OpenError> {
    let layout = Layout::new(data_dir);
    if !layout.journal().is_dir() {
        let what = "there is no journal here; is this the data directory?".to_owned();
        return Err(OpenError::Damaged { path: layout.journal(), what });
    }
    {
        let _lock = lock(data_dir)?;
        replay::check_nothing_would_be_lost(&options.disk, &layout)?;
        index::begin(&options.disk, &layout, 0)?;
    }
    open(data_dir, options, clock, progress)
}

fn migrate(disk: &Disk, data_dir: &Path) -> Result<(), OpenError> {
    let migrated = tidegate_migrations::migrate(disk, data_dir)?;
    if let Some(backup) = migrated.backup {
        tracing::info!(
            found = migrated.found,
            now = tidegate_migrations::LAYOUT,
            backup = %backup.display(),
            "data directory brought to a new layout; its journal as it was is kept"
        );
    }
    Ok(())
}

/// Takes the store for this process. Whoever had it before may be about to let go of its index.
fn lock(data_dir: &Path) -> Result<File, OpenError> {
    let layout = Layout::new(data_dir);
    let path = layout.lock();
    let lock = lock_file(File::create(&path).map_err(OpenError::io("creating", &path))?, data_dir)?;
    if wait_until_unlocked(&layout.queue()) { Ok(lock) } else { Err(OpenError::Locked(data_dir.to_owned())) }
}

fn lock_file(file: File, data_dir: &Path) -> Result<File, OpenError> {
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(OpenError::Locked(data_dir.to_owned())),
        Err(errno) => Err(OpenError::io("locking", data_dir)(errno.into())),
    }
}

/// Removes what a crash left of a rewriting, and segments beside the compacted one that stands for them.
fn remove_leftovers(disk: &Disk, layout: &Layout) {
    if journal::remove_unfinished(disk, &layout.journal()).is_err() {
        tracing::warn!("leftover of a rewriting was not removed");
    }
    let leftovers = Segment::list_with_leftovers(disk, &layout.journal()).map(|(_, leftovers)| leftovers);
    for leftover in leftovers.unwrap_or_default() {
        if disk.remove_once(&leftover.path).is_err() {
            tracing::warn!(first = leftover.first_seq, "leftover of a compaction was not removed");
        }
    }
}

/// Everything at hand between the replay and the first command.
struct Start {
    disk: Disk,
    layout: Layout,
    spool: Spool,
    clock: Arc<dyn Clock>,
    writer: Writer,
    store_id: u64,
    next_seq: u64,
    unsettled: Vec<Unsettled>,
    remains: BTreeMap<u64, Purged>,
}

impl Start {
    /// Notes for each job that was with a worker that its worker is gone.
    fn interrupt(&mut self, index: &mut Index) -> Result<u64, OpenError> {
        let failed = |error: StoreError| OpenError::Index(error.to_string());
        let ids: Result<Vec<_>, _> = index.reader().newest(&[JobState::Processing], None).collect();
        let ids = ids.map_err(failed)?;
        let mut batch = BatchBuilder::new(self.store_id);
        for id in &ids {
            let job = index.job(*id).map_err(failed)?;
            let interruptions = job.map_or(0, |job| job.interruptions);
            let event = RetryPolicy::default().after_interruption(interruptions);
            let change = Change::Job { id: *id, event };
            let actor = "tidegate".to_owned();
            let entry = Entry { seq: self.next_seq, at: self.clock.now(), actor, change };
            batch.push(&entry, None).map_err(|error| OpenError::Index(error.to_string()))?;
            index.apply(&entry).map_err(failed)?;
            self.next_seq += 1;
        }
        if !ids.is_empty() {
            let path = self.layout.journal();
            self.writer
                .append(batch.finish())
                .map_err(|error| OpenError::io("writing", &path)(error.into_inner()))?;
            index.commit(self.next_seq - 1).and_then(|()| index.write_back()).map_err(failed)?;
        }
        Ok(ids.len() as u64)
    }

    fn make_durable(&self, directory: &File, opened: &index::Opened) -> Result<(), OpenError> {
        self.disk.sync_all_of(directory).map_err(OpenError::io("syncing", self.layout.root()))?;
        let synced = opened.durability.sync(opened.views_through);
        synced.map_err(|error| OpenError::Index(error.to_string()))
    }

    fn run(
        self,
        lock: File,
        directory: File,
        options: Options,
        opened: index::Opened,
        journal: Option<Journal>,
        journal_holes: u64,
    ) -> Result<Store, OpenError> {
        let failed = |error: StoreError| OpenError::Index(error.to_string());
        let reader = opened.index.reader();
        let gatekeeper = Gatekeeper::default();
        gatekeeper.set_staff(reader.staff_changes().map_err(failed)?);
        let core = Arc::new(Core {
            lock: Mutex::new(Some(lock)),
            directory,
            options,
            clock: self.clock,
            spool: self.spool,
            gatekeeper,
            ids: Mutex::new(JobIds::after(opened.index.mark().highest_id)),
            lanes: Mutex::new(index::lanes(&reader).map_err(failed)?),
            leases: Mutex::default(),
            drain: Mutex::default(),
            closed: Mutex::new(false),
            wear: Mutex::default(),
            known: Mutex::default(),
            known_runs: Mutex::default(),
            store_id: self.store_id,
            remains: Mutex::new(self.remains),
            settled_seq: AtomicU64::new(opened.views_through),
            upload_number: AtomicU64::new(0),
            large_blocks: Arc::new(Semaphore::new(LARGE_BLOCKS_MAX)),
            wakeup: Notify::new(),
            backup: Arc::default(),
            removal: Arc::default(),
            journal_holes,
            is_closing: AtomicBool::new(false),
            failed: watch::Sender::new(false),
            layout: self.layout,
            reader: RwLock::new(Some(reader)),
        });
        let threads_failed = |error| OpenError::io("starting a thread for", core.layout.root())(error);
        let (syncer, sync_thread) =
            Syncer::start(Arc::clone(&core), opened.durability, self.store_id).map_err(threads_failed)?;
        remove_leftovers(&self.disk, &core.layout);
        for segment in journal.into_iter().flat_map(|journal| journal.segments) {
            // A start that broke off may have left the segment that is being written now.
            if !segment.sealed && segment.first_seq < self.writer.first_seq() {
                syncer.request(Request::Seal(segment));
            } else if segment.remove_leftover(&self.disk).is_err() {
                tracing::warn!(first = segment.first_seq, "leftover of a sealed segment was not removed");
            }
        }
        let (commands, inbox) = channel();
        let committer = Committer::new(
            Arc::clone(&core),
            inbox,
            self.writer,
            self.store_id,
            opened.index,
            syncer.clone(),
            self.unsettled,
        );
        let commit_thread = std::thread::Builder::new()
            .name("store-commit".to_owned())
            .spawn(move || committer.run())
            .map_err(|error| OpenError::io("starting a thread for", core.layout.root())(error))?;
        let threads = Threads::new(commit_thread, sync_thread, syncer);
        Ok(Store { core, commands, threads: Arc::new(threads) })
    }
}
