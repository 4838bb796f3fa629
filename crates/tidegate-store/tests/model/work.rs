//! The worker's part of the suite: claims, and what becomes of them.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use tidegate_domain::OrgCode;
use tidegate_domain::job::{Counts, Job, JobEvent, JobState, Outcome};
use tidegate_store::{Claim, StoreError};

use crate::ops::{End, Lease, Pick, WorkerOp};
use crate::suite::Suite;
use crate::{Checked, same, that};

impl Suite {
    pub(crate) async fn worker(&mut self, op: WorkerOp) -> Checked {
        let pick = match op {
            WorkerOp::Claim { max } => return self.claim(max).await,
            WorkerOp::Vanish { times } => return self.vanish(times).await,
            WorkerOp::Renew(pick) | WorkerOp::Checkpoint(pick) | WorkerOp::Finish(pick, _) => pick,
        };
        let Some(claim) = self.pick(pick) else { return Ok(()) };
        match op {
            WorkerOp::Checkpoint(_) => self.checkpoint(&claim).await,
            WorkerOp::Finish(_, end) => self.finish(&claim, end).await,
            _ => self.renew(&claim),
        }
    }

    /// Claims. A lease that ran out is taken back first; whether its job is handed out by the same claim
    /// or by the next one, which it is a sign for, is the backend's choice.
    pub(crate) async fn claim(&mut self, max: usize) -> Checked {
        let ready = self.model.claimable();
        let taken_back = if self.model.lease == Lease::Zero { self.model.interrupt() } else { 0 };
        let claims = self.backend.store.claim(max).await.unwrap();
        let mut served = BTreeSet::new();
        for claim in &claims {
            self.take(claim, &ready)?;
            let org = claim.job.submission.org.clone();
            that(served.insert(org), || format!("two jobs of one organization: {claims:?}"))?;
        }
        let all_served = ready.is_subset(&served);
        that(claims.len() <= max && (claims.len() == max || all_served), || {
            format!("{} of {max} claimed; ready were {ready:?}, served were {served:?}", claims.len())
        })?;
        let handed_out = claims.len();
        self.claims.extend(claims);
        if handed_out < max && taken_back == 0 { self.next_due() } else { Ok(()) }
    }

    async fn vanish(&mut self, times: usize) -> Checked {
        for _ in 0..times {
            if self.model.lease == Lease::Zero {
                self.claim(4).await?;
            }
        }
        Ok(())
    }

    /// Checks one job that was handed out: it is next, and it is its organization's turn among those
    /// that were `ready` when the claim began.
    fn take(&mut self, claim: &Claim, ready: &BTreeSet<OrgCode>) -> Checked {
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
        claimable.retain(|other| ready.contains(other));
        let passed_over = self.model.fairness.serve(&org, claimable);
        that(passed_over.is_empty(), || format!("{org} was served twice before {passed_over:?}"))
    }

    /// A worker that has found no more and sleeps until the next instant is not late, and does not
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

    fn pick(&self, pick: Pick) -> Option<Claim> {
        let all: Vec<usize> = (0..self.claims.len()).collect();
        let (apt, lost): (Vec<usize>, Vec<usize>) =
            all.iter().partition(|number| self.is_live(&self.claims[**number]));
        let is_in_hand = |number: &usize| {
            self.model
                .find(self.claims[*number].id())
                .is_some_and(|known| known.job.state == JobState::Processing)
        };
        let of_jobs_in_hand: Vec<usize> = lost.iter().copied().filter(is_in_hand).collect();
        let lost = if of_jobs_in_hand.is_empty() { lost } else { of_jobs_in_hand };
        Some(self.claims[pick.of(&apt, &lost, &all)?].clone())
    }

    /// Only the last claim of a job may write, and only while the job is in hand.
    fn is_live(&self, claim: &Claim) -> bool {
        let job = self.model.find(claim.id()).map(|known| &known.job);
        job.is_some_and(|job| job.state == JobState::Processing && job.fence == claim.job.fence)
    }

    fn renew(&self, claim: &Claim) -> Checked {
        let renewed = self.backend.store.renew(claim);
        if self.is_live(claim) { same("renewed", &renewed.is_ok(), &true) } else { stale(&renewed) }
    }

    async fn checkpoint(&mut self, claim: &Claim) -> Checked {
        let number = self.model.find(claim.id()).map_or(0, |known| known.history.len() as u64);
        let counts = Counts { total: number, accepted: number, ..Counts::default() };
        let progress = vec![number.to_le_bytes()[0]];
        if !self.is_live(claim) {
            return stale(&self.backend.store.checkpoint(claim, progress, counts).await);
        }
        self.write_answers(&claim.job, "so far");
        self.backend.store.checkpoint(claim, progress.clone(), counts).await.unwrap();
        let event = JobEvent::Checkpointed { progress, counts };
        self.model.happen(claim.id(), &event, "worker").unwrap();
        self.check_job(claim.id())
    }

    pub(crate) async fn finish(&mut self, claim: &Claim, end: End) -> Checked {
        let event = self.event(claim, end);
        if !self.is_live(claim) {
            return stale(&self.backend.store.finish(claim, event).await);
        }
        if matches!(event, JobEvent::Completed { .. } | JobEvent::Refused { .. }) {
            self.write_answers(&claim.job, "whole");
        }
        let found = self.backend.store.finish(claim, event.clone()).await.unwrap();
        let expected = self.model.happen(claim.id(), &event, "worker").unwrap();
        same("finished", &found, &expected)
    }

    fn event(&self, claim: &Claim, end: End) -> JobEvent {
        let counts = Counts { total: 7, accepted: 3, warned: 2, errored: 1, rejected: 1 };
        let reason = format!("{end:?}");
        let complete = |outcome: Outcome| JobEvent::Completed { outcome, counts };
        match end {
            End::Complete(outcome) => complete(outcome),
            End::Refuse => JobEvent::Refused { reason },
            // What was begun is not a duplicate: part of it may be delivered already.
            End::Duplicate
                if self.model.find(claim.id()).is_none_or(|known| known.job.progress.is_some()) =>
            {
                complete(Outcome::Accepted)
            }
            End::Duplicate => match self.backend.store.original_of(&claim.job).unwrap() {
                Some(of) => JobEvent::FoundDuplicate { of },
                None => complete(Outcome::AcceptedWithErrors),
            },
            End::Retry { in_s } => {
                JobEvent::Retried { not_before: self.model.now + TimeDelta::seconds(in_s), reason }
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
}

fn stale<T: std::fmt::Debug>(found: &Result<T, StoreError>) -> Checked {
    that(matches!(found, Err(StoreError::StaleClaim | StoreError::UnknownJob)), || {
        format!("of a stale claim: {found:?}")
    })
}
