//! Windows, overrides and holds: what the configuration says and what staff did since.
//!
//! Invariant: what staff did is journaled before it counts, so that a restart inside a window or a
//! hold stays closed.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::{Calendar, Gate, HOLD_MAX, Hold, InHand, Override, Window, gate};

use crate::record::{Entry, MaintenanceChange};

/// What staff did at run time, as the journal tells it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StaffChanges {
    windows: Vec<Window>,
    overrides: Vec<Override>,
    holds: Vec<Hold>,
}

impl StaffChanges {
    /// The effect of one change. Holds that ran out long ago leave the list here; the journal keeps
    /// them. Not at once: a wall clock that was ahead for a moment must not end a hold for good.
    pub(crate) fn apply(&mut self, entry: &Entry, change: &MaintenanceChange) {
        let ran_out =
            |until: DateTime<Utc>| until + TimeDelta::from_std(HOLD_MAX).unwrap_or_default() < entry.at;
        self.holds.retain(|hold| !hold.until.is_some_and(ran_out));
        match change {
            MaintenanceChange::WindowAdded(window) => self.windows.push(window.clone()),
            MaintenanceChange::HoldPlaced(hold) => self.holds.push(hold.clone()),
            MaintenanceChange::HoldsReleased { org, .. } => self.holds.retain(|hold| hold.org != *org),
            MaintenanceChange::Overridden(change) => self.overrides.push(change.clone()),
        }
    }
}

/// Everything that the gate is a function of, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Maintenance {
    /// The configuration's windows and those that staff added.
    pub calendar: Calendar,
    /// Occurrences that staff changed.
    pub overrides: Vec<Override>,
    /// Holds that stand.
    pub holds: Vec<Hold>,
}

impl Maintenance {
    /// The gate for one organization, or for everyone.
    pub fn gate(&self, now: DateTime<Utc>, org: Option<&OrgCode>) -> Gate {
        gate(now, org, &self.calendar, &self.overrides, &self.holds)
    }

    /// The gate at the present moment. A hold that was placed stands, even if the wall clock was put
    /// back behind its placement since.
    pub fn gate_now(&self, now: DateTime<Utc>, org: Option<&OrgCode>) -> Gate {
        if self.holds.iter().all(|hold| hold.placed_at <= now) {
            return self.gate(now, org);
        }
        let placed = |hold: &Hold| Hold { placed_at: hold.placed_at.min(now), ..hold.clone() };
        let holds: Vec<Hold> = self.holds.iter().map(placed).collect();
        gate(now, org, &self.calendar, &self.overrides, &holds)
    }

    /// What a job of the organization that is being processed has to do.
    pub fn in_hand(&self, now: DateTime<Utc>, org: &OrgCode) -> InHand {
        self.calendar.in_hand(now, self.gate_now(now, Some(org)).closed_since)
    }
}

/// The one place where both sources meet; replaced as a whole, read without waiting.
#[derive(Debug, Default)]
pub(crate) struct Gatekeeper {
    sources: RwLock<Sources>,
}

#[derive(Debug, Default)]
struct Sources {
    configured: Calendar,
    staff: StaffChanges,
    together: Arc<Maintenance>,
}

impl Gatekeeper {
    pub(crate) fn set_configured(&self, calendar: Calendar) {
        self.change(|sources| sources.configured = calendar);
    }

    pub(crate) fn set_staff(&self, staff: StaffChanges) {
        self.change(|sources| sources.staff = staff);
    }

    pub(crate) fn now(&self) -> Arc<Maintenance> {
        Arc::clone(&self.sources.read().unwrap_or_else(PoisonError::into_inner).together)
    }

    fn change(&self, change: impl FnOnce(&mut Sources)) {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut sources);
        let mut calendar = sources.configured.clone();
        calendar.windows.extend(sources.staff.windows.iter().cloned());
        sources.together = Arc::new(Maintenance {
            calendar,
            overrides: sources.staff.overrides.clone(),
            holds: sources.staff.holds.clone(),
        });
    }
}
