//! Known messages: what was delivered from an organization's earlier files, by hash.
//!
//! Invariant: what was [remembered](KnownMessages::remember) and [written](KnownMessages::write) before a checkpoint
//! or the end of a job is durable with it. A job tells its own messages from those of earlier files, so that one that is
//! begun again goes on with its own keys, and knows which of them were delivered. What is damaged is not known: a message may then be delivered again,
//! which is what happened without it. `docs/decisions/0015-known-messages.md` tells why it is built so.
//!
//! Bounds, for each organization: some 37 million messages at 34 bytes on the disk, beyond which the oldest are
//! forgotten; in memory, while a file is processed, 4,096 of them and a table of at most 50 files.

mod book;
mod find;
mod fresh;
mod merge;
mod run;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tidegate_disk::Disk;
use tidegate_domain::JobId;
use tidegate_domain::job::Job;

use self::book::Book;
use self::fresh::{FULL, Fresh};
use crate::Store;
use crate::core::Core;
use crate::error::StoreError;

/// How a message relates to those that were delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// No earlier file had one with its key.
    No,
    /// One had, with the same content.
    Same,
    /// One had, with other content.
    Other,
    /// No earlier file, but an attempt before at this one: key and content are the same.
    Own,
    /// Another job is delivering one just now, or did and has not written that yet: ask again later.
    Underway,
}

/// What jobs of an organization have to know of each other while they run.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// How often messages were written since the start, by whichever job.
    changes: AtomicU64,
    /// Keys that a job asked about and that are neither written nor given up.
    underway: Mutex<HashMap<u128, JobId>>,
}

impl Runs {
    fn underway(&self) -> MutexGuard<'_, HashMap<u128, JobId>> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known to one job, for its worker alone. Every call may block.
#[derive(Debug)]
pub struct KnownMessages {
    core: Arc<Core>,
    book: Book,
    job: JobId,
    runs: Arc<Runs>,
    /// Keys that nobody else may deliver until they are written or given up.
    reserved: Vec<u128>,
    /// How often messages were written as of the book's last look.
    seen: u64,
}

impl Store {
    /// What is known of earlier messages of the job's organization.
    pub fn known_messages(&self, job: &Job) -> KnownMessages {
        let directory = self.core.layout.known_of(&job.submission.org);
        let book = Book::new(self.core.disk().clone(), directory, job.id, FULL);
        let mut runs = self.core.known_runs.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = Arc::clone(runs.entry(job.submission.org.clone()).or_default());
        let seen = runs.changes.load(Ordering::Acquire);
        KnownMessages { core: Arc::clone(&self.core), book, job: job.id, runs, reserved: Vec::new(), seen }
    }

    /// Forgets messages whose files came before `before`, as far as whole files of them can go; how many they
    /// were. Blocks.
    pub fn forget_known(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let core = &self.core;
        let _writing = core.known.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = core.while_open(|| forget(core.disk(), &core.layout.known(), before))?;
        forgotten.map_err(StoreError::io("forgetting known messages"))
    }
}

impl KnownMessages {
    /// Whether a message of this key was delivered: from an earlier file of the organization, or by an attempt before. If
    /// none was, the key is this job's until it is written or given up, or the job is let go.
    pub fn look_up(&mut self, key: u128, content: u64) -> Result<Known, StoreError> {
        if *self.runs.underway().entry(key).or_insert(self.job) != self.job {
            return Ok(Known::Underway);
        }
        self.reserved.push(key);
        self.look_again_after_others();
        let known = self.book.look_up(key, content).map_err(StoreError::io("looking for known messages"));
        if !matches!(known, Ok(Known::No)) {
            self.give_up(key);
        }
        known
    }

    /// The message was not delivered: others may.
    pub fn give_up(&mut self, key: u128) {
        let Some(place) = self.reserved.iter().rposition(|reserved| *reserved == key) else { return };
        self.reserved.swap_remove(place);
        if !self.reserved.contains(&key) {
            self.runs.underway().remove(&key);
        }
    }

    /// Remembers a message that was delivered, until the next [`Self::write`].
    pub fn remember(&mut self, key: u128, content: u64) {
        self.book.remember(key, content);
    }

    /// Writes what was remembered. Nothing of it is lost if that fails: the next call tries again.
    pub fn write(&mut self) -> Result<(), StoreError> {
        let core = Arc::clone(&self.core);
        let _writing = core.known.lock().unwrap_or_else(PoisonError::into_inner);
        if self.book.is_written() {
            return Ok(());
        }
        self.look_again_after_others();
        let written = self.book.write();
        // Others look again after a failure, too: part of it may have come about.
        self.seen = self.runs.changes.fetch_add(1, Ordering::AcqRel) + 1;
        if written.is_ok() {
            self.give_up_all();
        }
        written.map_err(core.io("writing known messages"))
    }

    fn give_up_all(&mut self) {
        let mut underway = self.runs.underway();
        for key in self.reserved.drain(..) {
            underway.remove(&key);
        }
    }

    /// A call and a file of one organization are processed at the same time, and each has to know what the other
    /// delivered, and must not write over it.
    fn look_again_after_others(&mut self) {
        let changes = self.runs.changes.load(Ordering::Acquire);
        if std::mem::replace(&mut self.seen, changes) != changes {
            self.book.look_again();
        }
    }
}

impl Drop for KnownMessages {
    fn drop(&mut self) {
        self.give_up_all();
    }
}

fn forget(disk: &Disk, known: &Path, before: DateTime<Utc>) -> io::Result<u64> {
    let mut forgotten = 0;
    let organizations = match disk.list(known) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        organizations => organizations?,
    };
    for organization in organizations {
        let directory = organization.path();
        for run in run::list(disk, &directory)? {
            if run.newest.made_at() < before {
                disk.remove_once(&run.path)?;
                forgotten += run.count;
            }
        }
        let fresh = Fresh::open(disk, &directory)?.into_records();
        if fresh.iter().map(|record| record.job).max().is_some_and(|newest| newest.made_at() < before) {
            disk.remove_once(&fresh::path(&directory))?;
            forgotten += fresh.len() as u64;
        }
    }
    Ok(forgotten)
}

#[cfg(test)]
mod tests;
