//! Ending an active occurrence.

use tidegate_domain::maintenance::{
    Calendar, GateState, OccurrenceState, Override, OverrideError, WordingError, gate, occurrences,
};

use crate::support::{at, calendar, ended, staff_window, window};

fn one_window() -> Calendar {
    calendar([window("window", "10:00", "12:00")])
}

fn end(time: &str, overrides: &[Override]) -> Result<Override, OverrideError> {
    Override::end("window", at(time), &one_window(), overrides, "kim", "done early")
}

#[test]
fn an_active_occurrence_ends_at_once_and_stays_closed_before() {
    let change = [end("11:00", &[]).unwrap()];
    assert_eq!(change[0], ended("window", "10:00", "11:00"));
    let state = |time| gate(at(time), None, &one_window(), &change, &[]).state;
    assert_eq!([state("10:59:59"), state("11:00")], [GateState::Closed, GateState::Open]);
    let before = gate(at("10:30"), None, &one_window(), &change, &[]);
    assert_eq!((before.until, before.causes[0].until), (Some(at("11:00")), Some(at("11:00"))));
}

#[test]
fn only_an_active_occurrence_can_be_ended() {
    let not_active = Err(OverrideError::NotActive("window".to_owned()));
    assert_eq!(end("09:59:59", &[]), not_active);
    assert_eq!(end("12:00", &[]), not_active);
    assert_eq!(end("11:30", &[ended("window", "10:00", "11:00")]), not_active);
    assert!(end("10:00", &[]).is_ok());
    let unknown = Override::end("other", at("11:00"), &one_window(), &[], "kim", "done early");
    assert_eq!(unknown, Err(OverrideError::NoSuchWindow("other".to_owned())));
}

#[test]
fn ending_needs_a_reason_and_an_actor() {
    let missing = |what| Err(OverrideError::Wording(WordingError::Missing(what)));
    let calendar = one_window();
    assert_eq!(Override::end("window", at("11:00"), &calendar, &[], "kim", " "), missing("reason"));
    assert_eq!(Override::end("window", at("11:00"), &calendar, &[], "", "done"), missing("actor"));
}

#[test]
fn ended_as_it_began_it_never_was() {
    let calendar = Calendar { cutoff: std::time::Duration::from_mins(10), ..one_window() };
    for time in ["09:55", "10:00"] {
        let gate = gate(at(time), None, &calendar, &[ended("window", "10:00", "10:00")], &[]);
        assert_eq!(
            (gate.state, gate.claims_allowed, gate.next_change),
            (GateState::Open, true, None),
            "{time}"
        );
    }
}

#[test]
fn the_earliest_end_counts_and_a_later_one_than_announced_does_not() {
    let changes = [ended("window", "10:00", "11:30"), ended("window", "10:00", "11:00")];
    assert_eq!(gate(at("10:00"), None, &one_window(), &changes, &[]).until, Some(at("11:00")));
    let changes = [ended("window", "10:00", "13:00")];
    assert_eq!(gate(at("10:00"), None, &one_window(), &changes, &[]).until, Some(at("12:00")));
}

#[test]
fn an_override_of_another_occurrence_has_no_effect() {
    for other in [ended("window", "09:00", "11:00"), ended("other", "10:00", "11:00")] {
        assert_eq!(gate(at("11:00"), None, &one_window(), &[other], &[]).state, GateState::Closed);
    }
}

#[test]
fn the_list_shows_what_was_what_is_and_what_comes() {
    let calendar = calendar([
        staff_window("coming", "15:00", "16:00"),
        window("active", "12:00", "14:00"),
        window("ended", "11:00", "14:00"),
        window("past", "08:00", "09:00"),
        window("outside", "17:00", "18:00"),
        window("before", "05:00", "06:00"),
    ]);
    let changes = [ended("ended", "11:00", "12:30")];
    let list = occurrences(&calendar, &changes, at("06:00"), at("17:00"), at("13:00"));
    let short: Vec<_> = list.iter().map(|item| (item.window.as_str(), item.state)).collect();
    let expected = [
        ("past", OccurrenceState::Past),
        ("ended", OccurrenceState::Past),
        ("active", OccurrenceState::Active),
        ("coming", OccurrenceState::Coming),
    ];
    assert_eq!(short, expected);
    assert_eq!((list[1].end, list[1].announced_end), (at("12:30"), at("14:00")));
    assert_eq!(list[1].ended.as_ref(), Some(&changes[0]));
    assert_eq!(list[3].origin, calendar.windows[0].origin);
}

#[test]
fn its_end_is_past_and_its_start_is_active() {
    let state = |now| occurrences(&one_window(), &[], at("00:00"), at("23:00"), at(now))[0].state;
    assert_eq!([state("09:59:59"), state("10:00")], [OccurrenceState::Coming, OccurrenceState::Active]);
    assert_eq!([state("11:59:59"), state("12:00")], [OccurrenceState::Active, OccurrenceState::Past]);
}

#[test]
fn an_occurrence_is_listed_if_any_part_of_it_lies_in_the_stretch() {
    let count = |from, to| occurrences(&one_window(), &[], at(from), at(to), at("00:00")).len();
    assert_eq!([count("11:59", "13:00"), count("09:00", "10:00:01"), count("10:30", "11:00")], [1, 1, 1]);
    assert_eq!([count("12:00", "13:00"), count("09:00", "10:00")], [0, 0]);
}
