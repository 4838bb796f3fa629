//! One `[[maintenance.window]]` of the configuration file.
//!
//! Invariant: it has exactly one of `to` and `duration`, and ends after its start.

use chrono::TimeDelta;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::problem::Problems;
use crate::maintenance::local::{occurrence_between, occurrence_with_duration, parse_local};
use crate::maintenance::wording::{check_name, check_reason};
use crate::maintenance::{Interval, OrgPattern, Origin, Scope, Window};
use crate::units::HumanDuration;

/// A one-off window as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// Unique among the windows.
    pub name: String,
    /// Local time of its start, such as `2024-03-08T19:00`.
    pub from: String,
    /// Local time of its end.
    #[serde(default)]
    pub to: Option<String>,
    /// Its exact length, instead of `to`.
    #[serde(default)]
    pub duration: Option<HumanDuration>,
    /// For people; may be left out.
    #[serde(default)]
    pub reason: String,
    /// Patterns of organization codes; everyone where it is left out.
    #[serde(default)]
    pub orgs: Option<Vec<String>>,
}

impl WindowConfig {
    /// The window with its times in `zone`, or `None` and at least one more problem under `key`.
    pub(super) fn to_window(&self, zone: Tz, key: &str, problems: &mut Problems) -> Option<Window> {
        let name = problems.keep(format!("{key}.name"), check_name(&self.name));
        let reason = match self.reason.as_str() {
            "" => Some(()),
            reason => problems.keep(format!("{key}.reason"), check_reason(reason)),
        };
        let interval = self.interval(zone, key, problems);
        let scope = self.scope(key, problems);
        name.and(reason)?;
        Some(Window {
            name: self.name.clone(),
            interval: interval?,
            zone,
            reason: self.reason.clone(),
            scope: scope?,
            origin: Origin::Configuration,
        })
    }

    fn interval(&self, zone: Tz, key: &str, problems: &mut Problems) -> Option<Interval> {
        let from = problems.keep(format!("{key}.from"), parse_local(&self.from));
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
