//! Unions, scopes and the cutoff.

use std::time::Duration;

use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::{Calendar, CauseKind, Gate, GateState, Hold, gate};

use crate::support::{at, calendar, ended, hold, org, staff_window, window, window_of};

fn names(gate: &Gate) -> Vec<&str> {
    gate.causes.iter().map(|cause| cause.name.as_str()).collect()
}

fn ask(time: &str, calendar: &Calendar, holds: &[Hold]) -> Gate {
    gate(at(time), None, calendar, &[], holds)
}

#[test]
fn nothing_at_all_is_open_for_good() {
    let gate = ask("12:00", &Calendar::default(), &[]);
    let expected = Gate {
        state: GateState::Open,
        causes: vec![],
        closed_since: None,
        until: None,
        next_change: None,
        claims_allowed: true,
    };
    assert_eq!(gate, expected);
}

#[test]
fn overlapping_windows_and_holds_are_one_union_with_every_cause() {
    let calendar = calendar([window("late", "11:00", "14:00"), window("early", "10:00", "12:00")]);
    let holds = [hold("hold", "11:30", Some("15:00"))];
    let found = ask("11:45", &calendar, &holds);
    assert_eq!(names(&found), ["early", "late", "hold"]);
    assert_eq!(found.closed_since, Some(at("10:00")));
    assert_eq!(found.until, Some(at("15:00")));
    assert_eq!(found.next_change, Some(at("12:00")));
    let own_ends: Vec<_> = found.causes.iter().map(|cause| cause.until).collect();
    assert_eq!(own_ends, [Some(at("12:00")), Some(at("14:00")), Some(at("15:00"))]);

    let last = ask("14:00", &calendar, &holds);
    assert_eq!(names(&last), ["hold"]);
    assert_eq!((last.causes[0].kind, last.causes[0].actor.as_deref()), (CauseKind::Hold, Some("kim")));
    assert_eq!(ask("15:00", &calendar, &holds).state, GateState::Open);
}

#[test]
fn a_window_inside_another_does_not_shorten_it() {
    let calendar = calendar([window("outer", "10:00", "14:00"), window("inner", "11:00", "12:00")]);
    assert_eq!(ask("11:30", &calendar, &[]).until, Some(at("14:00")));
    assert_eq!(ask("12:00", &calendar, &[]).state, GateState::Closed);
}

#[test]
fn intervals_that_touch_are_connected_and_those_apart_are_not() {
    let touching = calendar([window("one", "10:00", "11:00"), window("two", "11:00", "12:00")]);
    let found = ask("10:30", &touching, &[]);
    assert_eq!((found.until, found.next_change), (Some(at("12:00")), Some(at("11:00"))));
    let apart = calendar([window("one", "10:00", "11:00"), window("two", "11:00:01", "12:00")]);
    assert_eq!(ask("10:30", &apart, &[]).until, Some(at("11:00")));
    assert_eq!(ask("11:00", &apart, &[]).state, GateState::Open);
}

#[test]
fn a_hold_until_released_has_no_end_and_outlives_windows() {
    let calendar = calendar([window("window", "10:00", "11:00")]);
    let holds = [hold("hold", "10:30", None)];
    assert_eq!(ask("10:00", &calendar, &holds).until, None);
    let after = ask("12:00", &calendar, &holds);
    assert_eq!((after.state, after.until, after.next_change), (GateState::Closed, None, None));
    assert_eq!(after.closed_since, Some(at("10:00")));
}

#[test]
fn releasing_a_hold_does_not_open_a_window() {
    let calendar = calendar([window("window", "10:00", "11:00")]);
    let released = ask("10:30", &calendar, &[]);
    assert_eq!((released.state, names(&released)), (GateState::Closed, vec!["window"]));
}

#[test]
fn ending_an_occurrence_does_not_release_a_hold() {
    let calendar = calendar([window("window", "10:00", "12:00")]);
    let ended = [ended("window", "10:00", "11:00")];
    let holds = [hold("hold", "10:30", Some("13:00"))];
    let held = gate(at("11:00"), None, &calendar, &ended, &holds);
    assert_eq!((names(&held), held.closed_since), (vec!["hold"], Some(at("10:00"))));
    assert_eq!(gate(at("11:00"), None, &calendar, &ended, &[]).state, GateState::Open);
}

#[test]
fn an_organization_has_its_own_windows_and_holds_besides_those_for_everyone() {
    let calendar = calendar([
        window("everyone", "10:00", "11:00"),
        window_of("county-*", "counties", "11:00", "12:00"),
        window_of("ACME01", "acme", "12:00", "13:00"),
    ]);
    let holds = [Hold { org: Some(org("county-7")), ..hold("hold", "12:30", Some("14:00")) }];
    let closed = |time: &str, org: Option<&OrgCode>| {
        gate(at(time), org, &calendar, &[], &holds).state == GateState::Closed
    };
    let (county, acme, times) = (org("county-7"), org("ACME01"), ["10:30", "11:30", "12:15", "13:30"]);
    assert_eq!(times.map(|time| closed(time, None)), [true, false, false, false]);
    assert_eq!(times.map(|time| closed(time, Some(&county))), [true, true, false, true]);
    assert_eq!(times.map(|time| closed(time, Some(&acme))), [true, false, true, false]);
}

#[test]
fn in_the_cutoff_the_gate_is_open_but_nothing_is_claimed() {
    let mut calendar = calendar([window("window", "10:00", "11:00")]);
    calendar.cutoff = Duration::from_mins(10);
    let before = ask("09:49:59", &calendar, &[]);
    assert_eq!((before.claims_allowed, before.next_change), (true, Some(at("09:50"))));
    for time in ["09:50", "09:59:59"] {
        let cutoff = ask(time, &calendar, &[]);
        assert_eq!((cutoff.state, cutoff.claims_allowed), (GateState::Open, false), "{time}");
        assert_eq!((cutoff.until, cutoff.next_change), (None, Some(at("10:00"))), "{time}");
    }
    assert!(ask("11:00", &calendar, &[]).claims_allowed);
}

#[test]
fn a_hold_has_no_cutoff_and_a_cutoff_inside_a_closed_stretch_is_no_change() {
    let mut calendar = calendar([window("one", "10:00", "11:00"), window("two", "11:00", "12:00")]);
    calendar.cutoff = Duration::from_mins(10);
    assert_eq!(ask("10:00", &calendar, &[]).next_change, Some(at("11:00")));
    let holds = [hold("hold", "14:00", None)];
    assert!(ask("13:55", &calendar, &holds).claims_allowed);
}

#[test]
fn an_absurd_cutoff_stops_claims_and_nothing_else() {
    let mut calendar = calendar([window("window", "10:00", "11:00")]);
    calendar.cutoff = Duration::MAX;
    let found = ask("01:00", &calendar, &[]);
    assert_eq!((found.state, found.claims_allowed), (GateState::Open, false));
}

#[test]
fn a_window_of_staff_names_who_added_it() {
    let calendar = calendar([staff_window("window", "10:00", "11:00")]);
    assert_eq!(ask("10:00", &calendar, &[]).causes[0].actor.as_deref(), Some("kim"));
}
