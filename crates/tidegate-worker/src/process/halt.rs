//! Why processing stopped before its end, and what follows from that.
//!
//! Invariant: every failure is classed here once, by what has to happen next; texts name what was
//! being done and the system's answer, never a file or its content.

use std::io;
use std::sync::Arc;

use tidegate_domain::job::JobEvent;
use tidegate_store::StoreError;

use crate::error::WorkerError;
use crate::targets::Target;

/// Why processing stopped.
#[derive(Debug)]
pub(super) enum Halt {
    /// The gate closed, the target is away, or the service stops.
    Yield,
    /// A later attempt may succeed.
    Passing(String),
    /// Only staff can help.
    Permanent(String),
    /// The claim was lost: whoever has it now goes on.
    Stale,
    /// The worker has to end.
    Fatal(WorkerError),
}

/// What becomes of a job that was processed as far as it got.
pub(crate) enum End {
    /// To be recorded, once what was delivered to the target, if there is one, is durable.
    Event(JobEvent, Option<Arc<Target>>),
    /// Nothing is to be written by this claim any more.
    Stale,
    /// The worker has to end.
    Fatal(WorkerError),
}

impl Halt {
    pub(super) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Passing(format!("{doing}: {error}"))
    }

    /// What follows; `after_failure` decides whether there is another attempt.
    pub(super) fn end(self, after_failure: impl FnOnce(String) -> JobEvent) -> End {
        match self {
            Self::Yield => End::Event(JobEvent::Yielded, None),
            Self::Passing(reason) => End::Event(after_failure(reason), None),
            Self::Permanent(reason) => End::Event(JobEvent::Failed { reason }, None),
            Self::Stale => End::Stale,
            Self::Fatal(error) => End::Fatal(error),
        }
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Poisoned | StoreError::Closed => Self::Fatal(WorkerError::Store(error)),
            // The last two: the job went on without this claim, which is the same thing.
            StoreError::StaleClaim | StoreError::UnknownJob | StoreError::Illegal(_) => Self::Stale,
            passing => Self::Passing(passing.to_string()),
        }
    }
}
