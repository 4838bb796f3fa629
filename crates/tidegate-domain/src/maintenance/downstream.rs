//! The registry being away: what closes the gate although nobody said so.
//!
//! Invariant: it closes the gate for those whose messages go there and for nobody else, and its end is not known
//! beforehand. Whether a registry is away is found out by whoever delivers to it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Cause, CauseKind, Gate, GateState};
use crate::OrgCode;

/// A target that takes nothing at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downstream {
    /// Its name for staff.
    pub name: String,
    /// What it did last, for staff; nothing of a message.
    pub reason: String,
    /// Whose messages go there.
    pub senders: Senders,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Whether one file may be claimed, to try with.
    pub may_be_tried: bool,
}

/// Whose messages go to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Senders {
    /// One organization's.
    Only(OrgCode),
    /// Everyone's but these organizations', which have targets of their own.
    AllBut(BTreeSet<OrgCode>),
}

impl Downstream {
    /// Whether it closes the gate for `org`, or for everyone.
    pub fn concerns(&self, org: Option<&OrgCode>) -> bool {
        match (&self.senders, org) {
            (Senders::Only(one), Some(org)) => one == org,
            (Senders::Only(_), None) => false,
            (Senders::AllBut(others), Some(org)) => !others.contains(org),
            (Senders::AllBut(_), None) => true,
        }
    }

    /// Closes a gate.
    pub fn close(&self, gate: &mut Gate) {
        gate.state = GateState::Closed;
        gate.causes.push(Cause {
            kind: CauseKind::Downstream,
            name: self.name.clone(),
            reason: self.reason.clone(),
            actor: None,
            until: None,
        });
        gate.closed_since = gate.closed_since.map_or(Some(self.since), |since| Some(since.min(self.since)));
        gate.until = None;
        gate.claims_allowed &= self.may_be_tried;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maintenance::{Calendar, gate};

    fn org(code: &str) -> OrgCode {
        OrgCode::new(code).unwrap()
    }

    fn away(senders: Senders, may_be_tried: bool) -> Downstream {
        let (name, reason) = ("delivery".to_owned(), "refused".to_owned());
        Downstream { name, reason, senders, since: DateTime::UNIX_EPOCH, may_be_tried }
    }

    #[test]
    fn a_target_that_is_away_concerns_those_who_deliver_there() {
        let own = away(Senders::Only(org("A")), false);
        let service = away(Senders::AllBut([org("A")].into()), false);
        let whom = [Some(org("A")), Some(org("B")), None];
        assert_eq!(whom.each_ref().map(|org| own.concerns(org.as_ref())), [true, false, false]);
        assert_eq!(whom.each_ref().map(|org| service.concerns(org.as_ref())), [false, true, true]);
    }

    #[test]
    fn it_closes_an_open_gate_without_an_end_and_lets_a_trial_through() {
        let open = || gate(DateTime::UNIX_EPOCH, None, &Calendar::default(), &[], &[]);
        for may_be_tried in [false, true] {
            let mut gate = open();
            away(Senders::AllBut(BTreeSet::new()), may_be_tried).close(&mut gate);
            assert_eq!((gate.state, gate.until), (GateState::Closed, None));
            assert_eq!(gate.claims_allowed, may_be_tried);
            assert_eq!(gate.causes.len(), 1);
        }
    }
}
