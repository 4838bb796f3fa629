//! Windows and holds, asked before each message at the price of comparing two instants. Whether a target is away
//! is not asked here: whoever delivers to it finds out.
//!
//! Invariant: an answer is used only while it holds: as long as the same windows and holds stand (they
//! are replaced as a whole) and the clock is between the instant of the question and the gate's next
//! change. So no answer is ever late, and a clock that jumps is noticed at once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tidegate_domain::maintenance::InHand;
use tidegate_domain::{Clock, OrgCode};
use tidegate_store::{Maintenance, Store};

/// Windows and holds for one organization, or for everyone.
pub(crate) struct GateWatch {
    org: Option<OrgCode>,
    store: Store,
    clock: Arc<dyn Clock>,
    known: Option<Known>,
}

struct Known {
    maintenance: Arc<Maintenance>,
    since: DateTime<Utc>,
    /// The first instant at which it may be otherwise; `None` if it stays so.
    until: Option<DateTime<Utc>>,
    claims_allowed: bool,
    in_hand: InHand,
}

impl GateWatch {
    pub(crate) fn new(org: Option<OrgCode>, store: &Store, clock: &Arc<dyn Clock>) -> Self {
        Self { org, store: store.clone(), clock: Arc::clone(clock), known: None }
    }

    /// Whether new files may be begun.
    pub(crate) fn claims_allowed(&mut self) -> bool {
        self.look().0
    }

    /// Whether a file in hand may go on with its next message.
    pub(crate) fn may_go_on(&mut self) -> bool {
        match self.look() {
            (_, InHand::CarryOn, _) => true,
            (_, InHand::YieldAt(end), now) => now < end,
            (_, InHand::YieldNow, _) => false,
        }
    }

    fn look(&mut self) -> (bool, InHand, DateTime<Utc>) {
        let (maintenance, now) = (self.store.maintenance(), self.clock.now());
        match &self.known {
            Some(known) if known.holds(&maintenance, now) => (known.claims_allowed, known.in_hand, now),
            _ => {
                let known = self.known.insert(Known::at(maintenance, now, self.org.as_ref()));
                (known.claims_allowed, known.in_hand, now)
            }
        }
    }
}

impl Known {
    fn at(maintenance: Arc<Maintenance>, now: DateTime<Utc>, org: Option<&OrgCode>) -> Self {
        let gate = maintenance.planned_now(now, org);
        let in_hand = maintenance.calendar.in_hand(now, gate.closed_since);
        let claims_allowed = gate.claims_allowed;
        Self { maintenance, since: now, until: gate.next_change, claims_allowed, in_hand }
    }

    fn holds(&self, maintenance: &Arc<Maintenance>, now: DateTime<Utc>) -> bool {
        Arc::ptr_eq(&self.maintenance, maintenance)
            && self.since <= now
            && self.until.is_none_or(|until| now < until)
    }
}
