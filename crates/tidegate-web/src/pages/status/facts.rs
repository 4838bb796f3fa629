//! What everyone may know of the gate.

use chrono::{DateTime, FixedOffset, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::{
    Cause, CauseKind, Gate, GateState, Occurrence, OccurrenceState, occurrences,
};
use tidegate_store::Maintenance;

/// Coming windows that are told.
const COMING_MAX: usize = 10;

/// The answer of `/status.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::pages) struct Facts {
    /// `open` or `closed`.
    pub(in crate::pages) state: GateState,
    /// Uploads are taken whatever the gate says.
    uploads: &'static str,
    /// Since when it is closed.
    pub(super) since: Option<DateTime<Utc>>,
    /// When it opens, where that is known.
    pub(in crate::pages) until: Option<DateTime<Utc>>,
    until_local: Option<DateTime<FixedOffset>>,
    /// Why it is closed.
    pub(in crate::pages) causes: Vec<PublicCause>,
    /// Announced windows to come, the next one first.
    pub(in crate::pages) next: Vec<Coming>,
    /// The zone of the times in `*_local`.
    #[serde(rename = "timezone")]
    pub(in crate::pages) zone: Tz,
    #[serde(skip)]
    pub(super) next_change: Option<DateTime<Utc>>,
}

/// Why it is closed, for everyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::pages) struct PublicCause {
    /// `window`, `hold` or `downstream`.
    pub(in crate::pages) kind: CauseKind,
    /// What was announced; nothing for what was not.
    pub(in crate::pages) reason: String,
}

/// An announced window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::pages) struct Coming {
    pub(in crate::pages) start: DateTime<Utc>,
    pub(in crate::pages) end: DateTime<Utc>,
    start_local: DateTime<FixedOffset>,
    end_local: DateTime<FixedOffset>,
    pub(in crate::pages) reason: String,
}

impl Facts {
    /// For everyone.
    pub(super) fn of(maintenance: &Maintenance, now: DateTime<Utc>) -> Self {
        Self::about(None, maintenance, now)
    }

    /// For one organization.
    pub(in crate::pages) fn for_org(maintenance: &Maintenance, now: DateTime<Utc>, org: &OrgCode) -> Self {
        Self::about(Some(org), maintenance, now)
    }

    fn about(org: Option<&OrgCode>, maintenance: &Maintenance, now: DateTime<Utc>) -> Self {
        let zone = maintenance.calendar.timezone.unwrap_or(Tz::UTC);
        let Gate { state, causes, closed_since, until, next_change, .. } = maintenance.gate_now(now, org);
        let coming = that_concern(org, maintenance, now, now);
        let coming = coming.iter().filter(|one| one.state == OccurrenceState::Coming);
        Self {
            state,
            uploads: "accepted",
            since: closed_since,
            until,
            until_local: until.map(|until| local(until, zone)),
            causes: causes.into_iter().map(PublicCause::from).collect(),
            next: coming.take(COMING_MAX).map(|one| Coming::of(one, zone)).collect(),
            zone,
            next_change,
        }
    }
}

/// Occurrences that concern an organization, or everyone, and were not over at `from`.
pub(super) fn that_concern(
    org: Option<&OrgCode>,
    maintenance: &Maintenance,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<Occurrence> {
    let end = DateTime::<Utc>::MAX_UTC;
    let mut found = occurrences(&maintenance.calendar, &maintenance.overrides, from, end, now);
    found.retain(|one| one.scope.covers(org));
    found
}

fn local(at: DateTime<Utc>, zone: Tz) -> DateTime<FixedOffset> {
    at.with_timezone(&zone).fixed_offset()
}

impl From<Cause> for PublicCause {
    fn from(cause: Cause) -> Self {
        // A window's reason was announced; why staff stopped everything, or what a registry said, was not.
        let reason = if cause.kind == CauseKind::Window { cause.reason } else { String::new() };
        Self { kind: cause.kind, reason }
    }
}

impl Coming {
    fn of(one: &Occurrence, zone: Tz) -> Self {
        Self {
            start: one.start,
            end: one.end,
            start_local: local(one.start, zone),
            end_local: local(one.end, zone),
            reason: one.reason.clone(),
        }
    }
}
