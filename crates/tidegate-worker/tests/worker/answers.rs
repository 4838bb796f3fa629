//! What a sender gets back, and what is delivered of its file.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tidegate_domain::Organizations;
use tidegate_domain::job::{Counts, JobState, Outcome};

use crate::files::{batch, good, message, nameless};
use crate::probe::Probe;
use crate::rig::{Rig, files_in};

fn counts(accepted: u64, warned: u64, errored: u64, rejected: u64) -> Counts {
    Counts { total: accepted + warned + errored + rejected, accepted, warned, errored, rejected }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_mixed_and_bad_files_get_the_outcome_they_deserve() {
    let rig = Rig::new();
    let probe = Probe::willing();
    let running = rig.work(probe.clone());
    let wrong_type = message(9).replace("VXU^V04^VXU_V04", "ADT^A08^ADT_A01");
    for (name, file, outcome, expected, delivered) in [
        ("good", good(0..3), Outcome::Accepted, counts(3, 0, 0, 0), 3),
        (
            "mixed",
            batch(&[message(4), nameless(5), wrong_type.clone()]),
            Outcome::AcceptedWithErrors,
            counts(1, 0, 1, 1),
            1,
        ),
        ("bad", batch(&[nameless(7), wrong_type]), Outcome::Rejected, counts(0, 0, 1, 1), 0),
        ("bare", message(10).into_bytes(), Outcome::Accepted, counts(1, 0, 0, 0), 1),
        ("empty batch", b"BHS|^~\\&\rBTS|0\r".to_vec(), Outcome::Accepted, counts(0, 0, 0, 0), 0),
    ] {
        let before = probe.keys().len();
        let id = rig.accept("A", name, &file).await;
        let job = rig.reaches(id, JobState::Complete).await;
        assert_eq!((job.outcome, job.counts), (Some(outcome), expected), "{name}");
        assert_eq!(probe.keys().len() - before, delivered, "{name}");
        assert_eq!(rig.masked_response(id).matches("MSA|").count() as u64, expected.total, "{name}");
        let outbox = rig.files("orgs/A/outbox");
        for ending in ["response", "report.txt"] {
            assert!(outbox.contains(&format!("{name}.{id}.{ending}")), "{name}: {outbox:?}");
        }
        assert_eq!(rig.store.inbox(&crate::rig::org("A")).unwrap(), []);
    }
    // Raw bytes go on, segments ended by CR.
    assert_eq!(probe.texts()[0], message(0));
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_cut_short_is_refused_and_nothing_of_it_is_delivered() {
    let rig = Rig::new();
    let probe = Probe::willing();
    let running = rig.work(probe.clone());
    let whole = good(0..3);
    let cut = &whole[..whole.len() - 12];
    let id = rig.accept("A", "cut", cut).await;
    let job = rig.reaches(id, JobState::Error).await;
    assert!(job.reason.as_ref().unwrap().starts_with("truncated"), "{:?}", job.reason);
    let response = rig.masked_response(id);
    assert_eq!(response.matches("MSA|AR").count(), 1, "{response}");
    assert!(rig.report(id).contains("NOT PROCESSED"));
    assert_eq!(rig.files("orgs/A/outbox"), [format!("cut.{id}.report.txt"), format!("cut.{id}.response")]);
    assert_eq!(probe.keys(), []);
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_files_are_refused_with_their_reason() {
    let rig = Rig::new();
    let running = rig.work(Probe::willing());
    for (bytes, word) in [(&b""[..], "empty"), (b"\x1f\x8b\x08\0\0\0", "gzip"), (b"{\"a\":1}", "JSON")] {
        let id = rig.accept("A", "odd", bytes).await;
        let job = rig.reaches(id, JobState::Error).await;
        assert!(job.reason.unwrap().contains(word), "{word}");
    }
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_again_are_answered_again_but_not_delivered_again() {
    let rig = Rig::new();
    let probe = Probe::willing();
    let running = rig.work(probe.clone());
    let first = rig.accept("A", "one", &good(0..3)).await;
    rig.reaches(first, JobState::Complete).await;
    let again = rig.accept("A", "two", &good(0..3)).await;
    let job = rig.reaches(again, JobState::Duplicate).await;
    assert_eq!(job.duplicate_of, Some(first));
    let outbox = rig.path().join("orgs/A/outbox");
    let read = |name: String| std::fs::read(outbox.join(name)).unwrap();
    assert_eq!(read(format!("two.{again}.response")), read(format!("one.{first}.response")));
    // Another organization's same bytes are its own.
    let other = rig.accept("B", "one", &good(0..3)).await;
    rig.reaches(other, JobState::Complete).await;
    assert_eq!(probe.keys().len(), 6);
    running.stopped().await.unwrap();
}

/// Trying must not spoil the real thing: the file that was tried, and its messages, are nobody's originals.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_test_mode_everything_is_answered_and_nothing_delivered_and_the_file_may_come_again() {
    let rig = Rig::new();
    let probe = Probe::willing();
    let running = rig.work(probe.clone());
    let mut testing = crate::rig::organization("A");
    testing.hl7.mode = Some(tidegate_domain::Mode::Test);
    rig.organizations.send_replace(Arc::new(Organizations::new([testing]).unwrap()));
    let file = batch(&[message(1), nameless(2)]);
    let tried = rig.accept("A", "tried", &file).await;
    let job = rig.reaches(tried, JobState::Complete).await;
    assert_eq!((job.outcome, job.counts), (Some(Outcome::Tested), counts(1, 0, 1, 0)));
    assert!(rig.masked_response(tried).contains("MSA|AA") && rig.report(tried).contains("Test mode"));
    let bad = rig.accept("A", "bad", &batch(&[nameless(3)])).await;
    assert_eq!(rig.reaches(bad, JobState::Complete).await.outcome, Some(Outcome::Rejected));
    assert_eq!(probe.keys(), []);
    rig.organizations.send_replace(Arc::new(Organizations::new([crate::rig::organization("A")]).unwrap()));
    let real = rig.accept("A", "real", &file).await;
    let job = rig.reaches(real, JobState::Complete).await;
    assert_eq!((job.outcome, probe.keys().len()), (Some(Outcome::AcceptedWithErrors), 1));
    running.stopped().await.unwrap();
}

/// The same message twice in a file: delivered once, acknowledged twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_comes_twice_in_a_file_is_delivered_once() {
    let rig = Rig::new();
    let probe = Probe::willing();
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "twice", &batch(&[message(1), message(2), message(1)])).await;
    rig.reaches(id, JobState::Complete).await;
    assert_eq!(probe.ordinals(), [1, 2]);
    assert_eq!(rig.masked_response(id).matches("MSA|AA").count(), 3);
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_file_that_staff_requeue_is_looked_at_again() {
    let rig = Rig::new();
    let probe = Probe::willing();
    let running = rig.work(probe.clone());
    let mut strict = crate::rig::organization("A");
    strict.hl7.strict_counts = true;
    let set =
        |organization| rig.organizations.send_replace(Arc::new(Organizations::new([organization]).unwrap()));
    set(strict);
    let wrong_count = String::from_utf8(good(0..3)).unwrap().replace("BTS|3", "BTS|4");
    let id = rig.accept("A", "count", wrong_count.as_bytes()).await;
    rig.reaches(id, JobState::Error).await;
    set(crate::rig::organization("A"));
    let requeued = tidegate_domain::job::JobEvent::Requeued { reason: "settled by phone".to_owned() };
    rig.store.act(id, requeued, "ann").await.unwrap();
    rig.reaches(id, JobState::Complete).await;
    assert_eq!(probe.ordinals(), [1, 2, 3]);
    assert_eq!(rig.masked_response(id).matches("MSA|AA").count(), 3);
    running.stopped().await.unwrap();
}

/// Names of uploads and what is in them stay out of every file name but the outbox's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_beside_the_answers() {
    let rig = Rig::new();
    let running = rig.work(Probe::willing());
    let id = rig.accept("A", "x", &batch(&[message(1), nameless(2)])).await;
    rig.reaches(id, JobState::Complete).await;
    running.stopped().await.unwrap();
    let mut expected = [format!("{id}.hl7"), format!("{id}.report.txt"), format!("{id}.response")];
    expected.sort();
    assert_eq!(files_in(&rig.path().join("orgs/A/archive")), expected);
    for name in expected.iter().filter(|name| !name.ends_with("hl7")) {
        let file = rig.path().join("orgs/A/archive").join(name);
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}
