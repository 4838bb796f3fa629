//! A stretch of time.
//!
//! Invariant: an interval is never empty and never runs backwards, also after it was read back.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Half-open interval of instants: it holds its start and does not hold its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Bounds", into = "Bounds")]
pub struct Interval {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Interval {
    /// The interval `[start, end)`; `None` unless `start` is before `end`.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// Its first instant.
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The first instant after it.
    pub fn end(&self) -> DateTime<Utc> {
        self.end
    }
}

#[derive(Serialize, Deserialize)]
struct Bounds {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl From<Interval> for Bounds {
    fn from(interval: Interval) -> Self {
        Self { start: interval.start, end: interval.end }
    }
}

impl TryFrom<Bounds> for Interval {
    type Error = &'static str;

    fn try_from(bounds: Bounds) -> Result<Self, Self::Error> {
        Self::new(bounds.start, bounds.end).ok_or("an interval must end after its start")
    }
}
