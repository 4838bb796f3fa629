//! Times and notices in words.

use chrono_tz::Tz;
use tidegate_domain::maintenance::{Calendar, UNAVAILABLE, announcement, show_instant};

use crate::support::{CHICAGO, at, calendar, ended, hold, org, utc, window, window_of};

#[test]
fn a_time_names_its_zone_and_offset() {
    assert_eq!(show_instant(utc("2024-03-09T01:00"), CHICAGO), "Fri 2024-03-08 19:00 CST (America/Chicago)");
    assert_eq!(show_instant(utc("2024-03-11T00:00"), CHICAGO), "Sun 2024-03-10 19:00 CDT (America/Chicago)");
    let lord_howe = show_instant(utc("2026-10-03T15:30:07"), Tz::Australia__Lord_Howe);
    assert_eq!(lord_howe, "Sun 2026-10-04 02:30:07 +11 (Australia/Lord_Howe)");
}

#[test]
fn the_running_maintenance_is_announced_to_the_end_of_its_union() {
    let calendar = calendar([window("one", "10:00", "11:00"), window("two", "11:00", "12:00")]);
    let text = announcement(at("10:30"), None, &calendar, &[], &[]).unwrap();
    assert_eq!(
        text,
        "Maintenance until Mon 2024-05-06 07:00 CDT (America/Chicago): uploads are accepted, processing waits."
    );
}

#[test]
fn a_hold_without_end_lasts_until_further_notice() {
    let text = announcement(at("10:30"), None, &Calendar::default(), &[], &[hold("hold", "10:00", None)]);
    assert_eq!(
        text.as_deref(),
        Some("Maintenance until further notice: uploads are accepted, processing waits.")
    );
}

#[test]
fn the_next_maintenance_is_announced_seven_days_ahead() {
    let mut calendar = calendar([window("later", "15:00", "16:00"), window("next", "10:00", "11:00")]);
    calendar.timezone = None;
    let ask = |time| announcement(utc(time), None, &calendar, &[], &[]);
    assert_eq!(
        ask("2024-04-29T10:00").as_deref(),
        Some(
            "Next maintenance from Mon 2024-05-06 10:00 UTC (UTC) until Mon 2024-05-06 11:00 UTC (UTC): \
             uploads are accepted then too, processing waits."
        )
    );
    assert_eq!(ask("2024-04-29T09:59:59"), None);
    assert!(ask("2024-05-06T11:00").unwrap().contains(" 15:00 "));
    assert_eq!(ask("2024-05-06T16:00"), None);
}

#[test]
fn what_was_ended_or_concerns_others_is_not_announced() {
    let calendar =
        calendar([window("window", "10:00", "11:00"), window_of("ACME01", "acme", "12:00", "13:00")]);
    let ended = [ended("window", "10:00", "10:30")];
    assert_eq!(announcement(at("10:30"), None, &calendar, &ended, &[]), None);
    let own = announcement(at("10:30"), Some(&org("ACME01")), &calendar, &ended, &[]).unwrap();
    assert!(own.starts_with("Next maintenance from Mon 2024-05-06 07:00 CDT"), "{own}");
}

/// Gateways and people look for these words: the notice of the registry that this is modelled on has them.
#[test]
fn who_cannot_be_served_reads_the_sentence_to_the_letter() {
    let expected = "The server is temporarily unable to service your request due to maintenance downtime or \
                    capacity problems. Please try again later.";
    assert_eq!(UNAVAILABLE, expected);
}
