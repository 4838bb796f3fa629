//! What is under way: claims, files, ends.
//!
//! Invariant: nothing that is under way is forgotten, and a panic in one of them reaches nobody else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_store::{Claim, StoreError};
use tokio::task::{JoinError, JoinSet, spawn_blocking};

use crate::error::WorkerError;
use crate::process::{Context, End, process};

/// All that is under way.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    /// At most one, with the number of jobs that was asked for.
    pub(super) claiming: JoinSet<(usize, Result<Vec<Claim>, StoreError>)>,
    pub(super) processing: JoinSet<Processed>,
    /// Calls.
    pub(super) answering: JoinSet<Processed>,
    pub(super) finishing: JoinSet<Result<(), WorkerError>>,
    /// Queries.
    pub(super) asking: JoinSet<()>,
    /// Connections of targets that are away.
    pub(super) testing: JoinSet<()>,
}

/// What came to its end.
pub(super) enum Done {
    Claimed(usize, Result<Vec<Claim>, StoreError>),
    Processed(Box<Processed>),
    Answered(Box<Processed>),
    Finished(Result<(), WorkerError>),
}

/// A file that was taken as far as it got.
pub(super) struct Processed {
    pub(super) claim: Claim,
    pub(super) end: End,
    pub(super) elapsed: Duration,
}

impl Tasks {
    pub(super) fn is_empty(&self) -> bool {
        self.claiming.is_empty()
            && self.processing.is_empty()
            && self.answering.is_empty()
            && self.finishing.is_empty()
    }

    /// Waits for the next one; for ever if there is none.
    pub(super) async fn next(&mut self) -> Done {
        loop {
            tokio::select! {
                Some(done) = self.claiming.join_next() => match done {
                    Ok((asked, claims)) => return Done::Claimed(asked, claims),
                    Err(error) => note(&error),
                },
                Some(done) = self.processing.join_next() => match done {
                    Ok(processed) => return Done::Processed(Box::new(processed)),
                    Err(error) => note(&error),
                },
                Some(done) = self.answering.join_next() => match done {
                    Ok(answered) => return Done::Answered(Box::new(answered)),
                    Err(error) => note(&error),
                },
                Some(done) = self.finishing.join_next() => match done {
                    Ok(result) => return Done::Finished(result),
                    Err(error) => note(&error),
                },
                else => std::future::pending::<()>().await,
            }
        }
    }
}

/// A job whose task is lost goes back into its lane when its lease runs out.
fn note(error: &JoinError) {
    tracing::error!(%error, "a task of the worker was lost");
}

/// Processes a job on a blocking thread. A panic there is our fault, not the file's: the job is tried
/// again like after any passing failure.
pub(super) async fn in_thread(context: Arc<Context>, claim: Claim) -> Processed {
    let (of_thread, job) = (Arc::clone(&context), claim.clone());
    let thread = spawn_blocking(move || {
        let begun = Instant::now();
        (process(&of_thread, &job), begun.elapsed())
    });
    let (end, elapsed) = thread.await.unwrap_or_else(|_| {
        tracing::error!(job = %claim.id(), "processing panicked");
        let reason = "an internal error; the log has more".to_owned();
        (End::Event(context.after_failure(claim.job.failures, reason), None), Duration::ZERO)
    });
    Processed { claim, end, elapsed }
}
