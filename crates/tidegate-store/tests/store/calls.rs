//! Calls: accepted and claimed in one change, past the files that wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use tidegate_domain::Clock;
use tidegate_domain::job::{JobEvent, JobState, Protocol};
use tidegate_domain::maintenance::{Hold, HoldLength};
use tidegate_store::{Claim, Known, Options, Sender, Store, StoreError};

use crate::maintenance::seed_window;
use crate::rig::{Rig, instant, org, payload, upload_name};

async fn call(rig: &Rig, name: &str, bytes: &[u8]) -> Result<Claim, StoreError> {
    let mut upload = rig.store.upload()?;
    upload.write(bytes).await?;
    let sender = Sender { account: "acme".to_owned(), protocol: Protocol::Soap };
    upload.accept_call(&org("A"), sender, upload_name(name)).await
}

async fn close_gate(rig: &Rig) {
    let now = tidegate_domain::Clock::now(&rig.clock);
    let hold = Hold::new("stop", None, "test", "ann", now, HoldLength::UntilReleased).unwrap();
    rig.store.place_hold(hold).await.unwrap();
}

#[tokio::test]
async fn a_call_passes_the_files_that_wait_by_and_leaves_their_turn_alone() {
    let rig = Rig::new();
    let first = rig.accept("A", "1", b"1").await;
    let second = rig.accept("A", "2", b"2").await;
    let file = rig.claim().await;
    let large = vec![b'x'; 100 << 10];
    for (name, bytes) in [("small", &b"call"[..]), ("large", &large)] {
        let claim = call(&rig, name, bytes).await.unwrap();
        assert_eq!(rig.store.get(claim.id()).unwrap().unwrap().state, JobState::Processing);
        assert_eq!(payload(&rig.store, &claim.job), bytes);
        rig.complete(&claim).await;
        assert!(rig.store.claim(9).await.unwrap().is_empty(), "the lane is busy with its file still");
    }
    assert_eq!(file.id(), first.id);
    rig.complete(&file).await;
    assert_eq!(rig.claim().await.id(), second.id);
}

#[tokio::test]
async fn nobodys_outbox_has_the_answer_of_a_call() {
    let rig = Rig::new();
    let claim = call(&rig, "call", b"call").await.unwrap();
    rig.complete(&claim).await;
    assert!(rig.store.response_path(&claim.job).exists() && rig.store.outbox(&org("A")).unwrap().is_empty());
    assert!(rig.after_kill().store.outbox(&org("A")).unwrap().is_empty(), "nor does a start put it there");
}

#[tokio::test]
async fn while_nothing_may_be_claimed_nothing_of_a_call_is_kept() {
    let rig = Rig::new();
    close_gate(&rig).await;
    let large = vec![b'x'; 100 << 10];
    for bytes in [&b"call"[..], &large] {
        assert!(matches!(call(&rig, "call", bytes).await, Err(StoreError::GateClosed)));
    }
    assert!(rig.store.list(&tidegate_store::Filter { limit: 9, ..Default::default() }).unwrap().is_empty());
    assert!(rig.files("orgs/A/incoming").is_empty());
}

/// Commands that pile up are decided together: a call behind a hold must see it all the same. The file before keeps
/// the committer busy meanwhile.
#[tokio::test]
async fn no_call_is_accepted_behind_a_hold() {
    for round in 0..50 {
        let rig = Rig::new();
        rig.accept("A", "warm", b"warm").await;
        let (_, (), late) = tokio::join!(
            rig.try_accept("A", "file", b"file"),
            close_gate(&rig),
            call(&rig, "call", b"call"),
        );
        assert!(matches!(late, Err(StoreError::GateClosed)), "round {round}: {late:?}");
    }
}

/// A clock that has gone on by a second each time that somebody looks at it.
#[derive(Clone, Default)]
struct Hurried(Arc<AtomicI64>);

impl Clock for Hurried {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0.fetch_add(1, Ordering::SeqCst), 0).unwrap()
    }
}

/// The journal says of each call when it was accepted: an instant at which the gate was open.
#[tokio::test]
async fn a_call_was_accepted_at_the_instant_at_which_its_gate_was_looked_at() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Hurried::default());
    let (store, _) = Store::open(dir.path(), Options::default(), Arc::new(clock.clone())).unwrap();
    store.set_calendar(seed_window());
    let shuts = instant("2024-03-09T01:00:00Z");
    let mut accepted = 0;
    for before in 1..20 {
        clock.0.store(shuts.timestamp() - before, Ordering::SeqCst);
        let mut upload = store.upload().unwrap();
        upload.write(b"call").await.unwrap();
        let sender = Sender { account: "acme".to_owned(), protocol: Protocol::Soap };
        match upload.accept_call(&org("A"), sender, upload_name(&before.to_string())).await {
            Ok(call) => {
                assert!(call.job.received_at < shuts, "{before}: {}", call.job.received_at);
                accepted += 1;
            }
            Err(error) => assert!(matches!(error, StoreError::GateClosed), "{error}"),
        }
    }
    assert!((1..19).contains(&accepted), "{accepted}: the window has to begin among the looks");
}

#[tokio::test]
async fn a_call_is_not_taken_a_second_time_while_the_first_is_not_over() {
    let rig = Rig::new();
    rig.complete(&call(&rig, "warm", b"warm").await.unwrap()).await;
    let (one, two) = tokio::join!(call(&rig, "call", b"call"), call(&rig, "call", b"call"));
    let first = one.unwrap();
    assert!(matches!(two, Err(StoreError::Underway(job)) if job == first.id()));
    rig.complete(&call(&rig, "call", b"other").await.unwrap()).await;
    let reason = "no answer".to_owned();
    let not_before = tidegate_domain::Clock::now(&rig.clock);
    rig.store.finish(&first, JobEvent::Retried { not_before, reason }).await.unwrap();
    assert!(
        matches!(call(&rig, "call", b"call").await, Err(StoreError::Underway(_))),
        "it waits for its retry"
    );
    let again = rig.claim().await;
    rig.complete(&again).await;
    let later = call(&rig, "call", b"call").await.unwrap();
    assert_eq!(rig.store.original_of(&later.job).unwrap(), Some(first.id()));
}

#[tokio::test]
async fn a_call_whose_worker_was_killed_waits_in_its_lane() {
    let rig = Rig::new();
    let claim = call(&rig, "call", b"call").await.unwrap();
    let after = rig.after_kill();
    assert_eq!(after.store.get(claim.id()).unwrap().unwrap().state, JobState::Queued);
    assert_eq!(after.claim().await.id(), claim.id());
}

/// A file and a call of one organization are processed at the same time.
#[tokio::test]
async fn two_jobs_of_one_organization_know_what_each_other_delivers_and_write_over_nothing() {
    let rig = Rig::new();
    let file = rig.accept("A", "file", b"file").await;
    let one = call(&rig, "one", b"one").await.unwrap().job;
    let two = call(&rig, "two", b"two").await.unwrap().job;
    let mut books = [&file, &one, &two].map(|job| rig.store.known_messages(job));
    for (number, book) in (100..).zip(&mut books) {
        assert_eq!(book.look_up(number, 0).unwrap(), Known::No, "all have looked before any has written");
    }
    for round in 0..3_u64 {
        for (number, book) in (0_u64..).zip(&mut books) {
            book.remember(u128::from(round * 10 + number), number);
            book.write().unwrap();
        }
        for (number, book) in (0_u64..).zip(&mut books) {
            let others = (0..3).filter(|other| *other != number);
            for other in others {
                let key = u128::from(round * 10 + other);
                assert_eq!(book.look_up(key, other).unwrap(), Known::Same, "{number} of {other} in {round}");
            }
        }
    }
    let later = rig.accept("A", "later", b"later").await;
    let mut book = rig.store.known_messages(&later);
    for key in [0, 1, 2, 10, 11, 12, 20, 21, 22] {
        assert_eq!(book.look_up(key, u64::try_from(key % 10).unwrap()).unwrap(), Known::Same, "{key}");
    }
}

/// Two jobs with the same message that run at the same time must not both deliver it.
#[tokio::test]
async fn a_message_is_one_jobs_alone_until_it_is_written_or_given_up() {
    let rig = Rig::new();
    let one = rig.accept("A", "one", b"one").await;
    let two = rig.accept("A", "two", b"two").await;
    let other = rig.accept("B", "other", b"other").await;
    let mut one = rig.store.known_messages(&one);
    let mut two = rig.store.known_messages(&two);
    assert_eq!(one.look_up(1, 1).unwrap(), Known::No);
    assert_eq!(one.look_up(1, 1).unwrap(), Known::No, "it may ask again");
    assert_eq!(two.look_up(1, 1).unwrap(), Known::Underway);
    assert_eq!(rig.store.known_messages(&other).look_up(1, 1).unwrap(), Known::No);
    one.give_up(1);
    assert_eq!(two.look_up(1, 1).unwrap(), Known::Underway, "it asked twice");
    one.give_up(1);
    assert_eq!(two.look_up(1, 1).unwrap(), Known::No);
    two.remember(1, 1);
    assert_eq!(one.look_up(1, 1).unwrap(), Known::Underway);
    two.write().unwrap();
    assert_eq!(one.look_up(1, 1).unwrap(), Known::Same);
    assert_eq!(one.look_up(2, 2).unwrap(), Known::No);
    drop(one);
    assert_eq!(two.look_up(2, 2).unwrap(), Known::No, "whoever ends gives everything up");
}
