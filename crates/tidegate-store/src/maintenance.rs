//! Windows, overrides and holds: what the configuration says and what staff did since.
//!
//! Invariant: what staff did is journaled before it counts, so that a restart inside a window or a
//! hold stays closed. The gate's answers are remembered only while they hold, and with what they follow
//! from: what is replaced takes its answers along.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::{
    Calendar, Downstream, Gate, HOLD_MAX, Hold, InHand, Override, Window, gate,
};

use crate::record::{Entry, MaintenanceChange};

/// What staff did of late: so many changes are kept.
const HISTORY_KEPT: usize = 500;

/// Overrides that are kept. More than that many staff do not make in years, so the oldest are long over.
const OVERRIDES_KEPT: usize = 1000;

/// What staff did at run time, as the journal tells it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StaffChanges {
    windows: Vec<Window>,
    overrides: Vec<Override>,
    holds: Vec<Hold>,
    history: Vec<Happened>,
}

/// Something that staff did about windows and holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// When, by the wall clock.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// What.
    pub what: Happening,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happening {
    /// A window was announced.
    WindowAdded {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A window was taken back.
    WindowRemoved {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A hold was placed.
    HoldPlaced(Hold),
    /// A hold was released.
    HoldReleased {
        /// The hold as it was placed.
        hold: Hold,
        /// Why.
        reason: String,
    },
    /// An occurrence of a window was changed.
    Overridden(Override),
}

impl StaffChanges {
    /// The effect of one change. Holds that ran out long ago leave the list here; the journal keeps
    /// them. Not at once: a wall clock that was ahead for a moment must not end a hold for good.
    pub(crate) fn apply(&mut self, entry: &Entry, change: &MaintenanceChange) {
        let ran_out =
            |until: DateTime<Utc>| until + TimeDelta::from_std(HOLD_MAX).unwrap_or_default() < entry.at;
        self.holds.retain(|hold| !hold.until.is_some_and(ran_out));
        self.note(entry, change);
        match change {
            MaintenanceChange::WindowAdded(window) => self.windows.push(window.clone()),
            MaintenanceChange::HoldPlaced(hold) => self.holds.push(hold.clone()),
            MaintenanceChange::HoldsReleased { org, .. } => self.holds.retain(|hold| hold.org != *org),
            MaintenanceChange::Overridden(change) => self.overrides.push(change.clone()),
            MaintenanceChange::WindowRemoved { name, .. } => {
                self.windows.retain(|window| window.name != *name);
                // Another window of that name is none of their business.
                self.overrides.retain(|change| change.window() != name);
            }
        }
        drop_oldest(&mut self.overrides, OVERRIDES_KEPT);
    }

    /// Keeps for people what happens. Holds that were released are named one by one, if they stood.
    fn note(&mut self, entry: &Entry, change: &MaintenanceChange) {
        let what = match change {
            MaintenanceChange::WindowAdded(window) => {
                vec![Happening::WindowAdded { name: window.name.clone(), reason: window.reason.clone() }]
            }
            MaintenanceChange::HoldPlaced(hold) => vec![Happening::HoldPlaced(hold.clone())],
            MaintenanceChange::HoldsReleased { org, reason } => {
                let stood =
                    |hold: &&Hold| hold.org == *org && hold.until.is_none_or(|until| until > entry.at);
                let released = self.holds.iter().filter(stood);
                released
                    .map(|hold| Happening::HoldReleased { hold: hold.clone(), reason: reason.clone() })
                    .collect()
            }
            MaintenanceChange::Overridden(change) => vec![Happening::Overridden(change.clone())],
            MaintenanceChange::WindowRemoved { name, reason } => {
                vec![Happening::WindowRemoved { name: name.clone(), reason: reason.clone() }]
            }
        };
        let (at, actor) = (entry.at, &entry.actor);
        self.history.extend(what.into_iter().map(|what| Happened { at, actor: actor.clone(), what }));
        drop_oldest(&mut self.history, HISTORY_KEPT);
    }
}

fn drop_oldest<T>(items: &mut Vec<T>, kept: usize) {
    items.drain(..items.len().saturating_sub(kept));
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
    /// What staff did, the latest last.
    pub history: Vec<Happened>,
    /// Targets that are away, as the worker found; nothing that a restart knows.
    pub downstream: Vec<Downstream>,
    answers: Answers,
}

/// The gate's last answer for each organization that was asked about, and for everyone. As many as there are
/// organizations; whoever claims asks for all that have work.
#[derive(Debug, Clone, Default)]
struct Answers(Arc<Mutex<HashMap<Option<OrgCode>, Answer>>>);

#[derive(Debug)]
struct Answer {
    since: DateTime<Utc>,
    gate: Gate,
}

impl Maintenance {
    /// The gate for one organization, or for everyone.
    pub fn gate(&self, now: DateTime<Utc>, org: Option<&OrgCode>) -> Gate {
        gate(now, org, &self.calendar, &self.overrides, &self.holds)
    }

    /// The gate at the present moment, closed too while the target is away.
    pub fn gate_now(&self, now: DateTime<Utc>, org: Option<&OrgCode>) -> Gate {
        let mut gate = self.planned_now(now, org);
        for away in self.downstream.iter().filter(|away| away.concerns(org)) {
            away.close(&mut gate);
        }
        gate
    }

    /// The gate at the present moment by windows and holds alone. A hold that was placed stands, even if the
    /// wall clock was put back behind its placement since.
    pub fn planned_now(&self, now: DateTime<Utc>, org: Option<&OrgCode>) -> Gate {
        if self.holds.iter().all(|hold| hold.placed_at <= now) {
            return self.answers.get_or(now, org, || self.gate(now, org));
        }
        let placed = |hold: &Hold| Hold { placed_at: hold.placed_at.min(now), ..hold.clone() };
        let holds: Vec<Hold> = self.holds.iter().map(placed).collect();
        gate(now, org, &self.calendar, &self.overrides, &holds)
    }

    /// What a job of the organization that is being processed has to do.
    pub fn in_hand(&self, now: DateTime<Utc>, org: &OrgCode) -> InHand {
        self.calendar.in_hand(now, self.planned_now(now, Some(org)).closed_since)
    }
}

impl Answers {
    /// The last answer if it still holds, else a new one.
    fn get_or(&self, now: DateTime<Utc>, org: Option<&OrgCode>, ask: impl FnOnce() -> Gate) -> Gate {
        let org = org.cloned();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.get(&org).filter(|answer| answer.holds(now)) {
            return answer.gate.clone();
        }
        let gate = ask();
        known.insert(org, Answer { since: now, gate: gate.clone() });
        gate
    }
}

impl Answer {
    /// It is constant from the instant of the question to the next change.
    fn holds(&self, now: DateTime<Utc>) -> bool {
        self.since <= now && self.gate.next_change.is_none_or(|next| now < next)
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
    downstream: Vec<Downstream>,
    together: Arc<Maintenance>,
}

impl Gatekeeper {
    pub(crate) fn set_configured(&self, calendar: Calendar) {
        self.change(|sources| sources.configured = calendar);
    }

    pub(crate) fn set_staff(&self, staff: StaffChanges) {
        self.change(|sources| sources.staff = staff);
    }

    /// False if that is what stands already.
    pub(crate) fn set_downstream(&self, downstream: Vec<Downstream>) -> bool {
        if self.now().downstream == downstream {
            return false;
        }
        self.change(|sources| sources.downstream = downstream);
        true
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
            history: sources.staff.history.clone(),
            answers: Answers::default(),
            downstream: sources.downstream.clone(),
        });
    }
}
