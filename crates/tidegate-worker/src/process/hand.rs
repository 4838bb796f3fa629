//! A job in hand: may it go on, is it still ours, and how far it is.
//!
//! Invariant: nobody begins or goes on with a message without having asked here; a claim that was lost
//! ends the job at the next question, before anything more is written.

use std::time::{Duration, Instant};

use tidegate_domain::job::Counts;
use tidegate_store::Claim;

use super::Context;
use super::halt::Halt;
use super::mark::Mark;
use crate::deliver::Key;
use crate::error::WorkerError;
use crate::gate_watch::GateWatch;
use crate::targets::Target;

/// A claim is renewed so often: well within a third of the store's lease of a minute. It costs a look
/// into a table.
pub(crate) const RENEW_EVERY: Duration = Duration::from_secs(1);

/// A claimed job while it is processed.
pub(super) struct Hand<'a> {
    pub(super) context: &'a Context,
    pub(super) claim: &'a Claim,
    gate: GateWatch,
    renewed: Instant,
}

impl<'a> Hand<'a> {
    pub(super) fn new(context: &'a Context, claim: &'a Claim) -> Self {
        let org = claim.job.submission.org.clone();
        let gate = GateWatch::new(Some(org), &context.store, &context.clock);
        Self { context, claim, gate, renewed: context.clock.instant() }
    }

    /// Whether the file may be begun: the gate may have closed since it was claimed.
    pub(super) fn may_begin(&mut self) -> Result<(), Halt> {
        let may = !self.context.is_stopping() && self.gate.claims_allowed();
        if may { Ok(()) } else { Err(Halt::Yield) }
    }

    fn is_call(&self) -> bool {
        self.claim.job.submission.protocol.is_answered_at_once()
    }

    /// Whether it is a call whose sender may be waiting.
    pub(super) fn is_first_try_of_call(&self) -> bool {
        self.is_call() && self.claim.job.attempts == 1 && self.claim.job.failures == 0
    }

    /// Whether the next message may be taken. The gate's grace is for files that were begun. A call has one message:
    /// before it was passed on its sender can send it again, and then it is taken to its end.
    pub(super) fn may_go_on(&mut self, passed_on: bool) -> Result<(), Halt> {
        let may = match (self.is_call(), passed_on) {
            (true, true) => true,
            (true, false) => !self.context.is_stopping() && self.gate.claims_allowed(),
            (false, _) => !self.context.is_stopping() && self.gate.may_go_on(),
        };
        if may { Ok(()) } else { Err(Halt::Yield) }
    }

    /// Keeps the claim; fails if it was lost.
    pub(super) fn keep(&mut self) -> Result<(), Halt> {
        let since = self.context.clock.instant().duration_since(self.renewed);
        if since >= RENEW_EVERY { self.renew() } else { Ok(()) }
    }

    /// The same, and asks though it was asked just now: before something that nobody else may do meanwhile.
    pub(super) fn renew(&mut self) -> Result<(), Halt> {
        self.context.store.renew(self.claim)?;
        self.renewed = self.context.clock.instant();
        Ok(())
    }

    /// Records how far the job is. Everything written before is durable before that is.
    pub(super) fn checkpoint(&self, target: &Target, mark: &Mark, counts: Counts) -> Result<(), Halt> {
        target.settle().map_err(|error| Halt::Fatal(WorkerError::Settle(error)))?;
        let recorded = self.context.store.checkpoint(self.claim, mark.encode(), counts);
        Ok(self.context.runtime.block_on(recorded)?)
    }

    /// The idempotency key of a message.
    pub(super) fn key(&self, ordinal: u64) -> Key {
        Key { job: self.claim.id(), org: self.claim.job.submission.org.clone(), ordinal }
    }
}
