//! Has a new index made beside the work when the file of the one in use has become too long.

use std::time::{Duration, Instant};

use tidegate_domain::job::JobState;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::oneshot::{Receiver, channel};

use super::Committer;
use crate::error::StoreError;
use crate::syncer::Request;

/// About half as much again as the file has for each job when it was just made.
const BYTES_PER_JOB: u64 = 1536;

/// A step is due after this long, though there is always something else to do.
const STEP_MAX: Duration = Duration::from_millis(100);

/// How far the store is with it.
#[derive(Debug)]
pub(super) struct Renewing {
    step: Step,
    /// When the last step was done.
    stepped_at: Instant,
    /// Bytes of the file when it was last made, and the jobs that were in it.
    made: (u64, u64),
    /// Bytes that it had when an attempt failed.
    failed_at: u64,
}

#[derive(Debug)]
enum Step {
    /// Nobody has looked since the start.
    Unknown,
    None,
    /// Pairs are copied.
    Copying,
    /// All are; the syncer makes it durable and puts it in use.
    Taken(Receiver<Result<(), StoreError>>),
}

impl Default for Renewing {
    fn default() -> Self {
        Self { step: Step::Unknown, stepped_at: Instant::now(), made: (0, 0), failed_at: 0 }
    }
}

impl Renewing {
    /// Whether few changes, but always some, keep the next step from being done.
    pub(super) fn is_late(&self) -> bool {
        self.is_running() && self.stepped_at.elapsed() >= STEP_MAX
    }

    pub(super) fn is_running(&self) -> bool {
        !matches!(self.step, Step::None)
    }

    /// Bytes of which nobody takes some for garbage while there are so many jobs: half as many again as a file has
    /// that was just made, as far as its jobs are there still; or as many as there were when an attempt failed.
    fn bytes_accounted_for(&self, jobs: u64) -> u64 {
        let (bytes, jobs_then) = self.made;
        let as_made = (bytes / (jobs_then + 1)).saturating_mul(jobs.min(jobs_then) + 1);
        jobs.saturating_mul(BYTES_PER_JOB).max(as_made.saturating_add(as_made / 2)).max(self.failed_at)
    }
}

impl Committer {
    /// The next step, between two batches. The index that is in use does not depend on any of them.
    pub(super) fn renew(&mut self) {
        if self.core.check().is_err() {
            return;
        }
        self.renewing.stepped_at = Instant::now();
        let done = match &mut self.renewing.step {
            Step::Unknown | Step::None => self.begin_renewal(),
            Step::Copying => self.copy_index(),
            Step::Taken(answer) => match answer.try_recv() {
                Ok(Ok(())) => {
                    self.note_renewed();
                    Ok(())
                }
                Ok(Err(error)) => Err(error),
                Err(TryRecvError::Empty) => Ok(()),
                // The syncer's end is the store's.
                Err(TryRecvError::Closed) => return,
            },
        };
        if let Err(error) = done {
            self.give_renewal_up(&error);
        }
    }

    fn begin_renewal(&mut self) -> Result<(), StoreError> {
        let length = self.index_bytes();
        let accounted_for = self.renewing.bytes_accounted_for(self.jobs());
        if length <= accounted_for.saturating_add(self.core.options.renewal.garbage_bytes_max) {
            self.renewing.step = Step::None;
            return Ok(());
        }
        // The new one is not longer, as far as anybody knows.
        if !self.has_room_for(length) {
            return Err(StoreError::NoSpace);
        }
        self.renewing.step = Step::Copying;
        let pairs_at_once = self.core.options.renewal.pairs_at_once;
        self.index.begin_renewal(self.core.disk(), &self.core.layout.next_queue(), pairs_at_once)
    }

    fn copy_index(&mut self) -> Result<(), StoreError> {
        if !self.has_room_for(0) || !self.index.has_room() {
            return Err(StoreError::NoSpace);
        }
        let made = self.index.renew(self.core.disk(), &self.core.layout.next_queue())?;
        if let Some(durability) = made {
            let (reply, answer) = channel();
            self.renewing.step = Step::Taken(answer);
            self.syncer.request(Request::Renew(durability, reply));
        }
        Ok(())
    }

    fn note_renewed(&mut self) {
        self.index.end_renewal();
        let bytes = self.index_bytes();
        self.renewing = Renewing { step: Step::None, made: (bytes, self.jobs()), ..Renewing::default() };
        tracing::info!(bytes, "index made anew");
    }

    /// Nothing is lost by it but the work; the next attempt waits until the file has grown again.
    fn give_renewal_up(&mut self, error: &StoreError) {
        if error.is_failed_sync() {
            self.core.poison("making a new index", error);
            return;
        }
        tracing::warn!(%error, "index was not made anew; it goes on growing meanwhile");
        self.break_renewal_off();
        self.renewing.failed_at = self.index_bytes();
    }

    /// What the syncer has taken it puts in use, or removes.
    pub(super) fn break_renewal_off(&mut self) {
        self.index.end_renewal();
        if matches!(std::mem::replace(&mut self.renewing.step, Step::None), Step::Copying) {
            let removed = self.core.disk().remove_dir_all(&self.core.layout.next_queue());
            if let Err(error) = removed {
                tracing::warn!(%error, "what is left of a new index was not removed");
            }
        }
    }

    /// Whether there is room for so many bytes besides what uploads leave free. Where nobody can tell there is none.
    fn has_room_for(&self, bytes: u64) -> bool {
        let free = self.core.disk().free_bytes(self.core.layout.root()).unwrap_or(0);
        free >= self.core.options.free_bytes_min.saturating_add(bytes)
    }

    fn jobs(&self) -> u64 {
        JobState::ALL.iter().map(|state| self.index.mark().count(*state)).sum()
    }

    fn index_bytes(&self) -> u64 {
        std::fs::metadata(self.core.layout.queue().join("db")).map_or(0, |file| file.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_made_for_many_jobs_is_too_long_once_they_are_gone() {
        let made = Renewing { made: (4_000_000, 999), ..Renewing::default() };
        assert_eq!(made.bytes_accounted_for(999), 6_000_000);
        assert_eq!(made.bytes_accounted_for(9), 60_000);
        // More of them count like any others.
        assert_eq!(made.bytes_accounted_for(1000), 6_000_000);
        assert_eq!(made.bytes_accounted_for(10_000), 15_360_000);
    }

    #[test]
    fn a_step_is_late_where_there_is_always_something_else_to_do_and_never_without_a_renewal() {
        let before = Instant::now().checked_sub(STEP_MAX).unwrap();
        let waits = Renewing { step: Step::Copying, stepped_at: before, ..Renewing::default() };
        assert!(waits.is_late());
        let runs =
            Renewing { step: Step::Copying, stepped_at: Instant::now() + STEP_MAX, ..Renewing::default() };
        assert!(!runs.is_late());
        assert!(!Renewing { step: Step::None, stepped_at: before, ..Renewing::default() }.is_late());
    }

    #[test]
    fn the_next_attempt_waits_until_the_file_has_grown() {
        let failed = Renewing { failed_at: 5_000_000, ..Renewing::default() };
        assert_eq!(failed.bytes_accounted_for(10), 5_000_000);
        assert_eq!(Renewing::default().bytes_accounted_for(0), 0);
    }
}
