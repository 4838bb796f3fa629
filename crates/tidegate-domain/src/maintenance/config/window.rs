//! One `[[maintenance.window]]` of the configuration file.
//!
//! Invariant: it is one-off or recurring, says in exactly one way when it ends, and ends after its start.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::problem::Problems;
use crate::maintenance::local::{occurrence_between, occurrence_with_duration, parse_local};
use crate::maintenance::wording::{check_name, check_reason};
use crate::maintenance::{Interval, Length, OrgPattern, Origin, Plan, Recurring, Rule, Scope, Window};
use crate::units::HumanDuration;

/// A window as it is written: with `from` it is one-off, with `cron` or `rrule` recurring.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WindowConfig {
    /// Unique among the windows.
    pub name: String,
    /// Local time of its start, such as `2024-03-08T19:00`.
    pub from: Option<String>,
    /// Local time of its end, if it is one-off.
    pub to: Option<String>,
    /// Starts as a cron line with five fields.
    pub cron: Option<String>,
    /// Days of its starts as a rule of RFC 5545.
    pub rrule: Option<String>,
    /// Time of day of its starts, with `rrule`.
    pub start: Option<String>,
    /// Its exact length.
    pub duration: Option<HumanDuration>,
    /// Time of day of its end, if it is recurring.
    pub end: Option<String>,
    /// Days on which it does not start.
    pub except: Vec<String>,
    /// First day on which it may start.
    pub valid_from: Option<String>,
    /// Last day on which it may start.
    pub valid_until: Option<String>,
    /// IANA name of the zone of its times, if it is not that of the section.
    pub timezone: Option<String>,
    /// For people; may be left out.
    pub reason: String,
    /// Patterns of organization codes; everyone where it is left out.
    pub orgs: Option<Vec<String>>,
}

/// A window of either kind.
pub(super) enum Read {
    OneOff(Window),
    Recurring(Box<Recurring>),
}

/// What both kinds say.
struct Common {
    zone: Tz,
    scope: Scope,
}

impl WindowConfig {
    /// The window with its times in its own zone or else in `zone`, or `None` and at least one more problem
    /// under `key`.
    pub(super) fn read(&self, zone: Tz, key: &str, problems: &mut Problems) -> Option<Read> {
        let name = problems.keep(format!("{key}.name"), check_name(&self.name));
        let reason = match self.reason.as_str() {
            "" => Some(()),
            reason => problems.keep(format!("{key}.reason"), check_reason(reason)),
        };
        let zone = match &self.timezone {
            None => Some(zone),
            Some(name) => super::zone(name, &format!("{key}.timezone"), problems),
        };
        let scope = self.scope(key, problems);
        // The rest is checked in any zone: there are no times that only some zones have.
        let common =
            Common { zone: zone.unwrap_or(Tz::UTC), scope: scope.clone().unwrap_or(Scope::Everyone) };
        let kinds = [self.from.is_some(), self.cron.is_some(), self.rrule.is_some()];
        let read = match kinds.iter().filter(|given| **given).count() {
            1 if self.from.is_some() => self.one_off(common, key, problems).map(Read::OneOff),
            1 => self.recurring(common, key, problems).map(|read| Read::Recurring(Box::new(read))),
            _ => {
                problems.add(key, "needs one of \"from\", \"cron\" and \"rrule\"");
                None
            }
        };
        name.and(reason).and(zone).and(scope)?;
        read
    }

    fn one_off(&self, common: Common, key: &str, problems: &mut Problems) -> Option<Window> {
        self.refuse(
            &["start", "end", "except", "valid_from", "valid_until"],
            "a recurring window",
            key,
            problems,
        );
        Some(Window {
            name: self.name.clone(),
            interval: self.interval(common.zone, key, problems)?,
            zone: common.zone,
            reason: self.reason.clone(),
            scope: common.scope,
            origin: Origin::Configuration,
        })
    }

    fn interval(&self, zone: Tz, key: &str, problems: &mut Problems) -> Option<Interval> {
        let from = problems.keep(format!("{key}.from"), parse_local(self.from.as_deref()?));
        let (key, interval) = match (&self.to, self.duration) {
            (Some(to), None) => {
                let key = format!("{key}.to");
                let to = problems.keep(&key, parse_local(to));
                (key, occurrence_between(zone, from?, to?))
            }
            (None, Some(duration)) => {
                let from = from?;
                let interval = TimeDelta::from_std(duration.0)
                    .ok()
                    .and_then(|length| occurrence_with_duration(zone, from, length));
                (format!("{key}.duration"), interval)
            }
            _ => {
                problems.add(key, "needs either \"to\" or \"duration\", and not both");
                return None;
            }
        };
        problems.keep(key, interval.ok_or("the window would end before it starts, or at once"))
    }

    fn recurring(&self, common: Common, key: &str, problems: &mut Problems) -> Option<Recurring> {
        self.refuse(&["to"], "a window with \"from\"", key, problems);
        let rule = self.rule(key, problems);
        let length = self.length(key, problems);
        let except: Option<BTreeSet<NaiveDate>> =
            self.except.iter().map(|day| date(day, &format!("{key}.except"), problems)).collect();
        let mut valid = |name: &str, day: &Option<String>| match day {
            None => Some(None),
            Some(day) => date(day, &format!("{key}.{name}"), problems).map(Some),
        };
        let valid_from = valid("valid_from", &self.valid_from);
        let valid_until = valid("valid_until", &self.valid_until);
        let plan = Plan {
            name: self.name.clone(),
            rule: rule?,
            length: length?,
            except: except?,
            valid_from: valid_from?,
            valid_until: valid_until?,
            zone: common.zone,
            reason: self.reason.clone(),
            scope: common.scope,
        };
        Recurring::new(plan).map_err(|error| problems.add(format!("{key}.{}", error.key), error.message)).ok()
    }

    fn rule(&self, key: &str, problems: &mut Problems) -> Option<Rule> {
        if let Some(cron) = &self.cron {
            self.refuse(&["start"], "\"rrule\"", key, problems);
            return problems.keep(format!("{key}.cron"), Rule::cron(cron));
        }
        let start = match &self.start {
            None => {
                problems.add(format!("{key}.start"), "is missing: \"rrule\" says only on which days");
                None
            }
            Some(start) => time_of_day(start, &format!("{key}.start"), problems),
        };
        // A wrong rule is told of even if the start is wrong, too.
        let rule = Rule::rrule(self.rrule.as_deref()?, start.unwrap_or(NaiveTime::MIN));
        let rule = problems.keep(format!("{key}.rrule"), rule);
        start.and(rule)
    }

    fn length(&self, key: &str, problems: &mut Problems) -> Option<Length> {
        match (&self.end, self.duration) {
            (Some(end), None) => time_of_day(end, &format!("{key}.end"), problems).map(Length::Until),
            (None, Some(duration)) => {
                let length = TimeDelta::from_std(duration.0).map_err(|_| "is too long");
                problems.keep(format!("{key}.duration"), length).map(Length::Exactly)
            }
            _ => {
                problems.add(key, "needs either \"end\" or \"duration\", and not both");
                None
            }
        }
    }

    /// Keys that make no sense here would be ignored, and whoever wrote them would not know.
    fn refuse(&self, keys: &[&str], belongs: &str, key: &str, problems: &mut Problems) {
        let given = [
            ("to", self.to.is_some()),
            ("start", self.start.is_some()),
            ("end", self.end.is_some()),
            ("except", !self.except.is_empty()),
            ("valid_from", self.valid_from.is_some()),
            ("valid_until", self.valid_until.is_some()),
        ];
        for (name, _) in given.iter().filter(|(name, given)| *given && keys.contains(name)) {
            problems.add(format!("{key}.{name}"), format!("belongs to {belongs}"));
        }
    }

    fn scope(&self, key: &str, problems: &mut Problems) -> Option<Scope> {
        let key = format!("{key}.orgs");
        let Some(patterns) = &self.orgs else {
            return Some(Scope::Everyone);
        };
        if patterns.is_empty() {
            problems.add(key, "names nobody: leave it out to mean everyone");
            return None;
        }
        let read = patterns.iter().map(|pattern| problems.keep(&key, OrgPattern::new(pattern)));
        let read: Vec<_> = read.collect();
        read.into_iter().collect::<Option<_>>().map(Scope::Orgs)
    }
}

fn date(text: &str, key: &str, problems: &mut Problems) -> Option<NaiveDate> {
    let read = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    problems.keep(key, read.map_err(|_| format!("{text:?} is no date: write one such as \"2026-12-25\"")))
}

fn time_of_day(text: &str, key: &str, problems: &mut Problems) -> Option<NaiveTime> {
    let read = NaiveTime::parse_from_str(text, "%H:%M");
    problems.keep(key, read.map_err(|_| format!("{text:?} is no time of day: write one such as \"18:00\"")))
}
