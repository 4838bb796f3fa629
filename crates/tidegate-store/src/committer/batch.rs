//! Changes on their way to the journal together, and who waits for them.

use std::collections::HashSet;
use std::ops::Range;

use tidegate_domain::JobId;
use tidegate_domain::job::Job;

use super::command::{Command, Reply};
use crate::error::StoreError;
use crate::journal::{BATCH_BYTES_MAX, Item};
use crate::record::{Change, Purged};

/// Changes in a batch; see `INDEX_SYNC_CHANGES`.
const CHANGES_MAX: usize = 256;

/// Changes and waiting askers.
#[derive(Debug, Default)]
pub(super) struct Batch {
    items: Vec<Item>,
    waiters: Vec<Waiter>,
    touched: HashSet<JobId>,
    /// SHA-256 of calls: the second of two that are the same must see the first.
    calls: HashSet<[u8; 32]>,
    /// Whether windows or holds change in it, which a call must see.
    moves_gate: bool,
    payload_bytes: usize,
    /// Whether a change in it may make a claim possible or impossible.
    moves_jobs: bool,
}

/// Who is answered with which of the batch's changes.
#[derive(Debug)]
pub(super) enum Waiter {
    Job { item: usize, reply: Reply<Job> },
    Jobs { items: Range<usize>, reply: Reply<Vec<Job>> },
    Purged { ids: Vec<JobId>, reply: Reply<Vec<JobId>> },
    Nothing { reply: Reply<()> },
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }

    /// Whether a command can be decided now: it must not depend on changes that are not yet made.
    pub(super) fn has_room_for(&self, command: &Command) -> bool {
        let independent = match command {
            Command::Accept { submission, is_call: true, .. } => {
                !self.moves_gate && !self.calls.contains(&submission.sha256)
            }
            Command::Accept { .. } | Command::Answer { .. } => true,
            Command::Claim { .. } => !self.moves_jobs,
            Command::Change { id, .. } => !self.touched.contains(id),
            Command::Maintenance { .. }
            | Command::Backup { .. }
            | Command::LegalHold { .. }
            | Command::Purge { .. }
            | Command::Verify { .. }
            | Command::Close => self.is_empty(),
        };
        independent && self.items.len() < CHANGES_MAX && self.payload_bytes < BATCH_BYTES_MAX / 2
    }

    pub(super) fn push(&mut self, item: Item) -> usize {
        match &item.entry.change {
            Change::Job { id, .. } | Change::Purged(Purged { id, .. }) => drop(self.touched.insert(*id)),
            Change::Maintenance(_) | Change::LegalHold(_) => {}
        }
        self.payload_bytes += item.payload.as_ref().map_or(0, Vec::len);
        self.items.push(item);
        self.items.len() - 1
    }

    pub(super) fn wait(&mut self, waiter: Waiter) {
        self.waiters.push(waiter);
    }

    pub(super) fn has_call(&mut self, sha256: [u8; 32]) {
        self.calls.insert(sha256);
    }

    pub(super) fn moves_gate(&mut self) {
        self.moves_gate = true;
    }

    pub(super) fn moves_jobs(&mut self) {
        self.moves_jobs = true;
    }

    pub(super) fn take_items(&mut self) -> Vec<Item> {
        std::mem::take(&mut self.items)
    }

    pub(super) fn take_waiters(&mut self) -> Vec<Waiter> {
        std::mem::take(&mut self.waiters)
    }

    /// Nobody may be told that anything happened, nor that nothing did.
    pub(super) fn fail(&mut self) {
        for waiter in self.take_waiters() {
            waiter.refuse(StoreError::Poisoned);
        }
    }
}

impl Waiter {
    pub(super) fn refuse(self, error: StoreError) {
        match self {
            Self::Job { reply, .. } => drop(reply.send(Err(error))),
            Self::Jobs { reply, .. } => drop(reply.send(Err(error))),
            Self::Purged { reply, .. } => drop(reply.send(Err(error))),
            Self::Nothing { reply } => drop(reply.send(Err(error))),
        }
    }
}
