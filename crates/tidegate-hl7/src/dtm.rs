//! HL7 date and time values (HL7 2.5.1, section 2.A.22, DTM).
//!
//! Invariant: only dates that exist are read. Zones are checked but not applied: dates are compared as written, since a
//! sender and its registry share a calendar day in practice and a birth date has no zone.

use chrono::{DateTime, Datelike, FixedOffset};

/// A date, maybe with a time, as far as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dtm {
    digits: usize,
    day: Day,
}

/// A calendar day as the number `YYYYMMDD`; absent parts are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(u32);

impl Day {
    /// The day at a moment, in that moment's own zone.
    pub(crate) fn at(moment: &DateTime<FixedOffset>) -> Self {
        let date = moment.date_naive();
        Self(u32::try_from(date.year()).unwrap_or(0) * 10_000 + date.month() * 100 + date.day())
    }
}

impl Dtm {
    /// Reads `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let digits = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
        let (moment, rest) = value.split_at_checked(digits)?;
        if !matches!(digits, 4 | 6 | 8 | 10 | 12 | 14) || !is_tail(rest, digits == 14) {
            return None;
        }
        let pair = |at: usize, absent: u32| moment.get(at..at + 2).map_or(absent, number);
        let year = number(moment.get(..4)?);
        let (month, day) = (pair(4, 1), pair(6, 1));
        let exists = year > 0 && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        let runs = pair(8, 0) < 24 && pair(10, 0) < 60 && pair(12, 0) < 60;
        let day = Day(year * 10_000 + pair(4, 0) * 100 + pair(6, 0));
        (exists && runs).then_some(Self { digits, day })
    }

    /// The day, if the value is as precise as that.
    pub(crate) fn day(self) -> Option<Day> {
        (self.digits >= 8).then_some(self.day)
    }

    /// Whether hours and minutes were given.
    pub(crate) fn has_minutes(self) -> bool {
        self.digits >= 12
    }
}

fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0')))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

fn is_tail(rest: &[u8], after_seconds: bool) -> bool {
    match rest {
        [] => true,
        [b'.', rest @ ..] if after_seconds => {
            let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
            (1..=4).contains(&digits) && rest.get(digits..).is_some_and(is_zone)
        }
        _ => is_zone(rest),
    }
}

fn is_zone(rest: &[u8]) -> bool {
    match rest {
        [] => true,
        [b'+' | b'-', hhmm @ ..] => {
            hhmm.len() == 4
                && hhmm.iter().all(u8::is_ascii_digit)
                && number(hhmm) <= 1400
                && number(hhmm) % 100 < 60
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dates_that_exist_are_read() {
        for good in [
            "2026",
            "202603",
            "20260315",
            "2026031510",
            "202603151030",
            "20260315103000",
            "20260315103000.1",
            "20260315103000.1234-0500",
            "20260315+0000",
            "20240229",
            "20000229",
            "202603151030-0930",
        ] {
            assert!(Dtm::parse(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "",
            "26",
            "202",
            "20261301",
            "20260230",
            "20230229",
            "19000229",
            "00000101",
            "20260100",
            "2026031524",
            "202603151060",
            "20260315103060",
            "2026-03-15",
            "03/15/2026",
            "20260315103000.",
            "20260315103000.12345",
            "20260315103000-05",
            "20260315103000-0560",
            "20260315103000-1500",
            "20260315x",
            "202603151",
        ] {
            assert_eq!(Dtm::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn precision_is_kept() {
        assert_eq!(Dtm::parse(b"202603").unwrap().day(), None);
        assert_eq!(Dtm::parse(b"20260315").unwrap().day(), Some(Day(20_260_315)));
        assert!(!Dtm::parse(b"2026031510").unwrap().has_minutes());
        assert!(Dtm::parse(b"202603151030-0500").unwrap().has_minutes());
    }

    #[test]
    fn today_is_the_day_in_the_zone_of_the_moment() {
        let moment = DateTime::parse_from_rfc3339("2026-03-15T23:30:00-05:00").unwrap();
        assert_eq!(Day::at(&moment), Day(20_260_315));
    }
}
