//! Ending, extending and skipping occurrences.

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::maintenance::{
    Calendar, Extension, GateState, OccurrenceState, Override, OverrideError, WordingError, gate, occurrences,
};

use crate::recurring::calendar_of;
use crate::support::{at, calendar, ended, extended, skipped, staff_window, utc, window};

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
    assert_eq!(list[1].changes, changes);
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

const WHO: (&str, &str) = ("kim", "runs late");

fn extend(time: &str, by: Extension, overrides: &[Override]) -> Result<Override, OverrideError> {
    Override::extend("window", by, at(time), &one_window(), overrides, WHO)
}

#[test]
fn an_active_occurrence_is_extended_by_a_length_or_to_an_instant() {
    let until = |change: Result<Override, OverrideError>| match change.unwrap() {
        Override::Extended { until, occurrence_start, .. } => (occurrence_start, until),
        other => panic!("{other:?}"),
    };
    let hour = Extension::By(TimeDelta::hours(1));
    assert_eq!(until(extend("11:00", hour, &[])), (at("10:00"), at("13:00")));
    assert_eq!(
        until(extend("12:30", hour, &[extended("window", "10:00", "13:00")])),
        (at("10:00"), at("14:00"))
    );
    assert_eq!(until(extend("11:00", Extension::To(at("12:01")), &[])), (at("10:00"), at("12:01")));
    let changes = [extended("window", "10:00", "13:00")];
    let state = |time| gate(at(time), None, &one_window(), &changes, &[]);
    assert_eq!((state("12:59:59").state, state("13:00").state), (GateState::Closed, GateState::Open));
    assert_eq!(state("10:30").until, Some(at("13:00")));
}

#[test]
fn an_extension_makes_longer_and_not_without_end() {
    assert_eq!(extend("11:00", Extension::To(at("12:00")), &[]), Err(OverrideError::NoExtension));
    assert_eq!(extend("11:00", Extension::By(TimeDelta::zero()), &[]), Err(OverrideError::NoExtension));
    let week = at("11:00") + TimeDelta::days(7);
    assert!(extend("11:00", Extension::To(week), &[]).is_ok());
    assert_eq!(
        extend("11:00", Extension::To(week + TimeDelta::seconds(1)), &[]),
        Err(OverrideError::TooLong)
    );
    assert_eq!(extend("11:00", Extension::By(TimeDelta::MAX), &[]), Err(OverrideError::TooLong));
    let not_active = Err(OverrideError::NotActive("window".to_owned()));
    for time in ["09:59", "12:00"] {
        assert_eq!(extend(time, Extension::By(TimeDelta::hours(1)), &[]), not_active);
    }
}

#[test]
fn of_several_changes_each_counts_in_its_turn() {
    let until = |changes: &[Override]| gate(at("10:30"), None, &one_window(), changes, &[]).until;
    let (longer, end) = (extended("window", "10:00", "14:00"), ended("window", "10:00", "13:00"));
    assert_eq!(until(&[longer.clone(), end.clone()]), Some(at("13:00")));
    assert_eq!(until(&[end, longer.clone()]), Some(at("14:00")));
    // An announcement that became longer than the extension stays as it is.
    assert_eq!(until(&[extended("window", "10:00", "11:00")]), Some(at("12:00")));
    assert_eq!(until(&[longer, skipped("window", "10:00")]), None);
}

/// Every day from 02:00 to 03:00 in Chicago: 07:00 to 08:00 UTC in May.
fn daily() -> Calendar {
    calendar_of("[[window]]\nname = 'window'\ncron = '0 2 * * *'\nduration = '1h'")
}

fn skip(
    now: &str,
    from: Option<&str>,
    calendar: &Calendar,
    overrides: &[Override],
) -> Result<DateTime<Utc>, OverrideError> {
    Override::skip("window", from.map(utc), utc(now), calendar, overrides, WHO)
        .map(|skip| skip.occurrence_start())
}

#[test]
fn the_next_occurrence_is_skipped_or_the_one_that_is_named() {
    let calendar = daily();
    assert_eq!(skip("2024-05-06T06:00", None, &calendar, &[]), Ok(utc("2024-05-06T07:00")));
    // What runs is not to come.
    assert_eq!(skip("2024-05-06T07:00", None, &calendar, &[]), Ok(utc("2024-05-07T07:00")));
    for named in ["2024-05-20T00:00", "2024-05-20T07:00", "2024-05-20T07:59:59"] {
        assert_eq!(
            skip("2024-05-06T06:00", Some(named), &calendar, &[]),
            Ok(utc("2024-05-20T07:00")),
            "{named}"
        );
    }
    let first = [skipped("window", "07:00")];
    assert_eq!(skip("2024-05-06T06:00", None, &calendar, &first), Ok(utc("2024-05-07T07:00")));
    let begun = Err(OverrideError::Begun("window".to_owned()));
    assert_eq!(skip("2024-05-06T07:30", Some("2024-05-06T07:30"), &calendar, &[]), begun);
}

#[test]
fn a_one_off_window_is_skipped_before_it_begins() {
    let calendar = one_window();
    let nothing = Err(OverrideError::NothingComing("window".to_owned()));
    assert_eq!(skip("2024-05-06T09:00", None, &calendar, &[]), Ok(at("10:00")));
    assert_eq!(skip("2024-05-06T10:00", None, &calendar, &[]), nothing);
    assert_eq!(skip("2024-05-06T09:00", None, &calendar, &[skipped("window", "10:00")]), nothing);
    assert_eq!(skip("2024-05-06T09:00", Some("2024-05-07T00:00"), &calendar, &[]), nothing);
    let unknown = Override::skip("other", None, at("09:00"), &calendar, &[], WHO);
    assert_eq!(unknown, Err(OverrideError::NoSuchWindow("other".to_owned())));
}

#[test]
fn a_skipped_occurrence_neither_closes_nor_cuts_off_and_stays_in_the_list() {
    let calendar = Calendar { cutoff: std::time::Duration::from_mins(10), ..daily() };
    let changes = [skipped("window", "07:00")];
    for time in ["06:55", "07:30"] {
        let found = gate(at(time), None, &calendar, &changes, &[]);
        assert_eq!((found.state, found.claims_allowed), (GateState::Open, true), "{time}");
        assert_eq!(found.next_change, Some(utc("2024-05-07T06:50")), "{time}");
    }
    let listed = occurrences(&calendar, &changes, at("00:00"), utc("2024-05-08T00:00"), at("06:00"));
    let states: Vec<_> = listed.iter().map(|one| one.state).collect();
    assert_eq!(states, [OccurrenceState::Skipped, OccurrenceState::Coming]);
    assert_eq!(listed[0].changes, changes);
}

#[test]
fn a_recurring_window_is_ended_and_extended_occurrence_by_occurrence() {
    let calendar = daily();
    let end = Override::end("window", at("07:30"), &calendar, &[], "kim", "done early").unwrap();
    assert_eq!(end, ended("window", "07:00", "07:30"));
    assert_eq!(gate(at("07:30"), None, &calendar, &[end], &[]).next_change, Some(utc("2024-05-07T07:00")));
    // Six days longer: over all that come meanwhile, which keep their own ends.
    let long = Extension::To(utc("2024-05-12T12:00"));
    let change = Override::extend("window", long, at("07:30"), &calendar, &[], WHO).unwrap();
    let changes = [change];
    let found = gate(utc("2024-05-12T11:00"), None, &calendar, &changes, &[]);
    assert_eq!((found.closed_since, found.until), (Some(at("07:00")), Some(utc("2024-05-12T12:00"))));
    let during = gate(utc("2024-05-10T07:30"), None, &calendar, &changes, &[]);
    assert_eq!(during.causes.len(), 2, "{during:?}");
    // The one that began last is meant.
    let end = Override::end("window", utc("2024-05-10T07:30"), &calendar, &changes, "kim", "done").unwrap();
    assert_eq!(end.occurrence_start(), utc("2024-05-10T07:00"));
}
