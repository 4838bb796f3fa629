//! Messages that came in an earlier file of their organization.

use std::sync::{Arc, Mutex};

use tidegate_domain::job::JobState;
use tidegate_store::Options;
use tidegate_worker::{Code, DeliverError, DirectoryTarget};

use crate::files::{batch, good, message, nameless};
use crate::probe::Probe;
use crate::rig::Rig;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_everything_again_is_answered_in_full_and_nothing_is_delivered_twice() {
    let rig = Rig::new();
    let probe = Probe::willing();
    let running = rig.work(probe.clone());
    let first = rig.accept("A", "monday", &good(0..5)).await;
    rig.reaches(first, JobState::Complete).await;
    let changed = message(1).replace("JANE", "JOAN");
    let again = [message(4), message(0), changed, message(9), message(2)];
    let second = rig.accept("A", "again", &batch(&again)).await;
    let job = rig.reaches(second, JobState::Complete).await;
    assert_eq!(probe.texts()[5..], [message(9)], "only what is new");
    let response = rig.masked_response(second);
    assert_eq!((response.matches("MSA|AA").count(), response.matches("MSA|AR|M000001").count()), (4, 1));
    assert!(response.contains("|205^"), "{response}");
    assert_eq!((job.counts.total, job.counts.accepted, job.counts.rejected), (5, 4, 1));
    let report = rig.report(second);
    assert!(report.contains("3 of the accepted messages came more than once"), "{report}");
    // Another organization's message with the same id is another message.
    let other = rig.accept("B", "monday", &good(0..1)).await;
    rig.reaches(other, JobState::Complete).await;
    assert_eq!(probe.texts().len(), 7);
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_not_delivered_is_nobodys_original() {
    let rig = Rig::new();
    let mut refused = false;
    let probe = Probe::scripted(move |key| {
        if key.ordinal == 2 && !std::mem::replace(&mut refused, true) {
            return Err(DeliverError::Refused { code: Code::Error, text: "not today".to_owned() });
        }
        Ok(())
    });
    let running = rig.work(probe.clone());
    let first = rig.accept("A", "first", &batch(&[nameless(1), message(2)])).await;
    rig.reaches(first, JobState::Complete).await;
    assert_eq!(probe.texts().len(), 0);
    let second = rig.accept("A", "second", &batch(&[message(1), message(2), message(3)])).await;
    rig.reaches(second, JobState::Complete).await;
    assert_eq!(probe.texts(), [message(1), message(2), message(3)]);
    assert_eq!(rig.masked_response(second).matches("MSA|AA").count(), 3);
    running.stopped().await.unwrap();
}

/// The service is killed in the midst of a file while a copy of its messages waits in another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_a_copy_in_another_file_is_delivered_by_one_of_them_only() {
    let rig = Rig::new();
    let image = Arc::new(Mutex::new(None));
    let (taken, path) = (Arc::clone(&image), rig.path().to_owned());
    let probe = Probe::scripted(move |key| {
        if key.ordinal == 1_500 {
            taken.lock().unwrap().get_or_insert_with(|| Rig::crash_image(&path));
        }
        Ok(())
    });
    rig.close_gate().await;
    let first = rig.accept("A", "first", &good(0..2_000)).await;
    let backwards: Vec<String> = (0..2_100).rev().map(message).collect();
    let second = rig.accept("A", "second", &batch(&backwards)).await;
    rig.open_gate().await;
    let running = rig.work(probe.clone());
    rig.reaches(second, JobState::Complete).await;
    running.stopped().await.unwrap();
    assert_eq!(probe.texts().len(), 2_100);

    let next = Rig::open(image.lock().unwrap().take().unwrap(), Options::default());
    let directory = DirectoryTarget::open(&next.path().join("delivered"), next.path()).unwrap();
    let probe = Probe::before(directory, |_| Ok(()));
    let running = next.work(probe.clone());
    next.reaches(first, JobState::Complete).await;
    let copy = next.reaches(second, JobState::Complete).await;
    assert_eq!(probe.ordinals().first(), Some(&1_001), "it went on at a checkpoint");
    let of_second = probe.keys().iter().filter(|key| key.job == second).count();
    assert_eq!((of_second, copy.counts.accepted), (100, 2_100));
    running.stopped().await.unwrap();
}
