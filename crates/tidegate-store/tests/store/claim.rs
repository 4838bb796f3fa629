//! Handing out work: in order, in turn, to one worker at a time.

use std::time::Duration;

use chrono::TimeDelta;
use tidegate_domain::job::{Counts, JobEvent, JobState};
use tidegate_store::{Options, StoreError};

use crate::rig::Rig;

#[tokio::test]
async fn files_of_one_organization_are_handed_out_one_at_a_time_in_order() {
    let rig = Rig::new();
    let first = rig.accept("A", "1", b"1").await;
    let second = rig.accept("A", "2", b"2").await;
    let claim = rig.claim().await;
    assert_eq!(claim.id(), first.id);
    assert!(rig.store.claim(9).await.unwrap().is_empty(), "the lane is busy");
    rig.complete(&claim).await;
    assert_eq!(rig.claim().await.id(), second.id);
}

#[tokio::test]
async fn an_organization_with_many_files_does_not_starve_the_others() {
    let rig = Rig::new();
    for n in 0..300 {
        rig.accept("HUGE", &n.to_string(), n.to_string().as_bytes()).await;
    }
    for org in ["A", "B", "Z"] {
        rig.accept(org, "only", org.as_bytes()).await;
    }
    let mut order = Vec::new();
    for _ in 0..6 {
        let claim = rig.claim().await;
        order.push(claim.job.submission.org.to_string());
        rig.complete(&claim).await;
    }
    assert_eq!(order, ["A", "B", "HUGE", "Z", "HUGE", "HUGE"]);
}

#[tokio::test]
async fn a_worker_whose_lease_ran_out_can_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::open_with(dir, Options { lease: Duration::ZERO, ..Options::default() });
    let job = rig.accept("A", "1", b"1").await;
    let lost = rig.claim().await;
    rig.store.checkpoint(&lost, vec![1], Counts::default()).await.unwrap();
    assert!(rig.store.claim(1).await.unwrap().is_empty(), "this claim reaps, the next one hands out");
    let again = rig.claim().await;
    assert_eq!(again.id(), job.id);
    assert_eq!(again.job.progress.as_deref(), Some(&[1][..]), "it goes on from the checkpoint");

    assert!(matches!(rig.store.renew(&lost), Err(StoreError::StaleClaim)));
    let stale = rig.store.checkpoint(&lost, vec![9], Counts::default()).await;
    assert!(matches!(stale, Err(StoreError::StaleClaim)));
    let stale = rig.store.finish(&lost, JobEvent::Yielded).await;
    assert!(matches!(stale, Err(StoreError::StaleClaim)));
    assert_eq!(rig.store.get(job.id).unwrap().unwrap().progress.as_deref(), Some(&[1][..]));
    rig.complete(&again).await;
}

#[tokio::test]
async fn nobody_ends_a_claim_that_is_not_theirs_by_way_of_staff() {
    let rig = Rig::new();
    let job = rig.accept("A", "1", b"1").await;
    let claim = rig.claim().await;
    let reason = || "not mine".to_owned();
    let ends = [JobEvent::Yielded, JobEvent::Interrupted, JobEvent::Failed { reason: reason() }];
    let others = [JobEvent::Refused { reason: reason() }, JobEvent::ResponseDeleted { report: false }];
    for event in ends.into_iter().chain(others) {
        let refused = rig.store.act(job.id, event, "eve").await;
        assert!(matches!(refused, Err(StoreError::StaleClaim)));
    }
    rig.complete(&claim).await;
}

#[tokio::test]
async fn a_retry_waits_for_its_time_and_keeps_its_lane_in_order() {
    let rig = Rig::new();
    let first = rig.accept("A", "1", b"1").await;
    rig.accept("A", "2", b"2").await;
    let claim = rig.claim().await;
    let not_before = rig.clock_after(TimeDelta::minutes(5));
    rig.store.finish(&claim, JobEvent::Retried { not_before, reason: "registry away".into() }).await.unwrap();
    assert!(rig.store.claim(1).await.unwrap().is_empty());
    assert_eq!(rig.store.next_due(), Some(not_before));
    rig.clock.set(not_before);
    assert_eq!(rig.claim().await.id(), first.id);
}

#[tokio::test]
async fn a_job_in_hand_when_the_process_died_is_handed_out_again() {
    let rig = Rig::new();
    let job = rig.accept("A", "1", b"1").await;
    rig.claim().await;
    let after = rig.after_kill();
    assert_eq!(after.recovery.jobs_interrupted, 1);
    assert_eq!(after.claim().await.id(), job.id);
    let names: Vec<_> = after.store.history(job.id).unwrap().iter().map(|line| line.event.name()).collect();
    assert_eq!(names, ["accepted", "claimed", "interrupted", "claimed"]);
}

#[tokio::test]
async fn staff_can_park_release_cancel_and_requeue_but_not_touch_a_job_in_hand() {
    let rig = Rig::new();
    let job = rig.accept("A", "1", b"1").await;
    let reason = || "test".to_owned();
    rig.store.act(job.id, JobEvent::Held { reason: reason() }, "eve").await.unwrap();
    assert!(rig.store.claim(1).await.unwrap().is_empty());
    rig.store.act(job.id, JobEvent::Released { reason: reason() }, "eve").await.unwrap();
    let claim = rig.claim().await;
    let refused = rig.store.act(job.id, JobEvent::Cancelled { reason: reason() }, "eve").await;
    assert!(matches!(refused, Err(StoreError::Illegal(_))));
    rig.store.finish(&claim, JobEvent::Failed { reason: reason() }).await.unwrap();
    let job = rig.store.act(job.id, JobEvent::Requeued { reason: reason() }, "eve").await.unwrap();
    assert_eq!(job.state, JobState::Queued);
    assert_eq!(rig.claim().await.id(), job.id);
}

#[tokio::test]
async fn a_parked_job_lets_those_behind_it_pass() {
    let rig = Rig::new();
    let first = rig.accept("A", "1", b"1").await;
    let second = rig.accept("A", "2", b"2").await;
    rig.store.act(first.id, JobEvent::Held { reason: "look".into() }, "eve").await.unwrap();
    assert_eq!(rig.claim().await.id(), second.id);
}

#[tokio::test]
async fn a_file_that_ends_the_process_again_and_again_becomes_an_exception() {
    let mut rig = Rig::new();
    let job = rig.accept("A", "1", b"1").await;
    let next = rig.accept("A", "2", b"2").await;
    let interruptions_max = tidegate_domain::job::RetryPolicy::default().interruptions_max;
    for _ in 0..interruptions_max {
        assert_eq!(rig.claim().await.id(), job.id);
        rig = rig.after_kill();
    }
    assert_eq!(rig.store.get(job.id).unwrap().unwrap().state, JobState::Exception);
    assert_eq!(rig.claim().await.id(), next.id, "those behind it go on");
}

#[tokio::test]
async fn what_staff_hold_is_passed_by_and_comes_first_again_once_it_is_released() {
    let rig = Rig::new();
    let mut jobs = Vec::new();
    for name in ["1", "2", "3", "4"] {
        jobs.push(rig.accept("A", name, name.as_bytes()).await.id);
    }
    let act = |place: usize, action| rig.store.act(jobs[place], action, "jane");
    for place in [0, 1] {
        act(place, JobEvent::Held { reason: "look at it".to_owned() }).await.unwrap();
    }
    let third = rig.claim().await;
    assert_eq!(third.id(), jobs[2]);
    act(1, JobEvent::Released { reason: "fine".to_owned() }).await.unwrap();
    rig.complete(&third).await;
    let second = rig.claim().await;
    assert_eq!(second.id(), jobs[1]);
    rig.complete(&second).await;
    assert_eq!(rig.claim().await.id(), jobs[3]);
}
