//! What follows once a batch is durable: index, spool, lanes, answers.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tidegate_domain::JobId;
use tidegate_domain::job::{Job, JobEvent, JobState};

use super::batch::Waiter;
use super::{Committer, DEFERRED_CHANGES_MAX};
use crate::core::Lease;
use crate::error::StoreError;
use crate::index::Applied;
use crate::record::{Change, Entry};

/// A job whose files are not where its state says.
#[derive(Debug)]
pub(crate) struct Unsettled {
    /// The change that asked for it.
    pub(crate) seq: u64,
    pub(crate) id: JobId,
}

impl Committer {
    pub(super) fn publish(&mut self) {
        let jobs = match self.show() {
            Ok(jobs) => jobs,
            Err(error) => {
                // The changes are durable, and the next start shows them; this process can't.
                self.core.poison("writing the index", &error);
                self.batch.fail();
                return;
            }
        };
        // Before its answer, after which its sender may look for it.
        self.defer_files(&jobs);
        self.answer(jobs);
        self.write_surplus();
        self.note_settled();
        self.core.wakeup.notify_one();
    }

    /// Keeps the bytes of small uploads in memory for as long as there is something else to do.
    fn defer_files(&mut self, jobs: &[Option<Job>]) {
        for (item, job) in self.batch.take_items().into_iter().zip(jobs) {
            if let (Some(job), Some(bytes)) = (job, item.payload) {
                self.core.spool.deferred.add(item.entry.seq, job.id, job.submission.org.clone(), bytes);
            }
        }
    }

    /// Writes the oldest files of which there are too many in memory, or which keep segments from being
    /// sealed and the next start from being short.
    fn write_surplus(&self) {
        let deferred = &self.core.spool.deferred;
        let is_late = || deferred.oldest_seq().is_some_and(|seq| seq + DEFERRED_CHANGES_MAX < self.next_seq);
        while deferred.bytes() > self.core.options.deferred_bytes_max || is_late() {
            if !deferred.write_oldest() {
                return;
            }
        }
    }

    /// Writes files until somebody asks for something.
    pub(super) fn write_deferred(&mut self) {
        while self.postponed.is_none() && self.core.spool.deferred.write_oldest() {
            self.postponed = self.commands.try_recv().ok();
        }
        self.note_settled();
    }

    /// Brings index, spool and lanes up to the batch; the job of each change.
    fn show(&mut self) -> Result<Vec<Option<Job>>, StoreError> {
        let mut changes = Vec::with_capacity(self.batch.items().len());
        for item in self.batch.items() {
            changes.push(self.index.apply(&item.entry)?);
        }
        self.index.commit(self.next_seq - 1)?;
        let entries: Vec<&Entry> = self.batch.items().iter().map(|item| &item.entry).collect();
        let mut jobs = Vec::with_capacity(changes.len());
        for (entry, applied) in entries.into_iter().zip(changes) {
            match applied {
                Applied::Job { before, job } => {
                    self.core.note_job(entry, before, &job);
                    if before.is_some() && self.core.spool.settle(before, &job).is_err() {
                        self.unsettled.push(Unsettled { seq: entry.seq, id: job.id });
                    }
                    jobs.push(Some(*job));
                }
                Applied::Maintenance(staff) => {
                    self.core.gatekeeper.set_staff(staff);
                    jobs.push(None);
                }
                Applied::Purged { purged, changes } => {
                    self.core.wear().add(changes);
                    self.core.remains().insert(entry.seq, purged);
                    jobs.push(None);
                }
                Applied::LegalHolds => jobs.push(None),
            }
        }
        Ok(jobs)
    }

    fn note_settled(&self) {
        let remains = self.core.remains().keys().next().copied();
        let deferred = self.core.spool.deferred.oldest_seq();
        let unsettled = self.unsettled.iter().map(|left| left.seq);
        let oldest = unsettled.chain(remains).chain(deferred).min().map(|seq| seq - 1);
        let settled = oldest.unwrap_or(u64::MAX).min(self.index.mark().seq);
        self.core.settled_seq.store(settled, Ordering::Release);
    }

    fn answer(&mut self, mut jobs: Vec<Option<Job>>) {
        let mut job_at =
            |item: usize| jobs.get_mut(item).and_then(Option::take).ok_or(StoreError::UnknownJob);
        for waiter in self.batch.take_waiters() {
            match waiter {
                Waiter::Job { item, reply } => drop(reply.send(job_at(item))),
                Waiter::Jobs { items, reply } => drop(reply.send(items.map(&mut job_at).collect())),
                Waiter::Purged { ids, reply } => drop(reply.send(Ok(ids))),
                Waiter::Nothing { reply } => drop(reply.send(Ok(()))),
            }
        }
    }

    /// Tries again to put files where they belong.
    pub(super) fn settle_left_over(&mut self) {
        let core = &self.core;
        core.spool.deferred.is_refused_still();
        self.unsettled.retain(|left| match core.reader().and_then(|reader| reader.job(left.id)) {
            Ok(Some(job)) => core.spool.settle(None, &job).is_err(),
            _ => true,
        });
        self.note_settled();
        self.seal_full();
    }

    /// The journal took nothing of the batch: as if it had not been asked for.
    pub(super) fn take_back(&mut self, error: &io::Error) {
        for item in self.batch.items() {
            if let Change::Job { id, event: JobEvent::Claimed } = &item.entry.change
                && let Ok(Some(job)) = self.core.reader().and_then(|reader| reader.job(*id))
            {
                self.core.lanes().give_back(&job.submission.org, job.id);
            }
        }
        for waiter in self.batch.take_waiters() {
            waiter.refuse(refusal(error));
        }
    }
}

/// What each who waits is told; a full disk has its own name.
fn refusal(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::NoSpace,
        kind => {
            let told = || io::Error::new(kind, error.to_string());
            let source = error.raw_os_error().map_or_else(told, io::Error::from_raw_os_error);
            StoreError::Io { doing: "writing the journal", source }
        }
    }
}

impl crate::core::Core {
    /// Keeps lanes, leases and the drain rate in step with a change.
    pub(crate) fn note_job(&self, entry: &Entry, before: Option<JobState>, job: &Job) {
        let org = &job.submission.org;
        let waited = before.is_some_and(JobState::is_waiting);
        let waits = job.state.is_waiting();
        let mut lanes = self.lanes();
        if waits && !waited {
            lanes.job_waits(org, job.id);
        } else if waited && !waits {
            lanes.job_left(org);
        }
        if before == Some(JobState::Processing) && job.state != JobState::Processing {
            lanes.give_back(org, job.id);
            self.leases().remove(&job.id);
        }
        if matches!(entry.change, Change::Job { event: JobEvent::Claimed, .. }) {
            let ends = self.clock.instant() + self.options.lease;
            self.leases().insert(job.id, Lease { fence: entry.seq, ends });
        }
        if before.is_some_and(|state| !state.is_final()) && job.state.is_final() {
            self.drain().job_finished(Instant::now());
        }
    }
}
