//! The end of the worker: told to, or because the store is gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tidegate_domain::job::JobState;
use tidegate_worker::WorkerError;
use tokio::sync::watch;

use crate::files::good;
use crate::probe::Probe;
use crate::rig::Rig;

/// A stop in the midst of a file: checkpointed, given back, and the next worker goes on behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_gives_files_in_hand_back_between_two_messages() {
    let rig = Rig::new();
    let stop: Arc<OnceLock<watch::Sender<bool>>> = Arc::default();
    let told = Arc::clone(&stop);
    let is_told = AtomicBool::new(false);
    let probe = Probe::scripted(move |key| {
        if key.ordinal >= 20 && !is_told.swap(true, Ordering::Relaxed) {
            told.wait().send_replace(true);
        }
        if is_told.load(Ordering::Relaxed) {
            // The stop comes by way of another thread.
            std::thread::yield_now();
        }
        Ok(())
    });
    let running = rig.work(probe.clone());
    assert!(stop.set(running.stop.clone()).is_ok());
    let id = rig.accept("A", "file", &good(0..20_000)).await;
    running.ended().await.unwrap();
    let job = rig.job(id);
    assert_eq!((job.state, job.attempts), (JobState::Queued, 0));
    let before = probe.ordinals();
    assert!(before.len() < 20_000);
    assert_eq!(job.counts.total, before.len() as u64, "everything delivered is in the checkpoint");

    let next = Probe::willing();
    let running = rig.work(next.clone());
    rig.reaches(id, JobState::Complete).await;
    assert_eq!([before, next.ordinals()].concat(), (1..=20_000).collect::<Vec<_>>());
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_gone_ends_the_worker_with_an_error() {
    let rig = Rig::new();
    let running = rig.work(Probe::willing());
    let id = rig.accept("A", "file", &good(0..1)).await;
    rig.reaches(id, JobState::Complete).await;
    rig.store.close().await;
    assert!(running.ended().await.is_err());
}

/// What can't be made durable is not recorded: the next start delivers it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_that_cannot_be_synced_end_the_worker_and_are_not_recorded() {
    let rig = Rig::new();
    let probe = Probe::willing();
    probe.settles.store(false, Ordering::Relaxed);
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &good(0..3)).await;
    assert!(matches!(running.ended().await, Err(WorkerError::Settle(_))));
    assert_eq!(rig.history(id), ["accepted", "claimed"]);
    assert_eq!(rig.files("orgs/A/outbox"), [""; 0]);
}
