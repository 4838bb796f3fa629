//! A target that fails, refuses, panics or hangs; bytes that are gone; an organization that is gone.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use tidegate_domain::Organizations;
use tidegate_domain::job::JobState;
use tidegate_worker::{Code, DeliverError, Key};
use tokio::runtime::Handle;

use crate::files::good;
use crate::probe::Probe;
use crate::rig::{RETRY, Rig, organization};

/// How long a claim lasts that nobody renews.
const LEASE: Duration = Duration::from_mins(1);

/// Fails the first `times` deliveries of message 3.
fn failing(times: u32) -> impl FnMut(&Key) -> Result<(), DeliverError> + Send + 'static {
    let mut left = times;
    move |key| {
        if key.ordinal == 3 && left > 0 {
            left -= 1;
            return Err(DeliverError::Transient("the registry is away".to_owned()));
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passing_failure_is_tried_again_at_the_same_message() {
    let rig = Rig::new();
    let probe = Probe::scripted(failing(3));
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &good(0..5)).await;
    let other = rig.accept("B", "file", &good(0..2)).await;
    for failures in 1..=3 {
        rig.until("it failed again", || rig.job(id).failures == failures).await;
        let job = rig.job(id);
        assert_eq!((job.state, job.reason.as_deref()), (JobState::Retrying, Some("the registry is away")));
        rig.clock.set(job.not_before.unwrap());
    }
    rig.reaches(id, JobState::Complete).await;
    rig.reaches(other, JobState::Complete).await;
    let of_a: Vec<u64> = probe.keys().iter().filter(|key| key.job == id).map(|key| key.ordinal).collect();
    assert_eq!(of_a, [1, 2, 3, 4, 5], "each message once, in order");
    assert_eq!(rig.masked_response(id).matches("MSA|AA").count(), 5);
    running.stopped().await.unwrap();
}

/// Retries used up, although the registry answers others: an exception, which staff requeue once whatever it was is
/// mended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lasting_failure_becomes_an_exception_and_loses_nothing() {
    let rig = Rig::new();
    let failures_max = RETRY.failures_max;
    let probe = Probe::scripted(failing(failures_max));
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &good(0..5)).await;
    for failures in 1..failures_max {
        rig.until("it failed again", || rig.job(id).failures == failures).await;
        let other = rig.accept("B", "file", &good(u64::from(failures)..u64::from(failures) + 1)).await;
        rig.reaches(other, JobState::Complete).await;
        rig.clock.set(rig.job(id).not_before.unwrap());
    }
    rig.reaches(id, JobState::Exception).await;
    let requeued = tidegate_domain::job::JobEvent::Requeued { reason: "registry is back".to_owned() };
    rig.store.act(id, requeued, "ann").await.unwrap();
    rig.reaches(id, JobState::Complete).await;
    let of_a: Vec<u64> = probe.keys().iter().filter(|key| key.job == id).map(|key| key.ordinal).collect();
    assert_eq!(of_a, [1, 2, 3, 4, 5]);
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_refused_for_good_is_answered_and_the_others_go_on() {
    let rig = Rig::new();
    let probe = Probe::scripted(|key| match key.ordinal {
        2 => Err(DeliverError::Refused { code: Code::Error, text: "no such facility".to_owned() }),
        4 => Err(DeliverError::Refused { code: Code::Reject, text: "not for us".to_owned() }),
        _ => Ok(()),
    });
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &good(0..5)).await;
    let job = rig.reaches(id, JobState::Complete).await;
    assert_eq!((job.counts.accepted, job.counts.errored, job.counts.rejected), (3, 1, 1));
    let response = rig.masked_response(id);
    assert!(response.contains("no such facility") && response.contains("not for us"), "{response}");
    assert_eq!(probe.ordinals(), [1, 3, 5]);
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_costs_an_attempt_and_nothing_else() {
    let rig = Rig::new();
    let mut panicked = false;
    let probe = Probe::scripted(move |key| {
        if key.ordinal == 3 && key.org.as_str() == "A" && !panicked {
            panicked = true;
            panic!("a bug in the target");
        }
        Ok(())
    });
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &good(0..5)).await;
    let job = rig.reaches(id, JobState::Retrying).await;
    assert!(job.reason.unwrap().contains("internal error"));
    let other = rig.accept("B", "file", &good(0..5)).await;
    rig.reaches(other, JobState::Complete).await;
    rig.clock.advance(TimeDelta::minutes(1));
    rig.reaches(id, JobState::Complete).await;
    assert_eq!(rig.masked_response(id).matches("MSA|AA").count(), 5);
    running.stopped().await.unwrap();
}

/// A target that hangs for longer than the lease: the job is not given to a second thread while the
/// first one may still write, and what the first one brings is worth nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_was_lost_changes_nothing() {
    let rig = Rig::new();
    // Two places from the start: the thread that hangs keeps one.
    rig.maintenance("resume_ramp = '0s'");
    let (release, released) = channel::<()>();
    let released = Mutex::new(Some(released));
    let clock = rig.clock.clone();
    let probe = Probe::scripted(move |key| {
        if key.ordinal == 2
            && let Some(released) = released.lock().unwrap().take()
        {
            clock.let_pass(LEASE);
            let _ = released.recv();
        }
        Ok(())
    });
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &good(0..4)).await;
    let job = rig.reaches(id, JobState::Retrying).await;
    assert!(job.reason.unwrap().contains("earlier attempt"));
    let before = rig.history(id);
    assert_eq!(before, ["accepted", "claimed", "interrupted", "claimed", "retried"]);
    drop(release);
    rig.until("the thread is done", || probe.ordinals().len() == 2).await;
    rig.clock.advance(TimeDelta::minutes(1));
    rig.reaches(id, JobState::Complete).await;
    assert_eq!(probe.ordinals(), [1, 2, 1, 2, 3, 4], "the lost claim went no further");
    let history = rig.history(id);
    assert_eq!(history.iter().filter(|name| **name == "completed").count(), 1);
    assert_eq!(rig.masked_response(id).matches("MSA|AA").count(), 4);
    running.stopped().await.unwrap();
}

/// The same behind a checkpoint, while the wall clock jumps: the job goes on at the checkpoint, and the
/// one that was lost gets no further than the message it hung in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_worker_was_stopped_goes_on_at_its_checkpoint_wherever_the_clock_goes() {
    let rig = Rig::new();
    rig.maintenance("resume_ramp = '0s'");
    let (release, released) = channel::<()>();
    let released = Mutex::new(Some(released));
    let clock = rig.clock.clone();
    let probe = Probe::scripted(move |key| {
        // A checkpoint comes at least every 1,000 messages.
        if key.ordinal == 1_500
            && let Some(released) = released.lock().unwrap().take()
        {
            clock.let_pass(LEASE);
            clock.advance(TimeDelta::hours(5));
            let _ = released.recv();
        }
        Ok(())
    });
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &good(0..1_600)).await;
    rig.reaches(id, JobState::Retrying).await;
    rig.clock.advance(TimeDelta::hours(-10));
    let begun = probe.ordinals().len();
    drop(release);
    rig.until("the file is complete", || {
        rig.clock.advance(TimeDelta::seconds(1));
        rig.state(id) == JobState::Complete
    })
    .await;
    let all = probe.ordinals();
    let resumed = all[begun + 1..].first().copied().unwrap();
    assert!((1_001..=1_500).contains(&resumed), "it goes on at the checkpoint, with {resumed}");
    assert_eq!(all[..=begun], (1..=1_500).collect::<Vec<_>>());
    assert_eq!(all[begun + 1..], (resumed..=1_600).collect::<Vec<_>>(), "and the other one stopped");
    assert_eq!(rig.masked_response(id).matches("MSA|AA").count(), 1_600);
    running.stopped().await.unwrap();
}

/// Each message takes half of a lease, and a lease that was over would be noticed in the middle of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_target_does_not_cost_the_claim() {
    let rig = Rig::new();
    let (clock, store, runtime) = (rig.clock.clone(), rig.store.clone(), Handle::current());
    let probe = Probe::scripted(move |_| {
        clock.let_pass(LEASE / 2);
        assert_eq!(runtime.block_on(store.claim(1)).unwrap().len(), 0);
        Ok(())
    });
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &good(0..8)).await;
    rig.reaches(id, JobState::Complete).await;
    assert_eq!(probe.ordinals(), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(rig.claimed_at(id).len(), 1);
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_bytes_are_an_exception() {
    let rig = Rig::new();
    rig.close_gate().await;
    let id = rig.accept("A", "file", &good(0..1)).await;
    let accepted = rig.store.get(id).unwrap().unwrap();
    // It is written after the answer; the store waits for it.
    std::fs::remove_file(rig.store.payload_path(&accepted).unwrap()).unwrap();
    let running = rig.work(Probe::willing());
    rig.open_gate().await;
    let job = rig.reaches(id, JobState::Exception).await;
    assert!(job.reason.unwrap().contains("missing"));
    running.stopped().await.unwrap();
}

/// Somebody took the organization's file away: its jobs wait until it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_of_an_organization_that_is_gone_wait() {
    let rig = Rig::new();
    rig.organizations.send_replace(Arc::default());
    let running = rig.work(Probe::willing());
    let id = rig.accept("A", "file", &good(0..1)).await;
    let job = rig.reaches(id, JobState::Retrying).await;
    assert!(job.reason.unwrap().contains("not configured"));
    rig.organizations.send_replace(Arc::new(Organizations::new([organization("A")]).unwrap()));
    rig.clock.advance(TimeDelta::minutes(1));
    rig.reaches(id, JobState::Complete).await;
    running.stopped().await.unwrap();
}
