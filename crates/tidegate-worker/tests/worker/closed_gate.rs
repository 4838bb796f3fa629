//! Maintenance: what is accepted while the gate is closed waits, and is processed by itself afterwards.

use tidegate_domain::job::JobState;
use tidegate_domain::maintenance::HoldLength;

use crate::files::good;
use crate::probe::Probe;
use crate::rig::{Rig, hold, instant, org};

/// The notice the product is modelled on.
const NOTICE: &str = r#"
timezone = "America/Chicago"
[[window]]
name = "dshs-2024-03-08"
from = "2024-03-08T19:00"
to = "2024-03-09T00:00"
reason = "DSHS IT system maintenance"
"#;

/// Friday 8 March 2024, 7 p.m. to midnight Central: files sent meanwhile are processed afterwards, in
/// their order, without a restart and without anybody sending anything again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_the_window_of_the_notice_wait_for_midnight() {
    let rig = Rig::new();
    rig.maintenance(NOTICE);
    let probe = Probe::willing();
    let running = rig.work(probe.clone());

    rig.clock.set(instant("2024-03-09T00:59:00Z"));
    let before = rig.accept("A", "before", &good(0..1)).await;
    rig.reaches(before, JobState::Complete).await;

    let mut during = Vec::new();
    for (number, minute) in
        ["01:00:00", "01:00:01", "02:30:00", "04:00:00", "05:59:00"].into_iter().enumerate()
    {
        rig.clock.set(instant(&format!("2024-03-09T{minute}Z")));
        let number = number as u64 + 1;
        during.push(rig.accept("A", "during", &good(number..number + 1)).await);
        during.push(rig.accept("B", "during", &good(number..number + 1)).await);
    }
    rig.clock.set(instant("2024-03-09T05:59:59.999Z"));
    let late = rig.accept("A", "late", &good(9..10)).await;
    assert_eq!(probe.keys().len(), 1, "nothing is delivered during the window");
    assert!(during.iter().all(|id| rig.state(*id) == JobState::Queued));

    let midnight = instant("2024-03-09T06:00:00Z");
    rig.clock.set(midnight);
    during.push(late);
    for id in &during {
        rig.reaches(*id, JobState::Complete).await;
        assert_eq!(rig.claimed_at(*id), [midnight]);
    }
    for code in ["A", "B"] {
        let order: Vec<_> =
            probe.keys().into_iter().filter(|key| key.org == org(code)).map(|key| key.job).collect();
        assert!(order.is_sorted(), "{code}: {order:?}");
    }
    assert_eq!(probe.keys().len(), 12);
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_for_one_organization_leaves_the_others_alone() {
    let rig = Rig::new();
    let stop = hold(&rig.clock, Some(org("A")), HoldLength::UntilReleased);
    rig.store.place_hold(stop).await.unwrap();
    let running = rig.work(Probe::willing());
    let held = rig.accept("A", "a", &good(0..1)).await;
    let free = rig.accept("B", "b", &good(0..1)).await;
    rig.reaches(free, JobState::Complete).await;
    assert_eq!(rig.state(held), JobState::Queued);
    rig.store.release_holds(Some(&org("A")), "ann", "done").await.unwrap();
    rig.reaches(held, JobState::Complete).await;
    running.stopped().await.unwrap();
}

/// The cutoff before a window: nothing new is begun, though the gate is still open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_begun_in_the_cutoff() {
    let rig = Rig::new();
    rig.maintenance(&format!("cutoff = '10m'\n{NOTICE}"));
    let running = rig.work(Probe::willing());
    rig.clock.set(instant("2024-03-09T00:49:59Z"));
    let before = rig.accept("A", "before", &good(0..1)).await;
    rig.reaches(before, JobState::Complete).await;
    rig.clock.set(instant("2024-03-09T00:50:00Z"));
    let after = rig.accept("A", "after", &good(1..2)).await;
    rig.clock.set(instant("2024-03-09T06:00:00Z"));
    rig.reaches(after, JobState::Complete).await;
    assert_eq!(rig.claimed_at(after), [instant("2024-03-09T06:00:00Z")]);
    running.stopped().await.unwrap();
}
