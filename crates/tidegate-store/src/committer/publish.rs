//! What follows once a batch is durable: index, spool, lanes, answers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tidegate_domain::JobId;
use tidegate_domain::job::{Job, JobEvent, JobState};

use super::Committer;
use super::batch::Waiter;
use crate::core::Lease;
use crate::error::StoreError;
use crate::index::Applied;
use crate::journal::Item;
use crate::record::{Change, Entry};

/// A job whose files are not where its state says.
#[derive(Debug)]
pub(crate) struct Unsettled {
    /// The change that asked for it.
    pub(crate) seq: u64,
    pub(crate) id: JobId,
    /// The bytes of a small upload that are only in the journal yet.
    pub(crate) payload: Option<Vec<u8>>,
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
        let core = Arc::clone(&self.core);
        let coming = core.spool.expect(self.batch.items().iter().filter_map(Item::new_payload));
        self.answer(&jobs);
        self.write_payloads(&jobs);
        drop(coming);
        self.note_settled();
        self.core.wakeup.notify_one();
    }

    /// Puts small uploads into the spool, now that their senders need not wait for it: the journal has
    /// their bytes. Nobody claims them before, since claims are decided by this thread, too.
    fn write_payloads(&mut self, jobs: &[Option<Job>]) {
        for (item, job) in self.batch.take_items().into_iter().zip(jobs) {
            let (Some(job), Some(bytes)) = (job, item.payload) else { continue };
            if self.core.spool.write_new_payload(&job.submission.org, job.id, &bytes).is_err() {
                let (seq, id) = (item.entry.seq, job.id);
                self.unsettled.push(Unsettled { seq, id, payload: Some(bytes) });
            }
        }
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
                        self.unsettled.push(Unsettled { seq: entry.seq, id: job.id, payload: None });
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
        let oldest = self.unsettled.iter().map(|left| left.seq).chain(remains).min().map(|seq| seq - 1);
        let settled = oldest.unwrap_or(u64::MAX).min(self.index.mark().seq);
        self.core.settled_seq.store(settled, Ordering::Release);
    }

    fn answer(&mut self, jobs: &[Option<Job>]) {
        let job_at = |item: usize| jobs.get(item).cloned().flatten().ok_or(StoreError::UnknownJob);
        for waiter in self.batch.take_waiters() {
            match waiter {
                Waiter::Job { item, reply } => drop(reply.send(job_at(item))),
                Waiter::Jobs { items, reply } => drop(reply.send(items.map(job_at).collect())),
                Waiter::Purged { ids, reply } => drop(reply.send(Ok(ids))),
                Waiter::Nothing { reply } => drop(reply.send(Ok(()))),
            }
        }
    }

    /// Tries again to put files where they belong.
    pub(super) fn settle_left_over(&mut self) {
        let core = &self.core;
        self.unsettled.retain(|left| match core.reader.job(left.id) {
            Ok(Some(job)) => {
                let written =
                    left.payload.as_ref().map_or(Ok(()), |bytes| core.spool.restore_payload(&job, bytes));
                written.and_then(|()| core.spool.settle(None, &job)).is_err()
            }
            _ => true,
        });
        self.note_settled();
        self.seal_full();
    }

    /// Tries again to write small uploads that the spool could not take; whether there still are any.
    pub(super) fn owes_payloads_still(&mut self) -> bool {
        if self.unsettled.iter().any(|left| left.payload.is_some()) {
            self.settle_left_over();
        }
        self.unsettled.iter().any(|left| left.payload.is_some())
    }

    /// Whether the bytes of a job are only in the journal yet: no worker would find them.
    pub(super) fn owes_payload_of(&self, id: JobId) -> bool {
        self.unsettled.iter().any(|left| left.id == id && left.payload.is_some())
    }

    /// The journal took nothing of the batch: as if it had not been asked for.
    pub(super) fn take_back(&mut self, error: &io::Error) {
        for item in self.batch.items() {
            if let Change::Job { id, event: JobEvent::Claimed } = &item.entry.change
                && let Ok(Some(job)) = self.core.reader.job(*id)
            {
                self.core.lanes().set_busy(&job.submission.org, false);
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
            lanes.set_busy(org, false);
            self.leases().remove(&job.id);
        }
        if matches!(entry.change, Change::Job { event: JobEvent::Claimed, .. }) {
            let ends = Instant::now() + self.options.lease;
            self.leases().insert(job.id, Lease { fence: entry.seq, ends });
        }
        if before.is_some_and(|state| !state.is_final()) && job.state.is_final() {
            self.drain().job_finished(Instant::now());
        }
    }
}
