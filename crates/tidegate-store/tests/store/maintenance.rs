//! The gate keeps claims back and nothing else, across restarts.

use chrono::TimeDelta;
use tidegate_domain::maintenance::{Calendar, GateState, Hold, HoldLength, MaintenanceConfig};

use crate::rig::{Rig, instant, org};

impl Rig {
    pub(crate) fn clock_after(&self, by: TimeDelta) -> chrono::DateTime<chrono::Utc> {
        tidegate_domain::Clock::now(&self.clock) + by
    }

    fn hold(&self, org_code: Option<&str>) -> Hold {
        let now = tidegate_domain::Clock::now(&self.clock);
        let length = HoldLength::For(std::time::Duration::from_mins(30));
        Hold::new("maintenance", org_code.map(org), "disk swap", "eve", now, length).unwrap()
    }
}

/// The window of the notice that the product is modelled on.
pub(crate) fn seed_window() -> Calendar {
    let toml = r#"
        timezone = "America/Chicago"
        [[window]]
        name = "dshs-2024-03-08"
        from = "2024-03-08T19:00"
        to = "2024-03-09T00:00"
        reason = "IT system maintenance"
    "#;
    toml::from_str::<MaintenanceConfig>(toml).unwrap().to_calendar().unwrap()
}

#[tokio::test]
async fn in_a_window_uploads_go_on_and_claims_wait_until_its_exact_end() {
    let rig = Rig::new();
    rig.store.set_calendar(seed_window());
    rig.clock.set(instant("2024-03-09T01:00:00Z"));
    let job = rig.accept("A", "1", b"1").await;
    assert!(rig.store.claim(1).await.unwrap().is_empty());
    assert_eq!(rig.store.next_due(), Some(instant("2024-03-09T06:00:00Z")));
    rig.clock.set(instant("2024-03-09T05:59:59.999Z"));
    assert!(rig.store.claim(1).await.unwrap().is_empty());
    rig.clock.set(instant("2024-03-09T06:00:00Z"));
    assert_eq!(rig.claim().await.id(), job.id);
}

#[tokio::test]
async fn a_hold_survives_a_kill_and_ends_when_it_is_released() {
    let rig = Rig::new();
    rig.accept("A", "1", b"1").await;
    rig.store.place_hold(rig.hold(None)).await.unwrap();
    let after = rig.after_kill();
    assert_eq!(after.store.gate(None).state, GateState::Closed);
    assert!(after.store.claim(1).await.unwrap().is_empty());
    assert_eq!(after.store.release_holds(None, "eve", "done").await.unwrap().len(), 1);
    assert_eq!(after.store.claim(1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_hold_for_one_organization_lets_the_others_pass() {
    let rig = Rig::new();
    rig.accept("A", "1", b"1").await;
    let other = rig.accept("B", "1", b"1").await;
    rig.store.place_hold(rig.hold(Some("A"))).await.unwrap();
    let claims = rig.store.claim(9).await.unwrap();
    assert_eq!(claims.iter().map(tidegate_store::Claim::id).collect::<Vec<_>>(), [other.id]);
}

#[tokio::test]
async fn releasing_a_hold_does_not_open_a_window() {
    let rig = Rig::new();
    rig.store.set_calendar(seed_window());
    rig.clock.set(instant("2024-03-09T02:00:00Z"));
    rig.store.place_hold(rig.hold(None)).await.unwrap();
    rig.store.release_holds(None, "eve", "done").await.unwrap();
    assert_eq!(rig.store.gate(None).state, GateState::Closed);
}

#[tokio::test]
async fn a_clock_that_is_put_back_does_not_let_a_hold_leak() {
    let rig = Rig::new();
    rig.accept("A", "1", b"1").await;
    rig.store.place_hold(rig.hold(None)).await.unwrap();
    rig.clock.advance(TimeDelta::hours(-5));
    assert_eq!(rig.store.gate(None).state, GateState::Closed);
    assert!(rig.store.claim(1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_clock_that_is_ahead_for_a_moment_ends_no_hold_for_good() {
    let rig = Rig::new();
    rig.store.place_hold(rig.hold(None)).await.unwrap();
    rig.clock.advance(TimeDelta::hours(5));
    rig.store.place_hold(rig.hold(Some("A"))).await.unwrap();
    rig.clock.advance(TimeDelta::hours(-5));
    assert_eq!(rig.store.gate(None).state, GateState::Closed);
}
