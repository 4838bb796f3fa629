//! What is wrong, going by what is seen at one moment.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::units::format_size;

use super::{AlertsConfig, Ended, Observations};
use crate::words::{length, utc};

/// The one matter that happens and does not last.
pub(super) const ERROR: &str = "error";

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) alert: &'static str,
    pub(super) subject: Option<String>,
    /// Since when, as far as is known.
    pub(super) since: DateTime<Utc>,
    /// How much of it; more of it is told sooner than that it lasts.
    pub(super) count: u64,
    pub(super) text: String,
    pub(super) advice: &'static str,
}

/// What it is called when it is over.
pub(super) fn title(alert: &str, subject: Option<&str>) -> String {
    let title = match alert {
        "exception" => "files in exception",
        "still" => "nothing moving although the gate is open",
        "waiting" => "a file waiting too long",
        "disk" => "the shortage of space on the disk",
        "certificate" => "the certificate being near its end",
        "away" => "the registry being away",
        "bans" => "addresses being banned",
        other => other,
    };
    subject.map_or_else(|| title.to_owned(), |subject| format!("{title} ({subject})"))
}

/// Everything that is wrong at `now`. Errors count from `errors_told` on; nothing has moved since `still_since`.
pub(super) fn findings(
    config: &AlertsConfig,
    seen: &Observations,
    now: DateTime<Utc>,
    errors_told: DateTime<Utc>,
    still_since: DateTime<Utc>,
) -> Vec<Finding> {
    let errors: Vec<&Ended> = seen.errors.iter().filter(|one| errors_told < one.at).collect();
    let found = [
        ended(
            ERROR,
            &errors,
            "the senders see why; tell those who may not look: tidegate queue list --state error",
        ),
        ended(
            "exception",
            &seen.exceptions.iter().collect::<Vec<_>>(),
            "mend the cause, then: tidegate queue requeue; see tidegate queue list --state exception",
        ),
        still(config, seen, now, still_since),
        waiting(config, seen, now),
        disk(config, seen, now),
        certificate(config, seen, now),
        bans(seen, now),
    ];
    let away = seen.away.iter().filter(|away| config.away_max.0 <= since(away.since, now));
    let away = away.map(|away| Finding {
        alert: "away",
        subject: Some(away.name.clone()),
        since: away.since,
        count: 1,
        text: format!("the registry behind {} has taken nothing for {}", away.name, length(now - away.since)),
        advice: "look why: tidegate status; files wait meanwhile and nothing is lost",
    });
    found.into_iter().flatten().chain(away).collect()
}

fn since(at: DateTime<Utc>, now: DateTime<Utc>) -> std::time::Duration {
    (now - at).to_std().unwrap_or_default()
}

/// Jobs at an end that nobody wanted, by organization.
fn ended(alert: &'static str, jobs: &[&Ended], advice: &'static str) -> Option<Finding> {
    let newest = jobs.iter().max_by_key(|one| one.at)?;
    let mut by_org = BTreeMap::<&str, u64>::new();
    for one in jobs {
        *by_org.entry(&one.org).or_default() += 1;
    }
    let by_org: Vec<String> =
        by_org.iter().take(ORGS_MAX).map(|(org, count)| format!("{org}: {count}")).collect();
    let count = jobs.len().try_into().unwrap_or(u64::MAX);
    let files = if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    Some(Finding {
        alert,
        subject: None,
        since: jobs.iter().map(|one| one.at).min()?,
        count,
        text: format!("{files} ended in {alert} ({}), the last is job {}", by_org.join(", "), newest.id),
        advice,
    })
}

/// Organizations that are named in one alert.
const ORGS_MAX: usize = 20;

fn still(
    config: &AlertsConfig,
    seen: &Observations,
    now: DateTime<Utc>,
    still_since: DateTime<Utc>,
) -> Option<Finding> {
    let is_still = seen.may_move && config.still_max.0 <= since(still_since, now);
    is_still.then(|| Finding {
        alert: "still",
        subject: None,
        since: still_since,
        count: 1,
        text: format!(
            "files wait, the gate is open, and nothing has moved for {}",
            length(now - still_since)
        ),
        advice: "look at tidegate status, tidegate doctor and the server's log; a restart loses nothing",
    })
}

fn waiting(config: &AlertsConfig, seen: &Observations, now: DateTime<Utc>) -> Option<Finding> {
    let oldest = seen.oldest_waiting_at.filter(|at| config.waiting_max.0 <= since(*at, now))?;
    Some(Finding {
        alert: "waiting",
        subject: None,
        since: oldest + TimeDelta::from_std(config.waiting_max.0).unwrap_or_default(),
        count: 1,
        text: format!("a file has waited for {}, longer than {}", length(now - oldest), config.waiting_max),
        advice: "look what closes the gate, or what comes before it: tidegate status",
    })
}

fn disk(config: &AlertsConfig, seen: &Observations, now: DateTime<Utc>) -> Option<Finding> {
    let free = seen.free_bytes.filter(|free| *free < config.free_bytes_min.0)?;
    let mebibytes = free >> 20 << 20;
    Some(Finding {
        alert: "disk",
        subject: None,
        since: now,
        // Out of space is more than short of it.
        count: 1 + u64::from(free == 0),
        text: match free {
            0 => "uploads are refused: there is no space on the disk".to_owned(),
            _ => format!("uploads are refused once {} more are taken", format_size(mebibytes)),
        },
        advice: "make room on the disk of the data directory",
    })
}

fn certificate(config: &AlertsConfig, seen: &Observations, now: DateTime<Utc>) -> Option<Finding> {
    let expires_at = seen.certificate_expires_at?;
    let min = TimeDelta::from_std(config.certificate_min.0).unwrap_or(TimeDelta::MAX);
    let is_over = expires_at <= now;
    (expires_at - now < min).then(|| Finding {
        alert: "certificate",
        subject: None,
        since: now,
        count: 1 + u64::from(is_over),
        text: if is_over {
            format!("the certificate has expired on {}: senders refuse it", utc(expires_at))
        } else {
            format!("the certificate expires on {}", utc(expires_at))
        },
        advice: "put a new one in its place; the server takes it up by itself",
    })
}

fn bans(seen: &Observations, now: DateTime<Utc>) -> Option<Finding> {
    let count = seen.bans.try_into().unwrap_or(u64::MAX);
    (count > 0).then(|| Finding {
        alert: "bans",
        subject: None,
        since: now,
        count,
        text: match count {
            1 => "1 address is banned for failed logins; it may be a sender with an old password".to_owned(),
            _ => format!(
                "{count} addresses are banned for failed logins; some may be senders with old passwords"
            ),
        },
        advice: "see who it is: tidegate bans list; after a new password: tidegate bans lift ADDRESS",
    })
}
