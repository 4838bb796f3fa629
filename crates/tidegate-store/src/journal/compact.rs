//! Rewrites a run of sealed segments as one, without the changes of jobs that are gone.
//!
//! Invariant: the journal says the same before and after, to whoever reads it from its beginning. So the
//! end of a job (its purge) leaves the journal last, from a run before which there is nothing; and the
//! highest id that was ever given stays in it.

use std::io;
use std::path::Path;

use tidegate_disk::Disk;
use tidegate_domain::JobId;

use super::reader::Journal;
use super::rewrite::{COMPACTING, Rewriting};
use super::segment::Segment;
use crate::record::{Change, Entry, Purged};

/// Adjacent sealed segments.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) segments: Vec<Segment>,
    /// The last change that the run stands for.
    pub(crate) last_seq: u64,
    /// Whether it begins where the journal does.
    pub(crate) is_oldest: bool,
}

/// What a look at a run, or a part of it, found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Load {
    /// Changes in it.
    pub(crate) changes: u64,
    /// Those of them that stay.
    pub(crate) live: u64,
    /// The highest id of a job that was purged in it.
    highest_purged: Option<JobId>,
}

impl Load {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            changes: self.changes + other.changes,
            live: self.live + other.live,
            highest_purged: self.highest_purged.max(other.highest_purged),
        }
    }
}

impl Run {
    /// Counts what is in the run; nothing if it is damaged. `knows` tells whether there is such a job.
    pub(crate) fn look(
        &self,
        disk: &Disk,
        store_id: u64,
        knows: &mut impl FnMut(JobId) -> io::Result<bool>,
    ) -> io::Result<Option<Load>> {
        let mut load = Load::default();
        let damage = self.journal(disk, store_id).read::<io::Error>(self.before(), |item, _| {
            load.changes += 1;
            if let Change::Purged(Purged { id, .. }) = &item.entry.change {
                load.highest_purged = load.highest_purged.max(Some(*id));
            }
            load.live += u64::from(self.keeps(&item.entry, None, knows)?);
            Ok(())
        })?;
        Ok(damage.is_empty().then_some(load))
    }

    /// Puts one segment in the place of the run; its length in bytes. A crash at any point leaves the run,
    /// or both, or the one: a reader takes the one that stands for more.
    pub(crate) fn compact(
        &self,
        disk: &Disk,
        directory: &Path,
        store_id: u64,
        load: Load,
        knows: &mut impl FnMut(JobId) -> io::Result<bool>,
    ) -> io::Result<u64> {
        let segment = Segment::compacted(directory, self.before() + 1, self.last_seq);
        let mut out = Rewriting::begin(disk, directory, COMPACTING, store_id, segment)?;
        let copied = self.journal(disk, store_id).read::<io::Error>(self.before(), |item, _| {
            let keeps = self.keeps(&item.entry, load.highest_purged, knows)?;
            if keeps { out.push(&item.entry) } else { Ok(()) }
        });
        match copied {
            Ok(damage) if damage.is_empty() => {}
            Ok(_) => {
                out.give_up()?;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a segment of the run is damaged"));
            }
            Err(error) => {
                out.give_up()?;
                return Err(error);
            }
        }
        let length = out.finish()?;
        self.segments.iter().try_for_each(|segment| disk.remove_once(&segment.path))?;
        Ok(length)
    }

    /// The change before the run.
    fn before(&self) -> u64 {
        self.segments.first().map_or(0, |first| first.first_seq.saturating_sub(1))
    }

    fn journal(&self, disk: &Disk, store_id: u64) -> Journal {
        Journal { segments: self.segments.clone(), store_id, disk: disk.clone() }
    }

    fn keeps(
        &self,
        entry: &Entry,
        highest_purged: Option<JobId>,
        knows: &mut impl FnMut(JobId) -> io::Result<bool>,
    ) -> io::Result<bool> {
        match &entry.change {
            Change::Job { id, .. } => knows(*id),
            Change::Purged(purged) => Ok(!self.is_oldest || highest_purged == Some(purged.id)),
            Change::Maintenance(_) | Change::LegalHold(_) => Ok(true),
        }
    }
}
