//! The worker's part of the suite: claims, and what becomes of them.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use tidegate_domain::OrgCode;
use tidegate_domain::job::{Counts, Job, JobEvent, JobState, Outcome};
use tidegate_store::{Claim, StoreError};

use crate::ops::{End, Lease, Pick};
use crate::suite::Suite;
use crate::{Checked, compare, same, that};

impl Suite {
    /// Claims; how many jobs were handed out. A lease that ran out is taken back first; whether its
    /// job is handed out by the same claim or by the next one is the backend's choice.
    pub(crate) async fn claim(&mut self, max: usize) -> Checked<usize> {
        let ready = self.model.claimable();
        if self.model.lease == Lease::Zero {
            self.model.interrupt();
        }
        let claims = self.backend.store.claim(max).await.unwrap();
        let mut served = BTreeSet::new();
        for claim in &claims {
            self.take(claim)?;
            let org = claim.job.submission.org.clone();
            that(served.insert(org), || format!("two jobs of one organization: {claims:?}"))?;
        }
        let all_served = ready.is_subset(&served);
        that(claims.len() <= max && (claims.len() == max || all_served), || {
            format!("{} of {max} claimed; ready were {ready:?}, served were {served:?}", claims.len())
        })?;
        let handed_out = claims.len();
        self.claims.extend(claims);
        self.next_due()?;
        Ok(handed_out)
    }

    /// Checks one job that was handed out: it is next, and it is its organization's turn.
    fn take(&mut self, claim: &Claim) -> Checked {
        let org: OrgCode = claim.job.submission.org.clone();
        let mut claimable = self.model.claimable();
        that(claimable.remove(&org), || format!("nothing of {org} was to be claimed: {:?}", claim.job))?;
        let head = self.model.head(&org).unwrap().id;
        let fence = claim.job.fence;
        that(fence > self.last_fence, || format!("fence {fence} after {}", self.last_fence))?;
        self.last_fence = fence;
        self.model.happen(head, &JobEvent::Claimed, "worker").unwrap();
        self.model.job_mut(head).job.fence = fence;
        same("claimed", &claim.job, &self.model.job(head).job)?;
        let passed_over = self.model.fairness.serve(&org, claimable);
        that(passed_over.is_empty(), || format!("{org} was served twice before {passed_over:?}"))
    }

    /// A worker that has found nothing and sleeps until the next instant is not late, and does not
    /// wake up for nothing again and again.
    fn next_due(&self) -> Checked {
        if !self.model.claimable().is_empty() {
            return Ok(());
        }
        let (now, next, due) = (self.model.now, self.model.next_claimable(), self.backend.store.next_due());
        let in_time = next.is_none_or(|next| due.is_some_and(|due| due <= next));
        let ahead = due.is_none_or(|due| due > now);
        that(in_time && ahead, || format!("next due at {due:?}, not {next:?}; it is {now}"))
    }

    pub(crate) fn pick(&self, pick: &Pick) -> Option<Claim> {
        let live: Vec<&Claim> = self.claims.iter().filter(|claim| self.is_live(claim)).collect();
        let (claims, number) = match pick {
            Pick::Live(number) => (live, number),
            Pick::Any(number) => (self.claims.iter().collect(), number),
        };
        Some(claims[number.checked_rem(claims.len())?].clone())
    }

    /// Only the last claim of a job may write, and only while the job is in hand.
    fn is_live(&self, claim: &Claim) -> bool {
        let job = &self.model.job(claim.id()).job;
        job.state == JobState::Processing && job.fence == claim.job.fence
    }

    pub(crate) fn renew(&self, claim: &Claim) -> Checked {
        let renewed = self.backend.store.renew(claim);
        if self.is_live(claim) { same("renewed", &renewed.is_ok(), &true) } else { stale(renewed) }
    }

    pub(crate) async fn checkpoint(&mut self, claim: &Claim) -> Checked {
        let number = self.model.job(claim.id()).history.len() as u64;
        let counts = Counts { total: number, accepted: number, ..Counts::default() };
        let progress = vec![number.to_le_bytes()[0]];
        if !self.is_live(claim) {
            return stale(self.backend.store.checkpoint(claim, progress, counts).await);
        }
        self.write_answers(&claim.job, "so far");
        self.backend.store.checkpoint(claim, progress.clone(), counts).await.unwrap();
        let event = JobEvent::Checkpointed { progress, counts };
        self.model.happen(claim.id(), &event, "worker").unwrap();
        self.check_job(claim.id())
    }

    pub(crate) async fn finish(&mut self, claim: &Claim, end: &End) -> Checked {
        let event = self.event(claim, end);
        if !self.is_live(claim) {
            return stale(self.backend.store.finish(claim, event).await);
        }
        if matches!(event, JobEvent::Completed { .. } | JobEvent::Refused { .. }) {
            self.write_answers(&claim.job, "whole");
        }
        let found = self.backend.store.finish(claim, event.clone()).await.unwrap();
        let expected = self.model.happen(claim.id(), &event, "worker").unwrap();
        same("finished", &found, &expected)
    }

    fn event(&self, claim: &Claim, end: &End) -> JobEvent {
        let counts = Counts { total: 7, accepted: 3, warned: 2, errored: 1, rejected: 1 };
        let reason = format!("{end:?}");
        let complete = |outcome| JobEvent::Completed { outcome, counts };
        match end {
            End::Complete(outcome) => complete(*outcome),
            End::Refuse => JobEvent::Refused { reason },
            // What was begun is not a duplicate: part of it may be delivered already.
            End::Duplicate if self.model.job(claim.id()).job.progress.is_some() => {
                complete(Outcome::Accepted)
            }
            End::Duplicate => match self.backend.store.original_of(&claim.job).unwrap() {
                Some(of) => JobEvent::FoundDuplicate { of },
                None => complete(Outcome::AcceptedWithErrors),
            },
            End::Retry { in_s } => {
                JobEvent::Retried { not_before: self.model.now + TimeDelta::seconds(*in_s), reason }
            }
            End::Fail => JobEvent::Failed { reason },
            End::Yield => JobEvent::Yielded,
        }
    }

    /// Answers of which no two are alike.
    fn write_answers(&mut self, job: &Job, how_far: &str) {
        let text = |kind| format!("{kind} of {}, {how_far}, claim {}", job.id, job.fence).into_bytes();
        let answers = ["response", "report"].map(text);
        self.backend.write_answers(job, &answers);
        self.model.job_mut(job.id).draft = answers;
    }

    /// Nothing was lost, doubled or starved: whatever is not at its end yet can be brought there by
    /// one claim each, and the store is as it should be afterwards and after a kill.
    pub(crate) async fn end(&mut self, in_the_past: bool) -> Checked {
        for claim in self.claims.clone() {
            if self.is_live(&claim) {
                self.finish(&claim, &End::Yield).await?;
            }
        }
        self.open_everything(in_the_past).await?;
        let waiting: usize = self.backend.store.stats().unwrap().lanes.iter().map(|(_, n)| *n as usize).sum();
        let mut handed_out = 0;
        loop {
            let now = self.claim(2).await?;
            if now == 0 {
                break;
            }
            handed_out += now;
            for claim in self.claims.clone().into_iter().rev().take(now) {
                self.finish(&claim, &End::Duplicate).await?;
            }
        }
        same("handed out at the end", &handed_out, &waiting)?;
        let left: Vec<_> = self.model.jobs.iter().filter(|known| !known.job.state.is_final()).collect();
        that(left.is_empty(), || format!("left over: {left:?}"))?;
        compare::all(&self.backend.store, &self.model).await
    }
}

fn stale<T: std::fmt::Debug>(found: Result<T, StoreError>) -> Checked {
    that(matches!(found, Err(StoreError::StaleClaim)), || format!("of a stale claim: {found:?}"))
}
