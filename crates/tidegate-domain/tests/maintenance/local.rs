//! The document's test vectors for wall-clock times, and what it leaves open.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use tidegate_domain::maintenance::Interval;
use tidegate_domain::maintenance::local::{
    occurrence_between, occurrence_until, occurrence_with_duration, parse_local, resolve_end, resolve_start,
};

use crate::support::{local, utc};

/// Start and end as they are written with their offsets.
fn interval(start: &str, end: &str) -> Interval {
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc);
    Interval::new(instant(start), instant(end)).unwrap()
}

fn until(zone: Tz, start: &str, end: &str) -> Interval {
    let end = NaiveTime::parse_from_str(end, "%H:%M").unwrap();
    occurrence_until(zone, local(start), end).unwrap()
}

fn lasting(zone: Tz, start: &str, hours: i64) -> Interval {
    occurrence_with_duration(zone, local(start), TimeDelta::hours(hours)).unwrap()
}

fn length(interval: Interval) -> TimeDelta {
    interval.end() - interval.start()
}

#[test]
fn midnight_is_the_end_of_the_day() {
    let found = until(Tz::America__Chicago, "2024-03-08T19:00", "00:00");
    assert_eq!(found, interval("2024-03-09T01:00:00Z", "2024-03-09T06:00:00Z"));
}

#[test]
fn a_night_in_which_the_clocks_change_is_shorter_or_longer() {
    let spring = until(Tz::America__Chicago, "2024-03-09T19:00", "06:00");
    assert_eq!(length(spring), TimeDelta::hours(10));
    let autumn = until(Tz::America__Chicago, "2024-11-02T19:00", "06:00");
    assert_eq!(length(autumn), TimeDelta::hours(12));
}

#[test]
fn a_start_in_a_gap_waits_for_the_gap_to_end() {
    let found = lasting(Tz::America__New_York, "2026-03-08T02:30", 4);
    assert_eq!(found, interval("2026-03-08T03:00:00-04:00", "2026-03-08T07:00:00-04:00"));
}

#[test]
fn an_end_in_a_gap_waits_for_the_gap_to_end() {
    let found = until(Tz::America__New_York, "2026-03-08T01:00", "02:30");
    assert_eq!(found, interval("2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00"));
    assert_eq!(length(found), TimeDelta::minutes(60));
}

#[test]
fn a_start_in_a_fold_is_the_first() {
    let found = lasting(Tz::America__New_York, "2026-11-01T01:30", 4);
    assert_eq!(found, interval("2026-11-01T01:30:00-04:00", "2026-11-01T04:30:00-05:00"));
}

#[test]
fn an_end_in_a_fold_is_the_second() {
    let found = until(Tz::America__New_York, "2026-11-01T00:30", "01:30");
    assert_eq!(found, interval("2026-11-01T00:30:00-04:00", "2026-11-01T01:30:00-05:00"));
    assert_eq!(length(found), TimeDelta::minutes(120));
}

#[test]
fn a_window_over_a_fold_is_an_hour_longer() {
    let found = until(Tz::America__New_York, "2026-11-01T01:00", "05:00");
    assert_eq!(length(found), TimeDelta::minutes(300));
}

#[test]
fn a_gap_of_half_an_hour() {
    let found = lasting(Tz::Australia__Lord_Howe, "2026-10-04T02:15", 1);
    assert_eq!(found, interval("2026-10-04T02:30:00+11:00", "2026-10-04T03:30:00+11:00"));
}

#[test]
fn a_gap_of_a_whole_day() {
    let found = lasting(Tz::Pacific__Apia, "2011-12-30T02:00", 2);
    assert_eq!(found, interval("2011-12-31T00:00:00+14:00", "2011-12-31T02:00:00+14:00"));
}

#[test]
fn a_gap_at_midnight() {
    let found = lasting(Tz::Africa__Cairo, "2026-04-24T00:00", 2);
    assert_eq!(found, interval("2026-04-24T01:00:00+03:00", "2026-04-24T03:00:00+03:00"));
}

#[test]
fn a_zone_whose_clocks_never_change() {
    let found = lasting(Tz::America__Phoenix, "2026-03-08T02:30", 4);
    assert_eq!(found, interval("2026-03-08T02:30:00-07:00", "2026-03-08T06:30:00-07:00"));
}

#[test]
fn one_reading_has_two_instants_in_a_fold_and_a_common_one_in_a_gap() {
    let (zone, fold, gap) = (Tz::America__Chicago, local("2024-11-03T01:30"), local("2024-03-10T02:59:59"));
    assert_eq!(resolve_start(zone, fold), utc("2024-11-03T06:30"));
    assert_eq!(resolve_end(zone, fold), utc("2024-11-03T07:30"));
    assert_eq!(resolve_start(zone, gap), utc("2024-03-10T08:00"));
    assert_eq!(resolve_end(zone, gap), utc("2024-03-10T08:00"));
}

#[test]
fn an_end_at_the_start_s_time_of_day_is_the_next_day_s() {
    let found = until(Tz::America__Chicago, "2024-05-06T19:00", "19:00");
    assert_eq!(length(found), TimeDelta::hours(24));
}

#[test]
fn an_occurrence_that_a_gap_swallows_keeps_its_length() {
    let found = until(Tz::America__New_York, "2026-03-08T02:15", "02:45");
    assert_eq!(found, interval("2026-03-08T03:00:00-04:00", "2026-03-08T03:30:00-04:00"));
}

#[test]
fn nothing_empty_or_backward_is_an_occurrence() {
    let (zone, start) = (Tz::America__Chicago, local("2024-05-06T19:00"));
    assert_eq!(occurrence_with_duration(zone, start, TimeDelta::zero()), None);
    assert_eq!(occurrence_with_duration(zone, start, TimeDelta::hours(-1)), None);
    assert_eq!(occurrence_with_duration(zone, start, TimeDelta::MAX), None);
    assert_eq!(occurrence_between(zone, start, start), None);
    // Both read 01:30 to 01:15; that the clocks show 01:15 again later does not make it a window.
    let fold = local("2024-11-03T01:30");
    assert_eq!(occurrence_between(zone, fold, local("2024-11-03T01:15")), None);
    assert_eq!(occurrence_between(zone, fold, fold), None);
}

#[test]
fn readings_at_the_edge_of_the_calendar_do_no_harm() {
    for zone in [Tz::Pacific__Apia, Tz::America__Chicago] {
        for reading in [chrono::NaiveDateTime::MIN, chrono::NaiveDateTime::MAX] {
            assert!(resolve_start(zone, reading) <= resolve_end(zone, reading));
        }
    }
}

#[test]
fn local_times_are_read_with_a_letter_or_a_blank() {
    let expected = local("2024-03-08T19:00");
    for text in ["2024-03-08 19:00", "2024-03-08T19:00:00", "2024-03-08 19:00:00"] {
        assert_eq!(parse_local(text), Ok(expected), "{text}");
    }
    let refused = [
        "",
        "2024-03-08",
        "19:00",
        "2024-02-30T19:00",
        "2024-03-08T24:00",
        "2024-03-08T23:59:60",
        "2024-03-08T19:00Z",
        "2024-03-08T19:00-06:00",
        "1969-12-31T23:59",
        "2100-01-01T00:00",
        "24-03-08T19:00",
    ];
    for text in refused {
        assert!(parse_local(text).is_err(), "{text}");
    }
    let message = parse_local("tomorrow").unwrap_err().to_string();
    assert!(message.contains("\"tomorrow\"") && message.contains("2024-03-08T19:00"), "{message}");
}
