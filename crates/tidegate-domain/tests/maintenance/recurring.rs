//! Windows that come again and again: their form, their days, and the gate around them.

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::{
    Calendar, GateState, Interval, MaintenanceConfig, Recurring, announcement, gate, occurrences,
    touches_clock_change,
};

use crate::support::{CHICAGO, hold, org, utc};

/// A calendar of windows as they are written below `[maintenance]`, in Chicago.
pub(crate) fn calendar_of(windows: &str) -> Calendar {
    let text = format!("timezone = \"America/Chicago\"\n{windows}");
    toml::from_str::<MaintenanceConfig>(&text).unwrap().to_calendar().unwrap()
}

/// One recurring window.
fn window(lines: &str) -> Recurring {
    calendar_of(&format!("[[window]]\nname = \"w\"\n{lines}")).recurring.remove(0)
}

fn problems(windows: &str) -> Vec<String> {
    let text = format!("timezone = \"America/Chicago\"\n{windows}");
    let problems = toml::from_str::<MaintenanceConfig>(&text).unwrap().to_calendar().unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

fn window_problem(lines: &str) -> String {
    let found = problems(&format!("[[window]]\nname = \"w\"\n{lines}"));
    assert_eq!(found.len(), 1, "{lines}: {found:#?}");
    found[0].clone()
}

fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// Local starts of all occurrences of a year.
fn starts(window: &Recurring, year: i32) -> Vec<String> {
    let (from, to) = (utc(&format!("{year}-01-01T12:00")), utc(&format!("{year}-12-31T12:00")));
    let local =
        |one: &Interval| one.start().with_timezone(&window.plan().zone).format("%m-%dT%H:%M").to_string();
    window.between(from, to).iter().map(local).collect()
}

/// The document's vectors, as windows that recur: zone, rule and length, and the one occurrence of that day.
const VECTORS: [(&str, &str, &str, &str); 12] = [
    ("America/Chicago", "cron = '0 19 8 3 *'\nend = '00:00'", "2024-03-09T01:00:00Z", "2024-03-09T06:00:00Z"),
    (
        "America/Chicago",
        "cron = '0 19 * * SAT'\nend = '06:00'",
        "2024-03-09T19:00:00-06:00",
        "2024-03-10T06:00:00-05:00",
    ),
    (
        "America/Chicago",
        "cron = '0 19 * * SAT'\nend = '06:00'",
        "2024-11-02T19:00:00-05:00",
        "2024-11-03T06:00:00-06:00",
    ),
    (
        "America/New_York",
        "cron = '30 2 * * SUN'\nduration = '4h'",
        "2026-03-08T03:00:00-04:00",
        "2026-03-08T07:00:00-04:00",
    ),
    (
        "America/New_York",
        "cron = '0 1 * * *'\nend = '02:30'",
        "2026-03-08T01:00:00-05:00",
        "2026-03-08T03:00:00-04:00",
    ),
    (
        "America/New_York",
        "rrule = 'FREQ=MONTHLY;BYDAY=1SU'\nstart = '01:30'\nduration = '4h'",
        "2026-11-01T01:30:00-04:00",
        "2026-11-01T04:30:00-05:00",
    ),
    (
        "America/New_York",
        "rrule = 'FREQ=DAILY'\nstart = '00:30'\nend = '01:30'",
        "2026-11-01T00:30:00-04:00",
        "2026-11-01T01:30:00-05:00",
    ),
    (
        "America/New_York",
        "rrule = 'FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=1'\nstart = '01:00'\nend = '05:00'",
        "2026-11-01T01:00:00-04:00",
        "2026-11-01T05:00:00-05:00",
    ),
    (
        "Australia/Lord_Howe",
        "cron = '15 2 * * *'\nduration = '1h'",
        "2026-10-04T02:30:00+11:00",
        "2026-10-04T03:30:00+11:00",
    ),
    (
        "Pacific/Apia",
        "cron = '0 2 30 12 *'\nduration = '2h'",
        "2011-12-31T00:00:00+14:00",
        "2011-12-31T02:00:00+14:00",
    ),
    (
        "Africa/Cairo",
        "rrule = 'FREQ=MONTHLY;BYDAY=-1FR'\nstart = '00:00'\nduration = '2h'",
        "2026-04-24T01:00:00+03:00",
        "2026-04-24T03:00:00+03:00",
    ),
    (
        "America/Phoenix",
        "cron = '30 2 * * *'\nduration = '4h'",
        "2026-03-08T02:30:00-07:00",
        "2026-03-08T06:30:00-07:00",
    ),
];

#[test]
fn every_vector_holds_for_windows_that_recur() {
    for (zone, lines, start, end) in VECTORS {
        let window = window(&format!("timezone = '{zone}'\n{lines}"));
        let expected = Interval::new(instant(start), instant(end)).unwrap();
        let second = TimeDelta::seconds(1);
        assert_eq!(window.between(expected.start(), expected.start() + second), [expected], "{zone} {lines}");
        assert_eq!(window.between(expected.end() - second, expected.end()), [expected], "{zone} {lines}");
        assert!(
            !window.between(expected.end(), expected.end() + second).contains(&expected),
            "{zone} {lines}"
        );
    }
}

#[test]
fn rules_say_the_days_they_say() {
    let cases = [
        (
            "rrule = 'FREQ=MONTHLY;BYDAY=-1FR'\nstart = '18:00'\nend = '06:00'\nexcept = ['2026-12-25', '2026-11-27']",
            vec!["01-30", "02-27", "03-27", "04-24", "05-29", "06-26", "07-31", "08-28", "09-25", "10-30"],
        ),
        (
            "rrule = 'FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2'\nstart = '18:00'\nend = '06:00'\nvalid_from = '2026-03-10'\nvalid_until = '2026-06-09'",
            vec!["03-10", "04-14", "05-12", "06-09"],
        ),
        (
            "rrule = 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO'\nstart = '18:00'\nduration = '1h'\nvalid_from = '2026-11-02'",
            vec!["11-02", "11-16", "11-30", "12-14", "12-28"],
        ),
        (
            "rrule = 'FREQ=DAILY;COUNT=3'\nstart = '18:00'\nduration = '1h'\nvalid_from = '2026-02-27'",
            vec!["02-27", "02-28", "03-01"],
        ),
        (
            "rrule = 'FREQ=WEEKLY'\nstart = '18:00'\nduration = '1h'\nvalid_from = '2026-12-01'",
            vec!["12-01", "12-08", "12-15", "12-22", "12-29"],
        ),
        (
            "rrule = 'FREQ=MONTHLY;BYMONTHDAY=31'\nstart = '18:00'\nduration = '1h'",
            vec!["01-31", "03-31", "05-31", "07-31", "08-31", "10-31"],
        ),
        ("cron = '0 18 L */3 *'\nduration = '1h'", vec!["01-31", "04-30", "07-31", "10-31"]),
        ("cron = '0 18 29 2 *'\nduration = '1h'", vec![]),
    ];
    for (lines, days) in cases {
        let days: Vec<_> = days.iter().map(|day| format!("{day}T18:00")).collect();
        assert_eq!(starts(&window(lines), 2026), days, "{lines}");
    }
    assert_eq!(starts(&window("cron = '0 18 29 2 *'\nduration = '1h'"), 2028), ["02-29T18:00"]);
}

#[test]
fn the_next_occurrence_is_found_years_ahead_and_not_after_the_last_day() {
    let leap = window("cron = '0 18 29 2 *'\nduration = '1h'");
    assert_eq!(leap.next(utc("2024-03-01T02:00")).unwrap().start(), utc("2028-03-01T00:00"));
    let over = window("cron = '0 18 * * *'\nduration = '1h'\nvalid_until = '2026-05-06'");
    assert_eq!(over.next(utc("2026-05-06T23:00")).unwrap().start(), utc("2026-05-06T23:00"));
    assert_eq!(over.next(utc("2026-05-06T23:00:01")), None);
}

#[test]
fn dates_that_the_clocks_skip_share_one_occurrence_with_the_next() {
    let daily = window("timezone = 'Pacific/Apia'\ncron = '0 0 * * *'\nduration = '1h'");
    let found = daily.between(instant("2011-12-29T00:00:00-10:00"), instant("2012-01-01T00:00:00+14:00"));
    let starts: Vec<_> = found.iter().map(Interval::start).collect();
    assert_eq!(starts, [instant("2011-12-29T00:00:00-10:00"), instant("2011-12-31T00:00:00+14:00")]);
}

/// Lines of a window, and how its problem begins.
const MISTAKES: [(&str, &str); 34] = [
    ("cron = '30 2 * * SUN'", "maintenance.window[0]: needs either \"end\" or \"duration\""),
    ("cron = '30 2 * * SUN'\nduration = '1h'\nend = '03:00'", "maintenance.window[0]: needs either"),
    (
        "cron = '30 2 * * SUN'\nduration = '0s'",
        "maintenance.window[0].duration: the window would be over at once",
    ),
    (
        "cron = '30 2 * * SUN'\nduration = '4h'\nto = '2026-01-01T00:00'",
        "maintenance.window[0].to: belongs to a window with \"from\"",
    ),
    (
        "cron = '30 2 * * SUN'\nduration = '4h'\nstart = '02:00'",
        "maintenance.window[0].start: belongs to \"rrule\"",
    ),
    (
        "from = '2026-01-01T00:00'\nduration = '4h'\nexcept = ['2026-01-01']",
        "maintenance.window[0].except: belongs to a recurring window",
    ),
    ("duration = '4h'", "maintenance.window[0]: needs one of \"from\", \"cron\" and \"rrule\""),
    ("cron = '30 2 * * SUN'\nrrule = 'FREQ=DAILY'\nduration = '4h'", "maintenance.window[0]: needs one of"),
    ("cron = '30 2 * * SUN'\nend = '24:30'", "maintenance.window[0].end: \"24:30\" is no time of day"),
    (
        "cron = '30 2 * * SUN'\nduration = '4h'\nexcept = ['12/25']",
        "maintenance.window[0].except: \"12/25\" is no date",
    ),
    (
        "cron = '30 2 * * SUN'\nduration = '4h'\ntimezone = 'Central'",
        "maintenance.window[0].timezone: \"Central\" is no IANA",
    ),
    (
        "cron = '30 2 * * SUN'\nduration = '4h'\nvalid_from = '2026-02-02'\nvalid_until = '2026-02-01'",
        "maintenance.window[0].valid_until: is before valid_from",
    ),
    ("cron = '30 25 * * *'\nduration = '4h'", "maintenance.window[0].cron: \"30 25 * * *\" is no cron line"),
    (
        "cron = '0 30 2 * * *'\nduration = '4h'",
        "maintenance.window[0].cron: \"0 30 2 * * *\" is no cron line",
    ),
    (
        "cron = '*/30 * * * *'\nduration = '1m'",
        "maintenance.window[0].cron: \"*/30 * * * *\" starts more than 24 times a day",
    ),
    ("cron = '0 2 30 2 *'\nduration = '4h'", "maintenance.window[0].cron: the window never starts"),
    (
        "cron = '0 2 * * SUN'\nduration = '4h'\nvalid_from = '2026-11-23'\nvalid_until = '2026-11-28'",
        "maintenance.window[0].cron: the window never starts",
    ),
    (
        "cron = '0 2 24 12 *'\nduration = '4h'\nvalid_from = '2026-01-01'\nvalid_until = '2026-12-31'\nexcept = ['2026-12-24']",
        "maintenance.window[0].cron: the window never starts",
    ),
    (
        "rrule = 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30'\nstart = '02:00'\nduration = '4h'",
        "maintenance.window[0].rrule: the window never starts",
    ),
    ("rrule = 'FREQ=DAILY'\nduration = '4h'", "maintenance.window[0].start: is missing"),
    (
        "rrule = 'FREQ=HOURLY'\nstart = '02:00'\nduration = '4m'",
        "maintenance.window[0].rrule: FREQ must be DAILY",
    ),
    (
        "rrule = 'FREQ=DAILY;BYHOUR=1,2'\nstart = '02:00'\nduration = '4m'",
        "maintenance.window[0].rrule: BYHOUR, BYMINUTE and BYSECOND are given by \"start\"",
    ),
    (
        "rrule = 'FREQ=DAILY;UNTIL=20261231'\nstart = '02:00'\nduration = '4m'",
        "maintenance.window[0].rrule: ",
    ),
    ("rrule = 'FREQ=DAILY;INTERVAL=0'\nstart = '02:00'\nduration = '4m'", "maintenance.window[0].rrule: "),
    (
        "rrule = 'FREQ=SOMETIMES'\nstart = '02:00'\nduration = '4m'",
        "maintenance.window[0].rrule: \"FREQ=SOMETIMES\" is no RFC 5545 rule",
    ),
    (
        "rrule = 'FREQ=MONTHLY;BYDAY=xFR'\nstart = '02:00'\nduration = '4m'",
        "maintenance.window[0].rrule: \"FREQ=MONTHLY;BYDAY=xFR\" is no RFC 5545 rule",
    ),
    (
        "rrule = 'FREQ=MONTHLY;BYWHEN=FR'\nstart = '02:00'\nduration = '4m'",
        "maintenance.window[0].rrule: \"FREQ=MONTHLY;BYWHEN=FR\" is no RFC 5545 rule",
    ),
    (
        "rrule = 'FREQ=WEEKLY'\nstart = '02:00'\nduration = '4h'",
        "maintenance.window[0].valid_from: is missing",
    ),
    (
        "rrule = 'FREQ=WEEKLY;INTERVAL=2;BYDAY=FR'\nstart = '02:00'\nduration = '4h'",
        "maintenance.window[0].valid_from: is missing",
    ),
    (
        "rrule = 'FREQ=DAILY;COUNT=9'\nstart = '02:00'\nduration = '4h'",
        "maintenance.window[0].valid_from: is missing",
    ),
    (
        "cron = '30 2 * * *'\nduration = '25h'",
        "maintenance.window[0].duration: the window would not be over before its next start",
    ),
    (
        "cron = '30 2 * * MON,TUE'\nduration = '25h'",
        "maintenance.window[0].duration: the window would not be over",
    ),
    (
        "cron = '0 2,4 * * *'\nend = '06:00'",
        "maintenance.window[0].end: the window would not be over before its next start",
    ),
    (
        "cron = '0 0 * * *'\nend = '00:00'",
        "maintenance.window: together the recurring windows keep the gate closed for a week",
    ),
];

#[test]
fn each_mistake_in_a_recurring_window_names_its_key() {
    for (lines, expected) in MISTAKES {
        let found = window_problem(lines);
        assert!(found.starts_with(expected), "{lines}:\n   found {found}\nexpected {expected}");
    }
}

#[test]
fn windows_that_only_together_close_for_a_week_are_refused() {
    let half = |name: &str, from: &str, to: &str, orgs: &str| {
        format!("[[window]]\nname = '{name}'\ncron = '0 {from} * * *'\nend = '{to}:00'\n{orgs}\n")
    };
    let day = half("day", "6", "18", "");
    assert_eq!(calendar_of(&day).recurring.len(), 1);
    let found = problems(&(day.clone() + &half("night", "18", "06", "")));
    assert!(found.len() == 1 && found[0].starts_with("maintenance.window: together"), "{found:#?}");
    // Nobody is closed all the time by windows of others.
    let found = problems(&(day.clone() + &half("night", "18", "06", "orgs = ['county-*']")));
    assert!(found.len() == 1 && found[0].starts_with("maintenance.window: together"), "{found:#?}");
    let (north, south) = ("orgs = ['north-*']", "orgs = ['south-*']");
    calendar_of(&(half("north", "6", "18", north) + &half("south", "18", "06", south)));
    // Nor is it the whole year that has to be closed.
    let june = |name: &str, from: &str, to: &str| {
        format!(
            "[[window]]\nname = '{name}'\ncron = '0 {from} * 6 *'\nend = '{to}:00'\nvalid_from = '2026-01-01'\n"
        )
    };
    let found = problems(&(june("day", "6", "18") + &june("night", "18", "06")));
    assert!(found.len() == 1 && found[0].starts_with("maintenance.window: together"), "{found:#?}");
}

/// Closed from Monday to Saturday, each day by its own occurrence.
const SIX_DAYS: &str = "[[window]]\nname = 'days'\ncron = '0 0 * * MON-SAT'\nend = '00:00'";

#[test]
fn occurrences_that_touch_are_one_stretch_however_many_they_are() {
    let calendar = calendar_of(SIX_DAYS);
    let now = instant("2026-05-09T12:00:00-05:00");
    let found = gate(now, None, &calendar, &[], &[]);
    assert_eq!(found.closed_since, Some(instant("2026-05-04T00:00:00-05:00")));
    assert_eq!(found.until, Some(instant("2026-05-10T00:00:00-05:00")));
    assert_eq!(found.next_change, Some(instant("2026-05-10T00:00:00-05:00")));
    let monday = gate(instant("2026-05-04T00:00:00-05:00"), None, &calendar, &[], &[]);
    assert_eq!((monday.closed_since, monday.until), (found.closed_since, found.until));
    assert_eq!(monday.next_change, Some(instant("2026-05-05T00:00:00-05:00")));
}

#[test]
fn a_long_window_before_and_a_hold_behind_are_connected_through_what_recurs() {
    let long = "[[window]]\nname = 'long'\nfrom = '2026-04-01T00:00'\nto = '2026-05-04T00:00'\n";
    let calendar = calendar_of(&format!("{long}{SIX_DAYS}"));
    let now = instant("2026-05-09T12:00:00-05:00");
    let until = instant("2026-07-01T00:00:00-05:00");
    let mut behind = hold("hold", "00:00", None);
    (behind.placed_at, behind.until) = (instant("2026-05-10T00:00:00-05:00"), Some(until));
    let found = gate(now, None, &calendar, &[], &[behind]);
    // It begins on a Wednesday, behind two days that are closed by themselves.
    assert_eq!(found.closed_since, Some(instant("2026-03-30T00:00:00-05:00")));
    // The hold ends on a Wednesday, which is closed by itself.
    assert_eq!(found.until, Some(instant("2026-07-05T00:00:00-05:00")));
}

#[test]
fn the_gate_says_when_it_changes_next_however_far_that_is() {
    let calendar = calendar_of("[[window]]\nname = 'leap'\ncron = '0 18 29 2 *'\nduration = '1h'");
    let found = gate(utc("2024-03-02T00:00"), None, &calendar, &[], &[]);
    assert_eq!((found.state, found.next_change), (GateState::Open, Some(utc("2028-03-01T00:00"))));
    assert_eq!(gate(utc("2028-03-01T00:00"), None, &calendar, &[], &[]).state, GateState::Closed);
}

#[test]
fn a_window_of_some_organizations_closes_for_them_alone() {
    let calendar =
        calendar_of("[[window]]\nname = 'w'\ncron = '30 2 * * *'\nduration = '1h'\norgs = ['county-*']");
    let now = instant("2026-05-04T03:00:00-05:00");
    let state = |org: Option<&OrgCode>| gate(now, org, &calendar, &[], &[]).state;
    assert_eq!(state(None), GateState::Open);
    assert_eq!(state(Some(&org("ACME01"))), GateState::Open);
    assert_eq!(state(Some(&org("county-7"))), GateState::Closed);
}

#[test]
fn what_recurs_is_announced_to_its_very_end() {
    let calendar = calendar_of(SIX_DAYS);
    let text = announcement(instant("2026-05-03T23:00:00-05:00"), None, &calendar, &[], &[]).unwrap();
    assert!(
        text.starts_with(
            "Next maintenance from Mon 2026-05-04 00:00 CDT (America/Chicago) until Sun 2026-05-10 00:00 CDT"
        ),
        "{text}"
    );
}

#[test]
fn a_calendar_that_cannot_be_read_keeps_the_gate_closed() {
    let calendar = Calendar { unreadable_since: Some(utc("2026-05-04T00:00")), ..Calendar::default() };
    let found = gate(utc("2026-05-04T00:00"), Some(&org("ACME01")), &calendar, &[], &[]);
    assert_eq!((found.state, found.until, found.next_change), (GateState::Closed, None, None));
    assert_eq!((found.causes[0].name.as_str(), found.claims_allowed), ("configuration", false));
    // Nor does a clock that was put back open it.
    let before = gate(utc("2026-05-03T00:00"), Some(&org("ACME01")), &calendar, &[], &[]);
    assert_eq!(before.state, GateState::Closed);
}

#[test]
fn recurring_windows_are_listed_for_a_year_and_one_off_ones_for_ever() {
    let calendar = calendar_of(
        "[[window]]\nname = 'yearly'\ncron = '0 2 1 6 *'\nduration = '1h'\n\
         [[window]]\nname = 'far'\nfrom = '2090-01-01T00:00'\nduration = '1h'",
    );
    let now = utc("2026-04-04T00:00");
    let listed = occurrences(&calendar, &[], now, DateTime::<Utc>::MAX_UTC, now);
    let names: Vec<_> = listed.iter().map(|one| (one.window.as_str(), one.start)).collect();
    assert_eq!(names, [("yearly", utc("2026-06-01T07:00")), ("far", utc("2090-01-01T06:00"))]);
}

#[test]
fn a_night_in_which_the_clocks_change_is_recognised() {
    let night = window("cron = '0 19 * * *'\nend = '06:00'");
    let touched = |from: &str, to: &str| {
        let found = night.between(utc(from), utc(to)).into_iter();
        found.filter(|one| touches_clock_change(CHICAGO, *one)).map(|one| one.start()).collect::<Vec<_>>()
    };
    let year = touched("2026-01-01T12:00", "2026-12-31T12:00");
    assert_eq!(year, [utc("2026-03-08T01:00"), utc("2026-11-01T00:00")]);
    // Starts and ends that are skipped or shown twice, though the length is as it reads.
    for (lines, day) in [
        ("cron = '30 2 * * SUN'\nduration = '1h'", "2026-03-08T08:00"),
        ("cron = '30 1 * * SUN'\nduration = '15m'", "2026-11-01T06:30"),
        ("cron = '45 0 * * SUN'\nend = '02:30'", "2026-03-08T06:45"),
    ] {
        let window = window(lines);
        let found: Vec<_> = window
            .between(utc("2026-01-01T12:00"), utc("2026-12-31T12:00"))
            .into_iter()
            .filter(|one| touches_clock_change(CHICAGO, *one))
            .map(|one| one.start())
            .collect();
        assert!(found.contains(&utc(day)) && found.len() <= 2, "{lines}: {found:?}");
    }
}
