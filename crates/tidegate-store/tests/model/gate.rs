//! Windows, overrides and holds. What closes the gate when is the domain's own function; what stands
//! is the store's to remember.

use chrono::{DateTime, Utc};
use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::{Calendar, Gate, HOLD_MAX, Hold, Override, gate};
use tidegate_store::Happened;

#[derive(Debug, Default)]
pub(crate) struct GateModel {
    pub(crate) calendar: Calendar,
    pub(crate) overrides: Vec<Override>,
    pub(crate) holds: Vec<Hold>,
    pub(crate) history: Vec<Happened>,
}

impl GateModel {
    /// A hold that was placed stands, even if the clock was put back behind its placement since.
    pub(crate) fn at(&self, now: DateTime<Utc>, org: Option<&OrgCode>) -> Gate {
        let placed = |hold: &Hold| Hold { placed_at: hold.placed_at.min(now), ..hold.clone() };
        let holds: Vec<Hold> = self.holds.iter().map(placed).collect();
        gate(now, org, &self.calendar, &self.overrides, &holds)
    }

    pub(crate) fn is_open(&self, now: DateTime<Utc>, org: &OrgCode) -> bool {
        self.at(now, Some(org)).claims_allowed
    }

    /// The first instant from `then` on at which claims are allowed.
    pub(crate) fn opens(&self, mut then: DateTime<Utc>, org: &OrgCode) -> Option<DateTime<Utc>> {
        while !self.is_open(then, org) {
            then = self.at(then, Some(org)).next_change?;
        }
        Some(then)
    }

    /// With each change those holds leave the list that are over for so long that no clock which was
    /// ahead for a moment can have ended them.
    pub(crate) fn forget_old_holds(&mut self, now: DateTime<Utc>) {
        self.holds.retain(|hold| hold.until.is_none_or(|until| until + HOLD_MAX >= now));
    }

    /// The holds that stand.
    pub(crate) fn standing(holds: &[Hold], now: DateTime<Utc>) -> Vec<&Hold> {
        holds.iter().filter(|hold| !is_over(hold, now)).collect()
    }

    /// Releases the holds of one organization, or those for everyone; those that stood.
    pub(crate) fn release(&mut self, now: DateTime<Utc>, org: Option<&OrgCode>) -> Vec<Hold> {
        let concerns = |hold: &&Hold| hold.org.as_ref() == org && !is_over(hold, now);
        let released: Vec<Hold> = self.holds.iter().filter(concerns).cloned().collect();
        if !released.is_empty() {
            self.forget_old_holds(now);
            self.holds.retain(|hold| hold.org.as_ref() != org);
        }
        released
    }
}

fn is_over(hold: &Hold, now: DateTime<Utc>) -> bool {
    hold.until.is_some_and(|until| until <= now)
}
