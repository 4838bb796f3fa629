//! A window that comes again and again.
//!
//! Invariant: every local date that its rule matches, within its days of validity and not excepted, has
//! exactly one occurrence for each start on it, and [`super::local`] says when that is. Occurrences that
//! the clocks put on one start are one. Same arguments, same answer: what is remembered is only what was
//! worked out before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::local::{YEARS, occurrence_until, occurrence_with_duration};
use super::rule::first_day;
use super::{Interval, Rule, Scope};

/// Starts that are looked at to learn how far they lie apart: of daily ones more than a year.
const STARTS_COMPARED: usize = 400;

/// By how much clocks have ever been moved at once: a day.
const CLOCK_CHANGE_MAX: TimeDelta = TimeDelta::days(1);

/// A recurring window as it is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Unique within the calendar.
    pub name: String,
    /// When it starts.
    pub rule: Rule,
    /// How long it lasts.
    pub length: Length,
    /// Days on which it does not start although the rule says so.
    pub except: BTreeSet<NaiveDate>,
    /// The first day on which it may start, and from which the rule counts.
    pub valid_from: Option<NaiveDate>,
    /// The last day on which it may start.
    pub valid_until: Option<NaiveDate>,
    /// The zone of its wall-clock times, in which people are shown them.
    pub zone: Tz,
    /// For people; may be empty.
    pub reason: String,
    /// Whom it concerns.
    pub scope: Scope,
}

/// How long each occurrence lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Exactly so long, whatever the clocks do.
    Exactly(TimeDelta),
    /// Until the clocks next show this.
    Until(NaiveTime),
}

/// Why a plan is no window: the key that is wrong, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlanError {
    /// The key below the window.
    pub key: &'static str,
    /// What is wrong with it.
    pub message: &'static str,
}

/// A plan that makes sense, with what was worked out of it so far.
#[derive(Debug, Clone)]
pub struct Recurring {
    plan: Plan,
    known: Known,
}

/// Occurrences by the local year of their start.
#[derive(Debug, Clone, Default)]
struct Known(Arc<Mutex<BTreeMap<i32, Arc<[Interval]>>>>);

impl Recurring {
    /// A window, after a look at what the rule says.
    pub fn new(plan: Plan) -> Result<Self, PlanError> {
        let wrong = |key, message| Err(PlanError { key, message });
        if plan.length.key() == "duration" && plan.length.reads(NaiveTime::MIN) <= TimeDelta::zero() {
            return wrong("duration", "the window would be over at once");
        }
        if plan.rule.needs_first_day() && plan.valid_from.is_none() {
            return wrong("valid_from", "is missing: this rule counts from a first day");
        }
        if plan.valid_until.is_some_and(|until| plan.valid_from.is_some_and(|from| until < from)) {
            return wrong("valid_until", "is before valid_from");
        }
        if plan.starts_from(plan.first_day()).next().is_none() {
            return wrong(plan.rule.key(), "the window never starts");
        }
        let starts: Vec<_> = plan.starts_from(plan.first_day()).take(STARTS_COMPARED).collect();
        let too_long = |pair: &[NaiveDateTime]| match pair {
            [start, next] => plan.length.reads(start.time()) > *next - *start,
            _ => false,
        };
        if starts.windows(2).any(too_long) {
            return wrong(plan.length.key(), "the window would not be over before its next start");
        }
        Ok(Self { plan, known: Known::default() })
    }

    /// What was announced.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// All occurrences that cover any part of `[from, to)`, in order. Nothing is known beyond the years
    /// that [`super::local::parse_local`] takes.
    pub fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Interval> {
        let longest = self.plan.length.reads(NaiveTime::MIN).max(TimeDelta::days(1)) + CLOCK_CHANGE_MAX;
        let earliest = from.checked_sub_signed(longest).unwrap_or(DateTime::<Utc>::MIN_UTC);
        let mut found: Vec<Interval> = Vec::new();
        // A local date is at most a day from that in UTC.
        for year in years(earliest.year() - 1, to.year().saturating_add(1)) {
            let of_year = self.year(year);
            let skipped = of_year.partition_point(|one| one.start() < earliest);
            let starts_before = of_year.iter().skip(skipped).take_while(|one| one.start() < to);
            for one in starts_before.filter(|one| from < one.end()) {
                add(&mut found, *one);
            }
        }
        found
    }

    /// The first occurrence that starts at or after `from`.
    pub fn next(&self, from: DateTime<Utc>) -> Option<Interval> {
        let last = self.plan.valid_until.map_or(*YEARS.end(), |until| until.year());
        years(from.year().saturating_sub(1), last).find_map(|year| {
            let of_year = self.year(year);
            of_year.get(of_year.partition_point(|one| one.start() < from)).copied()
        })
    }

    /// The occurrence that starts at that instant.
    pub(super) fn starting_at(&self, start: DateTime<Utc>) -> Option<Interval> {
        self.next(start).filter(|one| one.start() == start)
    }

    fn year(&self, year: i32) -> Arc<[Interval]> {
        if let Some(known) = self.known.lock().get(&year) {
            return Arc::clone(known);
        }
        let found: Arc<[Interval]> = self.plan.year(year).into();
        self.known.lock().insert(year, Arc::clone(&found));
        found
    }
}

impl PartialEq for Recurring {
    fn eq(&self, other: &Self) -> bool {
        self.plan == other.plan
    }
}

impl Eq for Recurring {}

impl Known {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Arc<[Interval]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    fn first_day(&self) -> NaiveDate {
        self.valid_from.unwrap_or_else(first_day).max(first_day())
    }

    /// The starts from that day on that are valid and not excepted.
    fn starts_from(&self, day: NaiveDate) -> impl Iterator<Item = NaiveDateTime> {
        let starts = self.rule.starts_from(self.valid_from, day.max(self.first_day()).into());
        starts
            .take_while(|start| YEARS.contains(&start.year()))
            .take_while(|start| self.valid_until.is_none_or(|until| start.date() <= until))
            .filter(|start| !self.except.contains(&start.date()))
    }

    /// The occurrences that start in that local year, in order.
    fn year(&self, year: i32) -> Vec<Interval> {
        let Some(first) = NaiveDate::from_ymd_opt(year, 1, 1) else { return Vec::new() };
        let mut found = Vec::new();
        for start in self.starts_from(first).take_while(|start| start.year() == year) {
            let one = match self.length {
                Length::Exactly(length) => occurrence_with_duration(self.zone, start, length),
                Length::Until(end) => occurrence_until(self.zone, start, end),
            };
            if let Some(one) = one {
                add(&mut found, one);
            }
        }
        found
    }
}

impl Length {
    /// The key of the configuration that it stands under.
    fn key(self) -> &'static str {
        match self {
            Self::Exactly(_) => "duration",
            Self::Until(_) => "end",
        }
    }

    /// How long it is from that time of day on, on a day of 24 hours.
    fn reads(self, start: NaiveTime) -> TimeDelta {
        match self {
            Self::Exactly(length) => length,
            Self::Until(end) if end > start => end - start,
            Self::Until(end) => end - start + TimeDelta::days(1),
        }
    }
}

/// Adds an occurrence behind the others. Starts that the clocks skipped may fall on one instant: they are
/// one occurrence, as long as the longest.
fn add(found: &mut Vec<Interval>, one: Interval) {
    match found.last_mut() {
        Some(last) if last.start() == one.start() => {
            if last.end() < one.end() {
                *last = one;
            }
        }
        _ => found.push(one),
    }
}

/// The years of both ends and between them that any rule is looked at.
fn years(first: i32, last: i32) -> impl Iterator<Item = i32> {
    first.max(*YEARS.start())..=last.min(*YEARS.end())
}
