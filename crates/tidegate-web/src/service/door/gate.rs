//! What the service asks of the gate, and how long it tells senders to wait.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::maintenance::{Gate, GateState};
use tidegate_domain::{OrgCode, WhenClosed};
use tidegate_store::Maintenance;

use super::Door;
use crate::service::plain::Closed;

/// Nobody is told to wait for longer: a window may be ended early.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::days(1);

impl Door {
    /// Whether the gate is closed for everyone.
    pub(in crate::service) fn closed_for_everyone(&self) -> Option<Closed> {
        let look = self.look();
        let gate = look.gate(None);
        (gate.state == GateState::Closed || !gate.claims_allowed).then(|| look.closed(&gate, None))
    }

    /// Whether a window or a hold closes the gate for everyone, and no organization's messages are queued meanwhile: then
    /// nothing of a request matters any more.
    pub(in crate::service) fn refuses_everyone(&self) -> Option<Closed> {
        let organizations = self.service.directory.current();
        let defers = organizations.iter().any(|organization| organization.when_closed == WhenClosed::Defer);
        if defers { None } else { self.planned() }
    }

    /// Whether a window or a hold closes the gate for everyone.
    pub(super) fn planned(&self) -> Option<Closed> {
        let look = self.look();
        let gate = look.maintenance.planned_now(look.now, None);
        (!gate.claims_allowed).then(|| look.closed(&gate, None))
    }

    /// Whether the gate is closed for an organization.
    pub(super) fn closed_for(&self, org: &OrgCode) -> Option<Closed> {
        let look = self.look();
        let gate = look.gate(Some(org));
        (!gate.claims_allowed).then(|| look.closed(&gate, Some(org)))
    }

    /// What to say where the gate shut while the message was on its way.
    pub(super) fn has_closed_for(&self, org: &OrgCode) -> Closed {
        let look = self.look();
        look.closed(&look.gate(Some(org)), Some(org))
    }

    fn look(&self) -> Look {
        let control = &self.service.control;
        Look { maintenance: control.store.maintenance(), now: control.now() }
    }
}

/// What keeps the gate at one instant.
struct Look {
    maintenance: Arc<Maintenance>,
    now: DateTime<Utc>,
}

impl Look {
    fn gate(&self, org: Option<&OrgCode>) -> Gate {
        self.maintenance.gate_now(self.now, org)
    }

    /// Seconds to the end of the closed interval, or of the one that is about to begin; `None` if nobody knows it.
    fn closed(&self, gate: &Gate, org: Option<&OrgCode>) -> Closed {
        let until = match gate.state {
            // It has opened again by now, or a registry that is away may be tried.
            _ if gate.claims_allowed => Some(self.now),
            GateState::Closed => gate.until,
            GateState::Open => gate.next_change.and_then(|next| self.maintenance.gate(next, org).until),
        };
        let seconds = until.map(|until| {
            // Rounded up: whoever comes again then finds it open.
            let left = (until - self.now).min(RETRY_AFTER_MAX) + TimeDelta::milliseconds(999);
            left.num_seconds().max(1).unsigned_abs()
        });
        Closed { retry_after_s: seconds }
    }
}
