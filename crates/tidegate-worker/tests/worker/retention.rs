//! The chore that takes away what is over, and a wall clock that is set.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tidegate_domain::job::{JobEvent, JobState};
use tidegate_domain::{JobId, Terms};
use tidegate_worker::{Passed, Retention};

use crate::rig::Rig;

const DAY: Duration = Duration::from_hours(24);

fn retention(rig: &Rig) -> Retention {
    let terms = Terms { complete: 30 * DAY, error: 90 * DAY };
    let newest = rig.store.list(&tidegate_store::Filter { limit: 1, ..Default::default() }).unwrap();
    let last_known = newest.first().map(|job| job.id.made_at());
    Retention::new(rig.store.clone(), terms, Arc::new(rig.clock.clone()), last_known)
}

async fn cancelled(rig: &Rig) -> JobId {
    let id = rig.accept("A", "a.hl7", b"1").await;
    rig.store.act(id, JobEvent::Cancelled { reason: "no".into() }, "eve").await.unwrap();
    id
}

/// Both clocks go on.
async fn pass_time(rig: &Rig, length: Duration) {
    rig.clock.advance(TimeDelta::from_std(length).unwrap());
    tokio::time::advance(length).await;
}

fn jobs(passed: &Passed) -> Option<u64> {
    let Passed::Done(due) = passed else { return None };
    Some(due.purged.values().map(|amount| amount.jobs).sum())
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_was_set_ahead_deletes_nothing_until_it_kept_step_for_an_hour() {
    let rig = Rig::new();
    let id = cancelled(&rig).await;
    let retention = retention(&rig);
    assert_eq!(jobs(&retention.pass().await.passed), Some(0));
    rig.clock.advance(TimeDelta::days(31));
    for _ in 0..3 {
        let passed = retention.pass().await.passed;
        assert_eq!(
            passed,
            Passed::Postponed { clock_moved: TimeDelta::days(31) },
            "asking again helps nobody"
        );
    }
    assert_eq!(retention.last().unwrap().passed, Passed::Postponed { clock_moved: TimeDelta::days(31) });
    rig.clock.advance(TimeDelta::days(-31));
    for _ in 0..3 {
        pass_time(&rig, Duration::from_hours(1)).await;
        retention.pass().await;
    }
    assert_eq!(rig.state(id), JobState::Cancelled, "it was a moment, and nothing happened");

    pass_time(&rig, 31 * DAY).await;
    assert_eq!(jobs(&retention.pass().await.passed), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_start_long_after_the_newest_job_waits_an_hour_before_it_deletes() {
    let rig = Rig::new();
    cancelled(&rig).await;
    rig.clock.advance(TimeDelta::days(31));
    let retention = retention(&rig);
    assert_eq!(jobs(&retention.pass().await.passed), None);
    pass_time(&rig, Duration::from_hours(1)).await;
    assert_eq!(jobs(&retention.pass().await.passed), Some(1));
}
