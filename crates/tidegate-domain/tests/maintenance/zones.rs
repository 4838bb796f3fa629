//! The resolver in all zones, 1970 to 2037, checked against nothing but offsets at instants.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::{TZ_VARIANTS, Tz};
use tidegate_domain::maintenance::local::{
    occurrence_until, occurrence_with_duration, resolve_end, resolve_start,
};
use tidegate_domain::maintenance::{Interval, Length, Plan, Recurring, Rule, Scope};

use crate::support::utc;

/// Days between the instants at which the offset is looked up, fewer than between any two changes
/// that a zone made there and back.
const STEP: TimeDelta = TimeDelta::days(21);

fn offset(zone: Tz, at: DateTime<Utc>) -> TimeDelta {
    let seconds = zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
    TimeDelta::seconds(seconds.into())
}

/// The changes of offset that looking every [`STEP`] finds, as the first instants of the new offset.
fn changes(zone: Tz) -> Vec<DateTime<Utc>> {
    let (mut at, mut found) = (utc("1970-01-01T00:00"), Vec::new());
    while at < utc("2038-01-01T00:00") {
        let next = at + STEP;
        if offset(zone, at) != offset(zone, next) {
            let (mut low, mut high) = (at, next);
            while high - low > TimeDelta::seconds(1) {
                let middle = low + TimeDelta::seconds((high - low).num_seconds() / 2);
                if offset(zone, middle) == offset(zone, low) { low = middle } else { high = middle }
            }
            found.push(high);
        }
        at = next;
    }
    found
}

#[test]
fn every_gap_and_every_fold_is_resolved_as_the_rules_say() {
    let (mut gaps, mut folds) = (0, 0);
    for zone in TZ_VARIANTS {
        for change in changes(zone) {
            let (before, after) = (offset(zone, change - TimeDelta::seconds(1)), offset(zone, change));
            let (old, new) = ((change + before).naive_utc(), (change + after).naive_utc());
            let second = TimeDelta::seconds(1);
            if before < after {
                gaps += 1;
                for missing in [old, old + (new - old) / 2, new - second] {
                    assert_eq!(resolve_start(zone, missing), change, "{zone} {missing}");
                    assert_eq!(resolve_end(zone, missing), change, "{zone} {missing}");
                }
                assert_eq!(resolve_start(zone, old - second), change - second, "{zone} {old}");
                assert_eq!(resolve_start(zone, new), change, "{zone} {new}");
            } else {
                folds += 1;
                for twice in [new, new + (old - new) / 2, old - second] {
                    assert_eq!(resolve_start(zone, twice), twice.and_utc() - before, "{zone} {twice}");
                    assert_eq!(resolve_end(zone, twice), twice.and_utc() - after, "{zone} {twice}");
                }
                assert_eq!(resolve_end(zone, new - second), change - (old - new) - second, "{zone} {new}");
                assert_eq!(resolve_start(zone, old), change + (old - new), "{zone} {old}");
            }
        }
    }
    assert!(gaps > 10_000 && folds > 10_000, "{gaps} gaps, {folds} folds");
}

#[test]
fn every_date_has_one_occurrence_that_starts_no_earlier_than_it_reads() {
    let (first, last) =
        (NaiveDate::from_ymd_opt(1970, 1, 1).unwrap(), NaiveDate::from_ymd_opt(2037, 12, 31).unwrap());
    let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    // Nights in which many zones change their clocks, and by its odd step all days of the week.
    for (index, zone) in TZ_VARIANTS.into_iter().enumerate() {
        let mut date = first + Days::new(index as u64 % 67);
        let mut previous = DateTime::<Utc>::MIN_UTC;
        while date <= last {
            for (start, end) in [(time(2, 30), time(2, 45)), (time(23, 59), time(0, 30))] {
                let local = date.and_time(start);
                let found = occurrence_until(zone, local, end).unwrap();
                let reading = found.start().with_timezone(&zone).naive_local();
                assert!(reading >= local, "{zone} {local} starts at {reading}");
                assert!(previous < found.start() && found.start() < found.end(), "{zone} {local}");
                previous = found.start();
                let exact = occurrence_with_duration(zone, local, TimeDelta::hours(4)).unwrap();
                assert_eq!(exact.start(), found.start(), "{zone} {local}");
                assert_eq!(exact.end() - exact.start(), TimeDelta::hours(4), "{zone} {local}");
            }
            date = date + Days::new(67);
        }
    }
}

/// Whether all years of all zones are tried; else one year of every third zone.
const ALL: &str = "TIDEGATE_ALL_YEARS";

#[test]
fn every_date_that_a_rule_matches_has_exactly_one_occurrence() {
    let all = std::env::var_os(ALL).is_some();
    let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    // Times at which clocks change, beside midnight and an ordinary one.
    let rules = [
        (Rule::cron("30 2 * * *"), time(2, 30), None),
        (Rule::cron("0 0 * * *"), time(0, 0), None),
        (Rule::rrule("FREQ=WEEKLY;BYDAY=SU", time(1, 15)), time(1, 15), Some(Weekday::Sun)),
        (Rule::rrule("FREQ=DAILY", time(23, 45)), time(23, 45), None),
    ];
    for (index, zone) in TZ_VARIANTS.into_iter().enumerate() {
        for (number, (rule, time, weekday)) in rules.iter().enumerate() {
            if !all && (index % 3 > 0 || index / 3 % rules.len() != number) {
                continue;
            }
            let window = recurring(zone, rule.clone().unwrap());
            let sampled = 1970 + i32::try_from(index * 7 % 68).unwrap();
            for year in if all { 1970..=2037 } else { sampled..=sampled } {
                let days = NaiveDate::from_ymd_opt(year, 1, 1).unwrap().iter_days();
                let days = days.take_while(|day| day.year() == year);
                let days = days.filter(|day| weekday.is_none_or(|weekday| day.weekday() == weekday));
                let mut expected: Vec<_> = days.map(|day| resolve_start(zone, day.and_time(*time))).collect();
                // Dates that the clocks skip share the occurrence of the next one.
                expected.dedup();
                let (first, last) = (expected[0], *expected.last().unwrap());
                let found = window.between(first, last + TimeDelta::seconds(1));
                let found: Vec<_> = found.iter().map(Interval::start).collect();
                assert_eq!(found, expected, "{zone} {rule:?} {year}");
            }
        }
    }
}

fn recurring(zone: Tz, rule: Rule) -> Recurring {
    let plan = Plan {
        name: "w".to_owned(),
        rule,
        length: Length::Exactly(TimeDelta::minutes(10)),
        except: BTreeSet::new(),
        valid_from: None,
        valid_until: None,
        zone,
        reason: String::new(),
        scope: Scope::Everyone,
    };
    Recurring::new(plan).unwrap()
}
