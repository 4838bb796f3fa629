//! Brings index and spool up to the end of the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use tidegate_disk::Disk;
use tidegate_domain::JobId;
use tidegate_domain::job::{Job, JobEvent};

use super::index::Opened;
use super::orphans::Orphans;
use crate::error::{OpenError, StoreError};
use crate::index::{Applied, Index};
use crate::journal::{Damage, Item, Journal};
use crate::layout::Layout;
use crate::record::{Change, Purged};
use crate::spool::Spool;

/// Changes after which the index is written.
pub(super) const CHANGES_PER_COMMIT: usize = 256;

/// What a replay came to.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub(super) last_seq: u64,
    pub(super) changes: u64,
    pub(super) holes: u64,
    /// Jobs whose files could not be put right.
    pub(super) unsettled: Vec<JobId>,
    /// Purged jobs whose files could not be removed, by the change that purged them.
    pub(super) remains: BTreeMap<u64, Purged>,
}

/// The journal, unless the store is new. An index without a journal is not enough to start on: what
/// was acknowledged since it was written would be forgotten in silence.
pub(super) fn find(disk: &Disk, layout: &Layout) -> Result<Option<Journal>, OpenError> {
    let path = layout.journal();
    let journal = Journal::find(disk, &path).map_err(OpenError::journal(&path))?;
    if journal.is_none() && has_jobs(layout) {
        let what = "it is empty although there are uploads; restore it from a backup".to_owned();
        return Err(OpenError::Damaged { path, what });
    }
    Ok(journal)
}

fn has_jobs(layout: &Layout) -> bool {
    let has_entries = |path: &Path| std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    has_entries(&layout.orgs())
}

/// A number that tells this store's batches from all other bytes.
pub(super) fn new_store_id() -> u64 {
    getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()))
}

/// Applies what the index has missed and puts every file right that may not be.
pub(super) fn replay(
    disk: &Disk,
    journal: &Journal,
    opened: &mut Opened,
    spool: &Spool,
    layout: &Layout,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Replayed, OpenError> {
    let total = journal.len_bytes();
    let from = opened.index.mark().seq.min(opened.views_through);
    // Numbers are never given twice, though the changes that had them be unreadable.
    let begun_seq = journal.segments.last().map_or(0, |last| last.first_seq.saturating_sub(1));
    let last_seq = opened.index.mark().seq.max(begun_seq);
    let mut run = Run {
        applied_seq: opened.index.mark().seq,
        views_through: opened.views_through,
        index: &mut opened.index,
        spool,
        unwritten: 0,
        touched: BTreeSet::new(),
        orphans: Orphans::default(),
        replayed: Replayed { last_seq, ..Replayed::default() },
    };
    let damage = journal.read::<ReplayError>(from, |item, bytes| {
        progress(bytes.min(total), total);
        run.take(&item)
    });
    let damage = damage.map_err(|error| error.into_open_error(layout))?;
    if let Some(last) = journal.segments.last()
        && run.replayed.last_seq < last.first_seq
        && damage.contains(&Damage::Hole { segment: last.path.clone(), at: 0 })
    {
        // Nothing of it can be read. It keeps its name, and as many numbers as may have been given in it:
        // every change takes more than a byte.
        let bytes = std::fs::metadata(&last.path).map_or(0, |file| file.len());
        run.replayed.last_seq = last.first_seq + bytes;
    }
    let replayed = run.end().map_err(|error| error.into_open_error(layout))?;
    progress(total, total);
    if opened.is_ahead {
        tracing::error!("journal lost changes that the index still knows; keep a copy of the data directory");
        return Ok(Replayed { holes: replayed.holes + 1, ..replayed });
    }
    let holes = mend(disk, &damage)?;
    Ok(Replayed { holes: holes + replayed.holes, ..replayed })
}

/// Refuses to throw an index away that knows what the journal has lost.
pub(super) fn check_nothing_would_be_lost(disk: &Disk, layout: &Layout) -> Result<(), OpenError> {
    let path = layout.journal();
    let reading = || OpenError::journal(&path);
    let Some(journal) = Journal::find(disk, &path).map_err(reading())? else { return Ok(()) };
    let mut last_seq = journal.compacted_through();
    let damage = journal.read::<io::Error>(0, |item, _| {
        last_seq = last_seq.max(item.entry.seq);
        Ok(())
    });
    let has_hole = damage.map_err(reading())?.iter().any(|place| !matches!(place, Damage::TornEnd { .. }));
    match super::index::shows(disk, layout, journal.store_id) {
        Some(shown) if has_hole || shown > last_seq => {
            let what = "it has lost changes that the index still knows: start the service on them as they \
                        are, and keep a copy of the data directory"
                .to_owned();
            Err(OpenError::Damaged { path, what })
        }
        _ => Ok(()),
    }
}

struct Run<'a> {
    applied_seq: u64,
    views_through: u64,
    index: &'a mut Index,
    spool: &'a Spool,
    unwritten: usize,
    /// Jobs whose files have to be looked at.
    touched: BTreeSet<JobId>,
    orphans: Orphans,
    replayed: Replayed,
}

impl Run<'_> {
    fn take(&mut self, item: &Item) -> Result<(), ReplayError> {
        let seq = item.entry.seq;
        self.replayed.last_seq = self.replayed.last_seq.max(seq);
        if seq > self.applied_seq {
            self.apply(item)?;
        }
        if seq > self.views_through {
            self.view(item)?;
        }
        Ok(())
    }

    fn view(&mut self, item: &Item) -> Result<(), ReplayError> {
        match &item.entry.change {
            Change::Job { id, event } => {
                self.touched.insert(*id);
                if let JobEvent::Accepted(submission) = event {
                    // It syncs directories: once is enough.
                    if !self.spool.is_prepared(&submission.org) {
                        self.spool.prepare(&submission.org)?;
                    }
                    self.restore(*id, item, submission.size_bytes)?;
                }
            }
            Change::Purged(purged) => {
                self.touched.remove(&purged.id);
                if self.spool.remove_all_of(purged).is_err() {
                    tracing::error!(job = %purged.id, "files of a purged job could not be removed");
                    self.replayed.remains.insert(item.entry.seq, purged.clone());
                }
            }
            Change::Maintenance(_) | Change::LegalHold(_) => {}
        }
        Ok(())
    }

    fn apply(&mut self, item: &Item) -> Result<(), ReplayError> {
        let applied = match self.index.apply(&item.entry) {
            Err(StoreError::UnknownJob) => {
                self.orphans.add(&item.entry.change);
                return Ok(());
            }
            Err(error @ StoreError::Illegal(_)) => {
                tracing::error!(seq = item.entry.seq, %error, "a change stands on one that is lost");
                self.replayed.holes += 1;
                return Ok(());
            }
            applied => applied?,
        };
        self.orphans.note(&applied);
        debug_assert!(!matches!(applied, Applied::Job { before: Some(_), .. } if item.payload.is_some()));
        self.replayed.changes += 1;
        self.unwritten += 1;
        if self.unwritten >= CHANGES_PER_COMMIT {
            self.index.commit(item.entry.seq)?;
            self.index.write_back()?;
            self.unwritten = 0;
        }
        Ok(())
    }

    /// Writes the bytes of a small upload back if the spool lost them.
    fn restore(&mut self, id: JobId, item: &Item, size_bytes: u64) -> Result<(), ReplayError> {
        let bytes = match &item.payload {
            Some(bytes) => bytes.as_slice(),
            None if size_bytes == 0 => &[],
            None => return Ok(()),
        };
        // A job that is not there any more was purged later on.
        let Some(job): Option<Job> = self.index.job(id)? else { return Ok(()) };
        Ok(self.spool.restore_payload(&job, bytes)?)
    }

    fn end(mut self) -> Result<Replayed, ReplayError> {
        if self.index.mark().seq < self.replayed.last_seq {
            self.index.commit(self.replayed.last_seq)?;
        }
        self.index.write_back()?;
        for (id, changes) in self.orphans.iter() {
            tracing::error!(job = %id, changes, "changes stand on a job that is lost");
        }
        self.replayed.holes += self.orphans.changes();
        for id in &self.touched {
            let Some(job) = self.index.job(*id)? else { continue };
            if self.spool.settle(None, &job).is_err() {
                tracing::error!(job = %id, "files of a job could not be put right");
                self.replayed.unsettled.push(*id);
            }
        }
        Ok(self.replayed)
    }
}

/// Cuts off a last batch that is not whole; counts what can't be mended.
fn mend(disk: &Disk, damage: &[Damage]) -> Result<u64, OpenError> {
    let mut holes = 0;
    for place in damage {
        match place {
            Damage::TornEnd { segment, at } => {
                let cut = disk.truncate(segment, *at);
                cut.map_err(OpenError::io("cutting the torn end off", segment))?;
            }
            Damage::Hole { .. } | Damage::Missing { .. } => {
                tracing::error!(%place, "journal is damaged");
                holes += 1;
            }
        }
    }
    Ok(holes)
}

/// What can stop a replay.
enum ReplayError {
    Io(io::Error),
    Store(StoreError),
}

impl From<io::Error> for ReplayError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<StoreError> for ReplayError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl ReplayError {
    fn into_open_error(self, layout: &Layout) -> OpenError {
        match self {
            Self::Io(error) => OpenError::journal(&layout.journal())(error),
            Self::Store(error) => OpenError::Index(error.to_string()),
        }
    }
}
