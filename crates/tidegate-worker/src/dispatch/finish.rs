//! Records what became of a job.
//!
//! Invariant: a claim is kept until its end is recorded or it was lost; a disk that is full for a while
//! delays the record and loses nothing. Messages are durable before a record says they are delivered.

use std::sync::Arc;
use std::time::Duration;

use tidegate_domain::job::{Job, JobEvent};
use tidegate_store::{Claim, StoreError};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::error::WorkerError;
use crate::process::{Context, RENEW_EVERY};
use crate::targets::Target;

/// Pause before the store is asked again to record an end that it could not take.
const PAUSE: Duration = Duration::from_secs(1);

/// Ends a claim of whose messages some went to `target`. An error ends the worker.
pub(super) async fn finish(
    context: Arc<Context>,
    claim: Claim,
    event: JobEvent,
    target: Option<Arc<Target>>,
) -> Result<(), WorkerError> {
    let has_ledger = target.as_ref().is_some_and(|target| target.is_final());
    if let Some(target) = target {
        settle(target).await?;
    }
    loop {
        match record(&context, &claim, event.clone()).await {
            Ok(job) => {
                tell(&job, &event);
                if has_ledger {
                    // One that stays is worth nothing, and goes with its job.
                    drop(tokio::fs::remove_file(context.store.outcomes_path(&job)).await);
                }
                return Ok(());
            }
            Err(StoreError::StaleClaim | StoreError::UnknownJob | StoreError::Illegal(_)) => {
                tracing::warn!(job = %claim.id(), "claim lost");
                return Ok(());
            }
            Err(error @ (StoreError::Poisoned | StoreError::Closed)) => {
                return Err(WorkerError::Store(error));
            }
            Err(error) => {
                tracing::warn!(job = %claim.id(), %error, "end of job not recorded");
                if context.is_stopping() {
                    return Ok(());
                }
                sleep(PAUSE).await;
            }
        }
    }
}

async fn settle(target: Arc<Target>) -> Result<(), WorkerError> {
    let settled = spawn_blocking(move || target.settle()).await;
    settled.unwrap_or_else(|panic| Err(std::io::Error::other(panic))).map_err(WorkerError::Settle)
}

/// Asks the store to record the end, and keeps the claim meanwhile.
async fn record(context: &Context, claim: &Claim, event: JobEvent) -> Result<Job, StoreError> {
    let recorded = context.store.finish(claim, event);
    tokio::pin!(recorded);
    loop {
        tokio::select! {
            result = &mut recorded => return result,
            () = sleep(RENEW_EVERY) => context.store.renew(claim)?,
        }
    }
}

fn tell(job: &Job, event: &JobEvent) {
    let (id, org, name) = (job.id, &job.submission.org, event.name());
    match event {
        JobEvent::Completed { outcome, counts } => {
            tracing::info!(job = %id, %org, %outcome, messages = counts.total, "job {name}");
        }
        JobEvent::Failed { reason } => tracing::error!(job = %id, %org, reason, "job {name}"),
        JobEvent::Retried { reason, .. } => tracing::warn!(job = %id, %org, reason, "job {name}"),
        _ => tracing::info!(job = %id, %org, reason = event.reason(), "job {name}"),
    }
}
