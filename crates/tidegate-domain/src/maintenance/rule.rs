//! On which days and at which times of day a recurring window starts: a cron line or a rule of RFC 5545.
//!
//! Invariant: a rule is expanded on the clock of the wall alone, as if every day had 24 hours; what an
//! instant is, [`super::local`] says afterwards. So no start is dropped or doubled where clocks change.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use rrule::{Frequency, RRule, Tz, Unvalidated};

use super::local::YEARS;

/// Most starts on one day: 24. More often than every hour is no maintenance.
pub const STARTS_A_DAY_MAX: usize = 24;

/// When a recurring window starts, in wall-clock time.
#[derive(Clone)]
pub struct Rule(Kind);

#[derive(Clone)]
enum Kind {
    Cron { text: String, cron: Box<Cron> },
    Rrule { text: String, rrule: Box<RRule<Unvalidated>>, time: NaiveTime },
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The parser refuses it.
    #[error("{text:?} is no {form}: {why}")]
    Unreadable {
        /// As it was written.
        text: String,
        /// What it should have been.
        form: &'static str,
        /// The parser's words.
        why: String,
    },
    /// It starts more often than every hour.
    #[error("{0:?} starts more than {STARTS_A_DAY_MAX} times a day")]
    TooOften(String),
    /// A frequency below a day.
    #[error("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY: for several starts a day, use \"cron\"")]
    SubDaily,
    /// A time of day in the rule.
    #[error("BYHOUR, BYMINUTE and BYSECOND are given by \"start\"")]
    TimeOfDay,
    /// An end in the rule.
    #[error("UNTIL is given by \"valid_until\"")]
    Until,
}

impl Rule {
    /// A cron line with five fields: minute, hour, day of month, month, day of week.
    pub fn cron(text: &str) -> Result<Self, RuleError> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let unreadable =
            |error: &dyn fmt::Display| unreadable(text, "cron line such as \"30 2 * * SUN\"", error);
        let cron = parser.parse(text).map_err(|error| unreadable(&error))?;
        let rule = Self(Kind::Cron { text: text.to_owned(), cron: Box::new(cron) });
        if rule.starts_on_first_day() > STARTS_A_DAY_MAX {
            return Err(RuleError::TooOften(text.to_owned()));
        }
        Ok(rule)
    }

    /// How often it starts on a day, counted to one more than the most: the same on every day that matches.
    fn starts_on_first_day(&self) -> usize {
        let mut starts = self.starts_from(None, first_day().into()).take(STARTS_A_DAY_MAX + 1).peekable();
        let day = starts.peek().map(NaiveDateTime::date);
        starts.take_while(|start| Some(start.date()) == day).count()
    }

    /// A rule of RFC 5545, section 3.3.10, for windows that start at `time`.
    pub fn rrule(text: &str, time: NaiveTime) -> Result<Self, RuleError> {
        let form = "RFC 5545 rule such as \"FREQ=MONTHLY;BYDAY=-1FR\"";
        let unreadable = |error: &dyn fmt::Display| unreadable(text, form, error);
        let rrule: RRule<Unvalidated> =
            text.parse().map_err(|error: rrule::RRuleError| unreadable(&error))?;
        // The parser takes any text before a day of the week for "every".
        if let Some(day) = days_of_week(text).find(|day| !is_day_of_week(day)) {
            return Err(unreadable(&format!("{day:?} is no day of the week")));
        }
        if !matches!(
            rrule.get_freq(),
            Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly
        ) {
            return Err(RuleError::SubDaily);
        }
        let times = [rrule.get_by_hour(), rrule.get_by_minute(), rrule.get_by_second()];
        if times.iter().any(|times| !times.is_empty()) {
            return Err(RuleError::TimeOfDay);
        }
        if rrule.get_until().is_some() {
            return Err(RuleError::Until);
        }
        if rrule.get_interval() == 0 {
            return Err(unreadable(&"INTERVAL must be at least 1"));
        }
        let begins = floating(first_day().and_time(time));
        rrule.clone().validate(begins).map_err(|error| unreadable(&error))?;
        Ok(Self(Kind::Rrule { text: text.to_owned(), rrule: Box::new(rrule), time }))
    }

    /// The key of the configuration that it stands under.
    pub(super) fn key(&self) -> &'static str {
        match self.0 {
            Kind::Cron { .. } => "cron",
            Kind::Rrule { .. } => "rrule",
        }
    }

    /// Whether its days depend on the day from which it is counted.
    pub(super) fn needs_first_day(&self) -> bool {
        let Kind::Rrule { rrule, .. } = &self.0 else { return false };
        let names_days = !rrule.get_by_weekday().is_empty()
            || !rrule.get_by_month_day().is_empty()
            || !rrule.get_by_year_day().is_empty();
        let every_day = rrule.get_freq() == Frequency::Daily;
        rrule.get_interval() > 1 || rrule.get_count().is_some() || !(every_day || names_days)
    }

    /// Its starts at or after `from`, in order, counted from `first_day` where it matters.
    pub(super) fn starts_from(
        &self,
        first_day: Option<NaiveDate>,
        from: NaiveDateTime,
    ) -> Box<dyn Iterator<Item = NaiveDateTime> + '_> {
        match &self.0 {
            Kind::Cron { cron, .. } => {
                let first = cron.find_next_occurrence(&from, true).ok();
                Box::new(std::iter::successors(first, |start| cron.find_next_occurrence(start, false).ok()))
            }
            Kind::Rrule { rrule, time, .. } => {
                // A week, a month or a year is taken as a whole only if it does not begin before the rule.
                let year_before = NaiveDate::from_ymd_opt(from.year() - 1, 1, 1).unwrap_or(from.date());
                let begins =
                    first_day.filter(|_| self.needs_first_day()).unwrap_or(year_before).and_time(*time);
                // It was validated when it was read; no starts could come of it but by a mistake of ours.
                let starts = rrule.clone().build(floating(begins)).map(|rule| (&rule.limit()).into_iter());
                let starts = starts.into_iter().flatten().map(|start| start.naive_utc());
                Box::new(starts.skip_while(move |start| *start < from))
            }
        }
    }
}

fn unreadable(text: &str, form: &'static str, error: &dyn fmt::Display) -> RuleError {
    RuleError::Unreadable { text: text.to_owned(), form, why: error.to_string() }
}

/// The first day that any rule is looked at.
pub(super) fn first_day() -> NaiveDate {
    // Only a year outside chrono's calendar has no first of January.
    NaiveDate::from_ymd_opt(*YEARS.start(), 1, 1).unwrap_or_default()
}

fn floating(local: NaiveDateTime) -> DateTime<Tz> {
    local.and_utc().with_timezone(&Tz::UTC)
}

fn days_of_week(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(';').filter_map(|part| part.split_once('='));
    let days = parts.filter(|(key, _)| key.to_ascii_uppercase().ends_with("DAY"));
    days.filter(|(key, _)| {
        !key.to_ascii_uppercase().contains("MONTH") && !key.to_ascii_uppercase().contains("YEAR")
    })
    .flat_map(|(_, days)| days.split(','))
}

/// An optional number and two letters; whether there is such a day the parser knows.
fn is_day_of_week(text: &str) -> bool {
    let number = text.get(..text.len().saturating_sub(2)).unwrap_or("x");
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    digits.bytes().all(|byte| byte.is_ascii_digit()) && number.is_empty() == digits.is_empty()
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Cron { text, .. } | Kind::Rrule { text, .. } => f.pad(text),
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Cron { text, .. } => write!(f, "cron {text:?}"),
            Kind::Rrule { text, time, .. } => write!(f, "rrule {text:?} at {time}"),
        }
    }
}

/// What is written alike is alike.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Cron { text, .. }, Kind::Cron { text: other, .. }) => text == other,
            (Kind::Rrule { text, time, .. }, Kind::Rrule { text: other, time: others, .. }) => {
                (text, time) == (other, others)
            }
            _ => false,
        }
    }
}

impl Eq for Rule {}
