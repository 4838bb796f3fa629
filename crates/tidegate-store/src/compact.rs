//! Compaction: when the journal is rewritten without the changes of jobs that are gone.
//!
//! Invariant: only changes leave whose effect on index and directories is durable, so that no later start
//! misses them; an index that is older than a compacted segment is made anew. A journal with a hole is
//! left as it is, for whoever has to look into it.
//!
//! The oldest segments are rewritten together once at least half of what is in them is dead, so that a
//! live change is copied no more often than another dies; many small segments become one. The oldest are
//! looked at only as far as enough jobs were purged since, so that looking is no more work than purging.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tidegate_domain::JobId;
use tokio::task::spawn_blocking;

use crate::Store;
use crate::core::Core;
use crate::error::StoreError;
use crate::journal::{Load, Run, Segment};

/// Bytes of the journal that may be looked at for each change that died since.
const LOOK_BYTES: u64 = 256;
/// As many small segments beside each other become one.
const PILE: usize = 16;
/// Segments up to this many bytes are small.
const SMALL_BYTES: u64 = 1 << 20;

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Segments that became one; 0 if none did.
    pub segments: usize,
    /// Their length in bytes.
    pub bytes_before: u64,
    /// The length of the one in bytes.
    pub bytes_after: u64,
}

/// How much of the journal may be dead, as far as this process knows.
#[derive(Debug)]
pub(crate) struct Wear {
    /// Changes of jobs that were purged since the last rewriting.
    dead: u64,
    /// Not worth a look before so many are.
    look_from: u64,
}

impl Default for Wear {
    /// What earlier processes left is unknown: the whole journal may be worth a look.
    fn default() -> Self {
        Self { dead: u64::MAX, look_from: 0 }
    }
}

impl Wear {
    pub(crate) fn add(&mut self, changes: u64) {
        self.dead = self.dead.saturating_add(changes);
    }
}

impl Store {
    /// Rewrites part of the journal if that is worth it. Waits for a backup to end; jobs go on meanwhile.
    pub async fn compact(&self) -> Result<Compaction, StoreError> {
        if self.core.journal_holes > 0 {
            return Ok(Compaction::default());
        }
        let removal = Arc::clone(&self.core.removal).lock_owned().await;
        let durable_seq = self.threads.syncer().ok_or(StoreError::Closed)?.views().await?;
        let core = Arc::clone(&self.core);
        let compacted = spawn_blocking(move || {
            let _removal = removal;
            core.while_open(|| core.compact(durable_seq))
        });
        let compacted = compacted.await.map_err(|_| StoreError::Closed)??;
        compacted.map_err(self.core.io("compacting the journal"))
    }
}

/// A sealed segment that may be rewritten.
struct Candidate {
    segment: Segment,
    last_seq: u64,
    len: u64,
}

impl Core {
    fn compact(&self, durable_seq: u64) -> io::Result<Compaction> {
        let candidates = self.candidates(durable_seq)?;
        if let Some((run, load)) = self.worn(&candidates)? {
            let done = self.rewrite(&run, load)?;
            *self.wear() = Wear { dead: 0, look_from: 0 };
            return Ok(done);
        }
        let Some(run) = pile(&candidates) else { return Ok(Compaction::default()) };
        match self.look(&run)? {
            Some(load) => self.rewrite(&run, load),
            None => Ok(Compaction::default()),
        }
    }

    /// Sealed segments from the oldest on, all of whose changes are durable everywhere.
    fn candidates(&self, durable_seq: u64) -> io::Result<Vec<Candidate>> {
        let segments = Segment::list(self.disk(), &self.layout.journal())?;
        let mut candidates = Vec::new();
        for (segment, next) in segments.iter().zip(segments.iter().skip(1)) {
            let last_seq = next.first_seq - 1;
            if !segment.sealed || last_seq > durable_seq {
                break;
            }
            let len = std::fs::metadata(&segment.path)?.len();
            candidates.push(Candidate { segment: segment.clone(), last_seq, len });
        }
        Ok(candidates)
    }

    /// The longest run of oldest segments that is at least half dead, as far as it is worth looking.
    fn worn(&self, candidates: &[Candidate]) -> io::Result<Option<(Run, Load)>> {
        let dead = {
            let wear = self.wear();
            if wear.dead < wear.look_from {
                return Ok(None);
            }
            wear.dead
        };
        let (mut found, mut sum, mut looked) = (None, Load::default(), 0_u64);
        for (count, candidate) in (1..).zip(candidates) {
            looked += candidate.len;
            if looked > dead.saturating_mul(LOOK_BYTES) {
                break;
            }
            let one = Run {
                segments: vec![candidate.segment.clone()],
                last_seq: candidate.last_seq,
                is_oldest: true,
            };
            let Some(load) = self.look(&one)? else { break };
            sum = sum.and(load);
            // One change may have to stay: the purge of the highest id.
            if sum.changes >= 2 * sum.live && sum.changes > sum.live + 1 {
                found = Some((run(candidates.get(..count).unwrap_or_default(), true), sum));
            }
        }
        if found.is_none() {
            self.wear().look_from = if dead == u64::MAX { 0 } else { dead.saturating_mul(2) };
            // What earlier processes left was looked at.
            if dead == u64::MAX {
                self.wear().dead = 0;
            }
        }
        Ok(found)
    }

    fn look(&self, run: &Run) -> io::Result<Option<Load>> {
        let store_id = self.store_id;
        run.look(self.disk(), store_id, &mut |id| self.knows(id))
    }

    fn rewrite(&self, run: &Run, load: Load) -> io::Result<Compaction> {
        let (directory, store_id) = (self.layout.journal(), self.store_id);
        let lengths =
            run.segments.iter().map(|segment| std::fs::metadata(&segment.path).map(|file| file.len()));
        let bytes_before = lengths.sum::<io::Result<u64>>()?;
        if self.disk().free_bytes(&directory)? < self.options.free_bytes_min.saturating_add(bytes_before) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let bytes_after = run.compact(self.disk(), &directory, store_id, load, &mut |id| self.knows(id))?;
        Ok(Compaction { segments: run.segments.len(), bytes_before, bytes_after })
    }

    fn knows(&self, id: JobId) -> io::Result<bool> {
        if self.is_closing.load(Ordering::Relaxed) {
            return Err(io::Error::other("the store closes"));
        }
        self.reader().and_then(|reader| reader.has_job(id)).map_err(io::Error::other)
    }
}

fn run(candidates: &[Candidate], is_oldest: bool) -> Run {
    Run {
        segments: candidates.iter().map(|one| one.segment.clone()).collect(),
        last_seq: candidates.last().map_or(0, |last| last.last_seq),
        is_oldest,
    }
}

/// The first small segments beside each other that are many.
fn pile(candidates: &[Candidate]) -> Option<Run> {
    let mut start = 0;
    for small in candidates.split(|one| one.len > SMALL_BYTES) {
        if small.len() >= PILE {
            return Some(run(small, start == 0));
        }
        start += small.len() + 1;
    }
    None
}
