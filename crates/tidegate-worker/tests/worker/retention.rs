//! The chore that takes away what is over, and a wall clock that is set.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::TimeDelta;
use tidegate_domain::job::{JobEvent, JobState};
use tidegate_domain::{Clock as _, JobId, OrgCode, Terms, UploadName};
use tidegate_store::Abandoned;
use tidegate_worker::{Note, Passed, Retention};

use crate::rig::Rig;

const DAY: Duration = Duration::from_hours(24);

fn retention(rig: &Rig) -> Retention {
    noting(rig, Box::new(drop))
}

fn noting(rig: &Rig, note: Note) -> Retention {
    let terms = Terms { complete: 30 * DAY, error: 90 * DAY };
    let newest = rig.store.list(&tidegate_store::Filter { limit: 1, ..Default::default() }).unwrap();
    let last_known = newest.first().map(|job| job.id.made_at());
    Retention::new(rig.store.clone(), terms, Arc::new(rig.clock.clone()), last_known, note)
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

#[tokio::test(start_paused = true)]
async fn an_upload_that_nobody_submits_is_taken_away_and_noted_once_unless_the_clock_is_in_doubt() {
    let rig = Rig::new();
    let (noted, seen) = std::sync::mpsc::channel();
    let retention = noting(&rig, Box::new(move |abandoned| noted.send(abandoned).unwrap()));
    let org = OrgCode::new("A").unwrap();
    let mut upload = rig.store.upload().unwrap();
    upload.write(b"12345").await.unwrap();
    upload.stage(&org, &UploadName::new(b"a.tmp".to_vec()).unwrap()).await.unwrap();
    let file = fs::File::options().write(true).open(rig.path().join("staged/A/a.tmp")).unwrap();
    file.set_modified(SystemTime::from(rig.clock.now())).unwrap();
    retention.pass().await;
    rig.clock.advance(TimeDelta::hours(25));
    retention.pass().await;
    assert!(seen.try_recv().is_err(), "the clock was set");
    for _ in 0..2 {
        pass_time(&rig, Duration::from_hours(1)).await;
        retention.pass().await;
    }
    assert_eq!(seen.try_recv(), Ok(Abandoned { org: org.clone(), size_bytes: 5 }));
    assert!(seen.try_recv().is_err() && rig.store.staged(&org).unwrap().is_empty());
}
