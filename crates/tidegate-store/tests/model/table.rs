//! The state machine as a table, and what each event leaves in a job.

use chrono::{DateTime, Utc};
use tidegate_domain::job::{Job, JobEvent, JobState, Outcome, RetryPolicy};

/// Where an event leads; none if it is not possible.
pub(crate) fn next(job: &Job, event: &JobEvent) -> Option<JobState> {
    use JobEvent as E;
    use JobState as S;
    Some(match (job.state, event) {
        (S::Queued | S::Retrying, E::Claimed) | (S::Processing, E::Checkpointed { .. }) => S::Processing,
        (S::Processing, E::Yielded | E::Interrupted)
        | (S::Held, E::Released { .. })
        | (S::Error | S::Exception | S::Cancelled, E::Requeued { .. }) => S::Queued,
        (S::Processing, E::Retried { .. }) => S::Retrying,
        (S::Processing, E::Completed { .. }) => S::Complete,
        (S::Processing, E::Refused { .. }) => S::Error,
        (S::Processing, E::FoundDuplicate { .. }) => S::Duplicate,
        (S::Processing, E::Failed { .. }) => S::Exception,
        (S::Queued | S::Retrying, E::Held { .. }) => S::Held,
        (S::Queued | S::Retrying | S::Held, E::Cancelled { .. }) | (S::Processing, E::TakenBack { .. }) => {
            S::Cancelled
        }
        (S::Complete, E::Requeued { .. })
            if matches!(job.outcome, Some(Outcome::Rejected | Outcome::Tested)) =>
        {
            S::Queued
        }
        (S::Complete | S::Error | S::Duplicate, E::ResponseDeleted { .. }) | (_, E::PayloadRead { .. }) => {
            job.state
        }
        _ => return None,
    })
}

/// Lets an event happen to a job; false if it is not possible and changed nothing.
pub(crate) fn happen(job: &mut Job, event: &JobEvent, at: DateTime<Utc>) -> bool {
    let Some(next) = next(job, event) else { return false };
    let before = std::mem::replace(&mut job.state, next);
    if next.is_final() && !before.is_final() {
        job.finished_at = Some(at);
    }
    if before != next || matches!(event, JobEvent::Retried { .. }) {
        // A job keeps the reason for its last failure while it is tried again.
        if next != JobState::Processing {
            job.reason = event.reason().filter(|_| tells_why(next)).map(str::to_owned);
        }
        job.not_before = None;
    }
    if matches!(next, JobState::Complete | JobState::Error | JobState::Duplicate | JobState::Cancelled) {
        job.progress = None;
    }
    match event {
        JobEvent::Claimed => job.attempts += 1,
        JobEvent::Checkpointed { progress, counts } => {
            (job.progress, job.counts, job.interruptions) = (Some(progress.clone()), *counts, 0);
        }
        JobEvent::Yielded => job.attempts -= 1,
        JobEvent::Interrupted => job.interruptions += 1,
        JobEvent::Retried { not_before, .. } => {
            (job.failures, job.not_before) = (job.failures + 1, Some(*not_before));
        }
        JobEvent::Completed { outcome, counts } => (job.outcome, job.counts) = (Some(*outcome), *counts),
        JobEvent::FoundDuplicate { of } => job.duplicate_of = Some(*of),
        JobEvent::Requeued { .. } => {
            (job.failures, job.interruptions) = (0, 0);
            (job.finished_at, job.outcome) = (None, None);
            (job.response_deleted, job.report_deleted) = (false, false);
        }
        JobEvent::ResponseDeleted { report: false } => job.response_deleted = true,
        JobEvent::ResponseDeleted { report: true } => job.report_deleted = true,
        _ => {}
    }
    true
}

/// The states that people want to know the reason for.
fn tells_why(state: JobState) -> bool {
    use JobState as S;
    matches!(state, S::Retrying | S::Held | S::Error | S::Exception | S::Cancelled)
}

/// Whether its time has come. A time that is further off than any wait means that the clock was put
/// back.
pub(crate) fn is_due(job: &Job, now: DateTime<Utc>) -> bool {
    match job.not_before {
        Some(then) => then <= now || then > now + RetryPolicy::DELAY_MAX,
        None => true,
    }
}

pub(crate) fn waits(job: &Job) -> bool {
    matches!(job.state, JobState::Queued | JobState::Retrying)
}
