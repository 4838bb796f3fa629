//! Points in time as staff write them.
//!
//! Invariant: the host's zone never plays a part: a wall-clock time belongs to the zone of the
//! maintenance calendar, and the server, which knows it, makes the instant.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tidegate_domain::maintenance::local::{parse_local, resolve_end, resolve_start};
use tidegate_domain::units::parse_duration;

/// A point in time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum When {
    /// An exact instant, with an offset in the text.
    Instant(DateTime<Utc>),
    /// Date and time in the zone of the calendar.
    Local(NaiveDateTime),
    /// A time of day in the zone of the calendar: the next such one, or the last.
    TimeOfDay(NaiveTime),
}

/// A text that is no point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a time such as 19:00, \"2024-03-08 19:00\", 2024-03-08 (its midnight) or \
     2024-03-08T19:00:00-06:00"
)]
pub struct WhenError;

/// A wall-clock time without a zone to read it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a local time needs a time zone, and the calendar has none")]
pub struct NoZone;

/// What a point in time is for: decides between two readings where the clocks change, and between
/// the next and the last time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Something begins: the earlier instant; the next time of day.
    Start,
    /// Something ends: the later instant; the next time of day.
    End,
    /// The beginning of a stretch that ends now: the earlier instant; the last time of day.
    Since,
}

impl When {
    /// The instant it means in `zone`, seen from `now`.
    pub fn resolve(self, edge: Edge, zone: Option<Tz>, now: DateTime<Utc>) -> Result<DateTime<Utc>, NoZone> {
        let local = match self {
            Self::Instant(instant) => return Ok(instant),
            Self::Local(local) => local,
            Self::TimeOfDay(time) => {
                let today = now.with_timezone(&zone.ok_or(NoZone)?).date_naive();
                Self::nearest(today, time, edge, zone.ok_or(NoZone)?, now)
            }
        };
        Ok(edge.resolve(zone.ok_or(NoZone)?, local))
    }

    fn nearest(today: NaiveDate, time: NaiveTime, edge: Edge, zone: Tz, now: DateTime<Utc>) -> NaiveDateTime {
        let at = edge.resolve(zone, today.and_time(time));
        let day = match edge {
            Edge::Since if at > now => today.pred_opt(),
            Edge::Start | Edge::End if at <= now => today.succ_opt(),
            _ => None,
        };
        day.unwrap_or(today).and_time(time)
    }
}

impl Edge {
    fn resolve(self, zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
        match self {
            Self::Start | Self::Since => resolve_start(zone, local),
            Self::End => resolve_end(zone, local),
        }
    }
}

impl FromStr for When {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<Self, WhenError> {
        let text = text.trim();
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::Instant(instant.to_utc()));
        }
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Ok(Self::Local(date.and_time(NaiveTime::MIN)));
        }
        if let Ok(time) = NaiveTime::parse_from_str(text, "%H:%M") {
            return Ok(Self::TimeOfDay(time));
        }
        parse_local(text).map(Self::Local).map_err(|_| WhenError)
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(instant) => write!(f, "{}", instant.format("%Y-%m-%dT%H:%M:%S%.fZ")),
            Self::Local(local) => write!(f, "{}", local.format("%Y-%m-%dT%H:%M:%S")),
            Self::TimeOfDay(time) => write!(f, "{}", time.format("%H:%M")),
        }
    }
}

impl From<When> for String {
    fn from(when: When) -> Self {
        when.to_string()
    }
}

impl TryFrom<String> for When {
    type Error = WhenError;

    fn try_from(text: String) -> Result<Self, WhenError> {
        text.parse()
    }
}

/// The beginning of a stretch that ends now: a point in time, or how long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Since {
    /// From that point on.
    Point(When),
    /// That long ago, in whole milliseconds.
    Ago(TimeDelta),
}

impl Since {
    /// The instant it means in `zone`, seen from `now`.
    pub fn resolve(self, zone: Option<Tz>, now: DateTime<Utc>) -> Result<DateTime<Utc>, NoZone> {
        match self {
            Self::Point(when) => when.resolve(Edge::Since, zone, now),
            Self::Ago(length) => Ok(now - length),
        }
    }
}

impl FromStr for Since {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<Self, WhenError> {
        let length = parse_duration(text).ok().and_then(|length| TimeDelta::from_std(length).ok());
        length.map_or_else(|| text.parse().map(Self::Point), |length| Ok(Self::Ago(length)))
    }
}

impl From<Since> for String {
    fn from(since: Since) -> Self {
        match since {
            Since::Point(when) => when.to_string(),
            Since::Ago(length) => format!("{}ms", length.num_milliseconds()),
        }
    }
}

impl TryFrom<String> for Since {
    type Error = WhenError;

    fn try_from(text: String) -> Result<Self, WhenError> {
        text.parse()
    }
}

#[cfg(test)]
#[path = "when_tests.rs"]
mod tests;
