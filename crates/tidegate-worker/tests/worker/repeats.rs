//! Messages that came in an earlier file of their organization.

use std::sync::{Arc, Mutex};

use tidegate_domain::job::JobState;
use tidegate_store::Options;
use tidegate_worker::{Code, DeliverError, DirectoryTarget, Key};

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
    // A checkpoint is written every 1,000 messages, and every second.
    assert!(probe.ordinals().first() > Some(&500), "it went on at a checkpoint");
    let of_second = probe.keys().iter().filter(|key| key.job == second).count();
    assert_eq!((of_second, copy.counts.accepted), (100, 2_100));
    running.stopped().await.unwrap();
}

/// It stayed the original in its own file, and the corrected message behind it was refused with 205.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_the_registry_refused_is_no_original_in_its_own_file_either() {
    let rig = Rig::new();
    let probe = Probe::scripted(|key| refuse(key, &[1]));
    let running = rig.work(probe.clone());
    let file = batch(&[message(1), corrected(1), message(1), corrected(1)]);
    let id = rig.accept("A", "file", &file).await;
    let job = rig.reaches(id, JobState::Complete).await;
    assert_eq!(probe.texts(), [corrected(1)]);
    let response = rig.masked_response(id);
    let codes: Vec<&str> = response.split("MSA|").skip(1).map(|rest| &rest[..2]).collect();
    assert_eq!(codes, ["AE", "AA", "AR", "AA"], "{response}");
    assert_eq!((job.counts.accepted, job.counts.errored, job.counts.rejected), (2, 1, 1));
    running.stopped().await.unwrap();
}

/// A checkpoint lies between what was refused or taken and what comes again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_it_is_still_known_which_messages_of_the_file_were_delivered() {
    let mut messages: Vec<String> = (0..1_600).map(message).collect();
    messages.extend([corrected(4), message(5), corrected(6), message(4), nameless(7), corrected(1_550)]);
    let rig = Rig::new();
    let image = Arc::new(Mutex::new(None));
    let (taken, path) = (Arc::clone(&image), rig.path().to_owned());
    let probe = Probe::scripted(move |key| {
        if key.ordinal == 1_500 {
            taken.lock().unwrap().get_or_insert_with(|| Rig::crash_image(&path));
        }
        refuse(key, &[5, 1_551])
    });
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &batch(&messages)).await;
    let whole = rig.reaches(id, JobState::Complete).await;
    running.stopped().await.unwrap();
    assert_eq!(probe.ordinals()[1_598..], [1_601, 1_606], "what was refused came again, corrected");
    let codes = |rig: &Rig| {
        let response = rig.masked_response(id);
        response.split("MSA|").skip(1_601).map(|rest| rest[..2].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&rig), ["AA", "AA", "AR", "AR", "AR", "AA"]);

    let next = Rig::open(image.lock().unwrap().take().unwrap(), Options::default());
    let probe = Probe::scripted(|key| refuse(key, &[1_551]));
    let running = next.work(probe.clone());
    let again = next.reaches(id, JobState::Complete).await;
    running.stopped().await.unwrap();
    let ordinals = probe.ordinals();
    assert!(ordinals.first() > Some(&500), "it went on at a checkpoint");
    assert_eq!(ordinals[ordinals.len() - 2..], [1_601, 1_606]);
    assert_eq!(again.counts, whole.counts);
    assert_eq!(next.masked_response(id), rig.masked_response(id));
}

fn corrected(number: u64) -> String {
    message(number).replace("JANE", "JOAN")
}

fn refuse(key: &Key, ordinals: &[u64]) -> Result<(), DeliverError> {
    if ordinals.contains(&key.ordinal) {
        return Err(DeliverError::Refused { code: Code::Error, text: "not today".to_owned() });
    }
    Ok(())
}
