//! The gate with its times in UTC and in the zone of the calendar.

use chrono::{DateTime, FixedOffset, SubsecRound as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tidegate_domain::maintenance::Gate;

/// The `gate` object of `status`, and the answer of `GET /v1/maintenance/explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateView {
    /// State, causes, until, next change.
    #[serde(flatten)]
    pub gate: Gate,
    /// The instant that this answer is about.
    pub at: DateTime<Utc>,
    /// `until` in local time.
    pub until_local: Option<DateTime<FixedOffset>>,
    /// `next_change` in local time.
    pub next_change_local: Option<DateTime<FixedOffset>>,
}

impl GateView {
    /// The gate at `at`, with its times in `zone` too if there is one.
    pub fn new(gate: Gate, at: DateTime<Utc>, zone: Option<Tz>) -> Self {
        let local = |instant: Option<DateTime<Utc>>| {
            instant.zip(zone).map(|(instant, zone)| instant.with_timezone(&zone).fixed_offset())
        };
        Self {
            until_local: local(gate.until),
            next_change_local: local(gate.next_change),
            at: at.trunc_subsecs(3),
            gate,
        }
    }
}
