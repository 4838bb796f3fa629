//! The window of the notice this product is modelled on: Friday 8 March 2024, 7 p.m. to midnight.

use chrono::{DateTime, Utc};
use tidegate_domain::maintenance::local::resolve_start;
use tidegate_domain::maintenance::{Calendar, CauseKind, Gate, GateState, MaintenanceConfig, gate};

use crate::support::{CHICAGO, local, utc};

fn calendar() -> Calendar {
    let text = r#"
        timezone = "America/Chicago"
        [[window]]
        name = "dshs-2024-03-08"
        from = "2024-03-08T19:00"
        to = "2024-03-09T00:00"
        reason = "DSHS IT system maintenance"
    "#;
    toml::from_str::<MaintenanceConfig>(text).unwrap().to_calendar().unwrap()
}

fn gate_at(local_time: &str) -> (DateTime<Utc>, Gate) {
    let now = resolve_start(CHICAGO, local(local_time));
    (now, gate(now, None, &calendar(), &[], &[]))
}

#[test]
fn it_is_open_before() {
    let (_, before) = gate_at("2024-03-08T18:59:59");
    assert_eq!(before.state, GateState::Open);
    assert_eq!((before.causes.len(), before.until, before.closed_since), (0, None, None));
    assert_eq!(before.next_change, Some(utc("2024-03-09T01:00")));
    assert!(before.claims_allowed);
}

#[test]
fn it_is_closed_from_its_first_to_its_last_second() {
    for time in ["2024-03-08T19:00", "2024-03-08T21:30", "2024-03-08T23:59:59"] {
        let (_, during) = gate_at(time);
        assert_eq!(during.state, GateState::Closed, "{time}");
        assert!(!during.claims_allowed, "{time}");
        assert_eq!(during.closed_since, Some(utc("2024-03-09T01:00")), "{time}");
        assert_eq!(during.until, Some(utc("2024-03-09T06:00")), "{time}");
        assert_eq!(during.next_change, Some(utc("2024-03-09T06:00")), "{time}");
        let [cause] = during.causes.as_slice() else { panic!("one cause at {time}") };
        assert_eq!((cause.kind, cause.name.as_str()), (CauseKind::Window, "dshs-2024-03-08"));
        assert_eq!((cause.reason.as_str(), &cause.actor), ("DSHS IT system maintenance", &None));
        assert_eq!(cause.until, Some(utc("2024-03-09T06:00")));
    }
}

#[test]
fn it_is_open_from_midnight_on() {
    let (midnight, after) = gate_at("2024-03-09T00:00");
    assert_eq!(midnight, utc("2024-03-09T06:00"));
    assert_eq!((after.state, after.claims_allowed), (GateState::Open, true));
    assert_eq!((after.until, after.next_change), (None, None));
}

#[test]
fn in_json_it_is_what_the_contract_says() {
    let (_, during) = gate_at("2024-03-08T20:00");
    let json = serde_json::to_value(&during).unwrap();
    assert_eq!(json["state"], "closed");
    assert_eq!(json["until"], "2024-03-09T06:00:00Z");
    assert_eq!(json["next_change"], "2024-03-09T06:00:00Z");
    let cause = serde_json::json!({
        "kind": "window", "name": "dshs-2024-03-08", "reason": "DSHS IT system maintenance",
        "actor": null, "until": "2024-03-09T06:00:00Z",
    });
    assert_eq!(json["causes"], serde_json::json!([cause]));
}
