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

/// Ends a claim of whose messages some went to `target`; the job, unless the claim was lost or nothing could be
/// recorded before the service stops. An error ends the worker.
pub(super) async fn finish(
    context: Arc<Context>,
    claim: Claim,
    event: JobEvent,
    target: Option<Arc<Target>>,
) -> Result<Option<Job>, WorkerError> {
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
                return Ok(Some(job));
            }
            Err(StoreError::StaleClaim | StoreError::UnknownJob | StoreError::Illegal(_)) => {
                tracing::warn!(job = %claim.id(), "claim lost");
                return Ok(None);
            }
            Err(error @ (StoreError::Poisoned | StoreError::Closed)) => {
                return Err(WorkerError::Store(error));
            }
            Err(error) => {
                tracing::warn!(job = %claim.id(), %error, "end of job not recorded");
                if context.is_stopping() {
                    return Ok(None);
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
    meanwhile(context.store.finish(claim, event), || drop(context.store.renew(claim))).await
}

/// Waits for `recorded` and renews the claim every [`RENEW_EVERY`]. What `renew` says is not asked: a claim ends with
/// the very record that is waited for, and whether it was lost that one tells.
async fn meanwhile<T>(recorded: impl Future<Output = T>, renew: impl Fn()) -> T {
    tokio::pin!(recorded);
    loop {
        tokio::select! {
            result = &mut recorded => return result,
            () = sleep(RENEW_EVERY) => renew(),
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_end_is_heard_out_though_the_claim_ended_by_it_meanwhile() {
        let (tell, recorded) = oneshot::channel();
        let (tell, renewals) = (Cell::new(Some(tell)), Cell::new(0));
        let renew = || {
            renewals.set(renewals.get() + 1);
            if renewals.get() == 3 {
                tell.take().unwrap().send("recorded").unwrap();
            }
        };
        assert_eq!(meanwhile(recorded, renew).await, Ok("recorded"));
    }
}
