//! The job itself and its state machine.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Counts, HistoryEntry, JobEvent, JobState, Outcome, RetryPolicy, Submission};
use crate::JobId;

/// One submission and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its name among all jobs.
    pub id: JobId,
    /// What the sender handed over.
    pub submission: Submission,
    /// Where it stands.
    pub state: JobState,
    /// How it ended, once it is complete.
    pub outcome: Option<Outcome>,
    /// When its sender read success.
    pub received_at: DateTime<Utc>,
    /// When it reached a final state.
    pub finished_at: Option<DateTime<Utc>>,
    /// How often a worker took it, not counting attempts that it gave back.
    pub attempts: u32,
    /// Passing failures since it was accepted or requeued.
    pub failures: u32,
    /// How often in a row its worker vanished without getting any further.
    pub interruptions: u32,
    /// Not to be tried before, while it is retrying.
    pub not_before: Option<DateTime<Utc>>,
    /// Why it stands where it stands, where there is more to say than the state.
    pub reason: Option<String>,
    /// Its messages, as far as it was processed.
    pub counts: Counts,
    /// Where its worker goes on, in the worker's encoding.
    pub progress: Option<Vec<u8>>,
    /// Number of the claim that may write: the `seq` of its last `Claimed`.
    pub fence: u64,
    /// The job whose response stands for this one too.
    pub duplicate_of: Option<JobId>,
    /// Whether the sender deleted the HL7 response from its outbox.
    pub response_deleted: bool,
    /// Whether the sender deleted the report from its outbox.
    pub report_deleted: bool,
}

/// An event that can't happen to a job in its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event} is not possible while the job is {state}")]
pub struct IllegalTransition {
    /// The event.
    pub event: &'static str,
    /// The job's state.
    pub state: JobState,
}

impl Job {
    /// A job as it is after its `Accepted` event.
    pub fn accepted(id: JobId, received_at: DateTime<Utc>, submission: Submission) -> Self {
        Self {
            id,
            submission,
            state: JobState::Queued,
            outcome: None,
            received_at,
            finished_at: None,
            attempts: 0,
            failures: 0,
            interruptions: 0,
            not_before: None,
            reason: None,
            counts: Counts::default(),
            progress: None,
            fence: 0,
            duplicate_of: None,
            response_deleted: false,
            report_deleted: false,
        }
    }

    /// Whether a worker may take it at `now`. A time further off than any delay we ever set means
    /// that the wall clock was put back, and is not waited for.
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.state.is_waiting()
            && self.not_before.is_none_or(|then| then <= now || then - now > RetryPolicy::DELAY_MAX)
    }

    /// Whether there is a response for the sender.
    pub const fn has_response(&self) -> bool {
        matches!(self.state, JobState::Complete | JobState::Error | JobState::Duplicate)
    }

    /// The state machine: what `entry` makes of the job. An event that the state doesn't allow
    /// changes nothing.
    pub fn apply(&mut self, entry: &HistoryEntry) -> Result<(), IllegalTransition> {
        let event = &entry.event;
        if !self.allows(event) {
            return Err(IllegalTransition { event: event.name(), state: self.state });
        }
        match event {
            JobEvent::Accepted(_) | JobEvent::PayloadRead { .. } => {}
            JobEvent::Claimed => {
                self.state = JobState::Processing;
                self.attempts += 1;
                self.fence = entry.seq;
                self.not_before = None;
            }
            JobEvent::Checkpointed { progress, counts } => {
                self.progress = Some(progress.clone());
                self.counts = *counts;
                self.interruptions = 0;
            }
            JobEvent::Yielded => {
                self.attempts = self.attempts.saturating_sub(1);
                self.wait(JobState::Queued, None);
            }
            JobEvent::Interrupted => {
                self.interruptions += 1;
                self.wait(JobState::Queued, None);
            }
            JobEvent::Released { .. } => self.wait(JobState::Queued, None),
            JobEvent::Retried { not_before, reason } => {
                self.failures += 1;
                self.wait(JobState::Retrying, Some(reason));
                self.not_before = Some(*not_before);
            }
            JobEvent::Completed { outcome, counts } => {
                self.outcome = Some(*outcome);
                self.counts = *counts;
                self.finish(JobState::Complete, entry.at, None);
            }
            JobEvent::Refused { reason } => self.finish(JobState::Error, entry.at, Some(reason)),
            JobEvent::FoundDuplicate { of } => {
                self.duplicate_of = Some(*of);
                self.finish(JobState::Duplicate, entry.at, None);
            }
            JobEvent::Failed { reason } => self.finish(JobState::Exception, entry.at, Some(reason)),
            JobEvent::Cancelled { reason } | JobEvent::TakenBack { reason } => {
                self.finish(JobState::Cancelled, entry.at, Some(reason));
            }
            JobEvent::Held { reason } => self.wait(JobState::Held, Some(reason)),
            JobEvent::Requeued { .. } => self.requeue(),
            JobEvent::ResponseDeleted { report: false } => self.response_deleted = true,
            JobEvent::ResponseDeleted { report: true } => self.report_deleted = true,
        }
        Ok(())
    }

    fn allows(&self, event: &JobEvent) -> bool {
        match event {
            JobEvent::Accepted(_) => false,
            JobEvent::Claimed | JobEvent::Held { .. } => self.state.is_waiting(),
            JobEvent::Checkpointed { .. }
            | JobEvent::Yielded
            | JobEvent::Interrupted
            | JobEvent::Retried { .. }
            | JobEvent::Completed { .. }
            | JobEvent::Refused { .. }
            | JobEvent::FoundDuplicate { .. }
            | JobEvent::Failed { .. }
            | JobEvent::TakenBack { .. } => self.state == JobState::Processing,
            JobEvent::Released { .. } => self.state == JobState::Held,
            JobEvent::Cancelled { .. } => self.state.is_waiting() || self.state == JobState::Held,
            JobEvent::Requeued { .. } => self.may_be_requeued(),
            JobEvent::ResponseDeleted { .. } => self.has_response(),
            JobEvent::PayloadRead { .. } => true,
        }
    }

    /// Only a job of which nothing was delivered, or which goes on where it stopped.
    fn may_be_requeued(&self) -> bool {
        matches!(self.state, JobState::Error | JobState::Exception | JobState::Cancelled)
            || self.outcome.is_some_and(Outcome::delivered_nothing)
    }

    fn wait(&mut self, state: JobState, reason: Option<&String>) {
        self.state = state;
        self.reason = reason.cloned();
        self.not_before = None;
    }

    fn finish(&mut self, state: JobState, at: DateTime<Utc>, reason: Option<&String>) {
        self.state = state;
        self.reason = reason.cloned();
        self.finished_at = Some(at);
        self.not_before = None;
        self.progress = if state == JobState::Exception { self.progress.take() } else { None };
    }

    /// Goes back to its lane. What was delivered before an exception stays delivered: the progress is
    /// kept, so that requeuing repeats nothing.
    fn requeue(&mut self) {
        self.wait(JobState::Queued, None);
        self.finished_at = None;
        self.outcome = None;
        self.failures = 0;
        self.interruptions = 0;
        self.response_deleted = false;
        self.report_deleted = false;
    }
}
