//! From observations to alerts: what is new, what lasts and what is over.
//!
//! Invariant: on one matter there is at most one message that it is so in [`AlertsConfig::quiet`], and one that it is
//! over for each that it was told of. What is kept is bounded by the number of matters.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::rules::{ERROR, Finding, findings, title};
use super::{Alert, AlertState, AlertsConfig};

/// What is seen of the server at one moment.
#[derive(Debug, Clone, Default)]
pub struct Observations {
    /// Jobs in state `exception`, the newest first; a bounded number of them.
    pub exceptions: Vec<Ended>,
    /// Jobs in state `error`, the newest first; a bounded number of them.
    pub errors: Vec<Ended>,
    /// Whether files wait that nothing keeps from being processed: no closed gate, no retry to come.
    pub may_move: bool,
    /// Changes whenever a file or a part of one is processed.
    pub progress: u64,
    /// When the file that waits longest came.
    pub oldest_waiting_at: Option<DateTime<Utc>>,
    /// Bytes that uploads may still take before they are refused.
    pub free_bytes: Option<u64>,
    /// When the certificate of the doors expires.
    pub certificate_expires_at: Option<DateTime<Utc>>,
    /// Registries that take nothing.
    pub away: Vec<Away>,
    /// Addresses that are banned for failed logins.
    pub bans: usize,
}

/// A job at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its id.
    pub id: String,
    /// The code of its organization.
    pub org: String,
    /// When it came to its end.
    pub at: DateTime<Utc>,
}

/// A registry that takes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// Its name for staff.
    pub name: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// What was told so far.
#[derive(Debug)]
pub struct Watch {
    config: AlertsConfig,
    matters: BTreeMap<(&'static str, Option<String>), Matter>,
    /// Up to when errors were told. An error is nothing that lasts: it is told once, and never over.
    errors_told: DateTime<Utc>,
    /// The last progress, and when it was first seen.
    progress: (u64, DateTime<Utc>),
}

/// One thing that is, or was, wrong.
#[derive(Debug, Default)]
struct Matter {
    /// Since when it is so; `None` while it is not.
    since: Option<DateTime<Utc>>,
    /// When it was last told, and how much of it there was then.
    told: Option<(DateTime<Utc>, u64)>,
    /// Whether those who were told wait to hear that it is over.
    is_open: bool,
}

impl Watch {
    /// A watch that begins at `now`: what ended before is not news.
    pub fn new(config: AlertsConfig, now: DateTime<Utc>) -> Self {
        Self { config, matters: BTreeMap::new(), errors_told: now, progress: (0, now) }
    }

    /// What is to be told, given what is seen at `now`.
    pub fn look(&mut self, seen: &Observations, now: DateTime<Utc>) -> Vec<Alert> {
        if self.progress.0 != seen.progress || !seen.may_move || now < self.progress.1 {
            self.progress = (seen.progress, now);
        }
        let found = findings(&self.config, seen, now, self.errors_told, self.progress.1);
        let mut alerts = self.over(&found, now);
        for finding in found {
            let key = (finding.alert, finding.subject.clone());
            let matter = self.matters.entry(key).or_default();
            let alert = matter.is_so(&finding, &self.config, now);
            if alert.is_some() && finding.alert == ERROR {
                self.errors_told = seen.errors.iter().map(|one| one.at).fold(self.errors_told, DateTime::max);
                (matter.since, matter.is_open) = (None, false);
            }
            alerts.extend(alert);
        }
        alerts
    }

    /// Matters that are no more.
    fn over(&mut self, found: &[Finding], now: DateTime<Utc>) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for ((alert, subject), matter) in &mut self.matters {
            let stands = found.iter().any(|one| one.alert == *alert && one.subject == *subject);
            let Some(since) = matter.since.filter(|_| !stands) else { continue };
            matter.since = None;
            if std::mem::take(&mut matter.is_open) {
                alerts.push(Alert {
                    at: now,
                    alert,
                    subject: subject.clone(),
                    state: AlertState::Cleared,
                    since,
                    text: format!("{} is over", title(alert, subject.as_deref())),
                    advice: "Nothing is to be done.",
                });
            }
        }
        // A matter is forgotten once it may be told anew, so that names that never come back take no room.
        let quiet = self.config.quiet.0;
        self.matters.retain(|_, matter| {
            matter.since.is_some() || matter.told.is_some_and(|(at, _)| !has_passed(quiet, at, now))
        });
        alerts
    }
}

impl Matter {
    fn is_so(&mut self, finding: &Finding, config: &AlertsConfig, now: DateTime<Utc>) -> Option<Alert> {
        let since = *self.since.get_or_insert(finding.since);
        let is_due = match self.told {
            None => true,
            Some((at, before)) => {
                let is_news = !self.is_open || finding.count > before;
                let pause = if is_news { config.quiet.0 } else { config.repeat.0 };
                has_passed(pause, at, now)
            }
        };
        if !is_due {
            return None;
        }
        (self.told, self.is_open) = (Some((now, finding.count)), true);
        Some(Alert {
            at: now,
            alert: finding.alert,
            subject: finding.subject.clone(),
            state: AlertState::Raised,
            since,
            text: finding.text.clone(),
            advice: finding.advice,
        })
    }
}

/// A clock that was put back does not silence anything.
fn has_passed(pause: std::time::Duration, at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now < at || TimeDelta::from_std(pause).is_ok_and(|pause| pause <= now - at)
}
