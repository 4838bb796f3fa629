//! Does each operation to the store and to the model, and compares what comes of it.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::test_runner::TestCaseError;
use tidegate_domain::job::{JobEvent, JobState};
use tidegate_domain::{JobId, ManualClock};
use tidegate_store::Claim;

use crate::backend::Backend;
use crate::model::{Model, orgs};
use crate::ops::{Case, End, Lease, Op, Restart};
use crate::{Checked, compare, same, that};

pub(crate) struct Suite {
    pub(crate) backend: Backend,
    pub(crate) model: Model,
    /// Every claim that there ever was, those of earlier starts included.
    pub(crate) claims: Vec<Claim>,
    pub(crate) last_fence: u64,
    /// The newest job that there ever was.
    pub(crate) last_id: Option<JobId>,
}

/// How often the backend made its index anew while the case ran.
pub(crate) async fn run(case: Case) -> Result<u64, TestCaseError> {
    let start: DateTime<Utc> = "2024-03-08T12:00:00Z".parse().unwrap();
    let backend = Backend::new(ManualClock::new(start), Lease::Long);
    let model = Model::new(start, Lease::Long);
    let mut suite = Suite { backend, model, claims: Vec::new(), last_fence: 0, last_id: None };
    for op in case.ops {
        suite.step(op).await?;
        let claimable = suite.model.claimable();
        suite.model.fairness.look(&claimable);
    }
    suite.restart(Restart::Kill, Lease::Long).await?;
    suite.end(case.ends_in_the_past).await?;
    suite.restart(Restart::Kill, Lease::Long).await?;
    suite.restart(Restart::CloseAndRebuild, Lease::Long).await?;
    Ok(suite.backend.indexes_made_anew)
}

impl Suite {
    async fn step(&mut self, op: Op) -> Checked {
        match op {
            Op::Sender(op) => self.sender(op).await,
            Op::Worker(op) => self.worker(op).await,
            Op::Staff(op) => self.staff(op).await,
            Op::MoveClock { seconds } => {
                self.set_clock(self.model.now + TimeDelta::seconds(seconds));
                Ok(())
            }
            Op::Retain => self.retain().await,
            Op::Compact => {
                // Nobody may notice anything.
                self.backend.store.compact().await.unwrap();
                Ok(())
            }
            Op::Restart(how, lease) => self.restart(how, lease).await,
        }
    }

    fn set_clock(&mut self, now: DateTime<Utc>) {
        self.backend.clock.set(now);
        self.model.now = now;
    }

    pub(crate) fn check_job(&self, id: JobId) -> Checked {
        same("job", &self.backend.store.get(id).unwrap().as_ref(), &Some(&self.model.job(id).job))
    }

    /// Everything is the same before and after; jobs in hand wait again.
    async fn restart(&mut self, how: Restart, lease: Lease) -> Checked {
        compare::all(&self.backend.store, &self.model).await?;
        let found = self.backend.restart(how, lease).await;
        same("jobs that were in hand", &found, &self.model.interrupt())?;
        self.model.lease = lease;
        self.model.fairness.forget();
        self.nothing_is_left_of_purged_jobs()?;
        compare::all(&self.backend.store, &self.model).await
    }

    /// Nothing was lost, doubled or starved: whatever is not at its end yet can be brought there by
    /// one claim each.
    async fn end(&mut self, in_the_past: bool) -> Checked {
        self.open_everything(in_the_past).await?;
        let waiting: u64 = self.backend.store.stats().unwrap().lanes.iter().map(|(_, waiting)| waiting).sum();
        let mut handed_out = 0;
        loop {
            let before = self.claims.len();
            self.claim(2).await?;
            let taken = self.claims[before..].to_vec();
            if taken.is_empty() {
                break;
            }
            handed_out += taken.len() as u64;
            for claim in taken {
                self.finish(&claim, End::Duplicate).await?;
            }
        }
        same("handed out at the end", &handed_out, &waiting)?;
        let left: Vec<_> = self.model.jobs.iter().filter(|known| !known.job.state.is_final()).collect();
        that(left.is_empty(), || format!("left over: {left:?}"))
    }

    /// Nothing keeps a job from being claimed any more: no hold, no window, no time to wait for.
    async fn open_everything(&mut self, in_the_past: bool) -> Checked {
        let then = if in_the_past { "2014-01-01T00:00:00Z" } else { "2034-01-01T00:00:00Z" };
        self.set_clock(then.parse().unwrap());
        for org in orgs().map(Some).chain([None]) {
            self.release_holds(org).await?;
        }
        let jobs = self.model.jobs.iter().map(|known| &known.job);
        let held: Vec<JobId> = jobs.filter(|job| job.state == JobState::Held).map(|job| job.id).collect();
        for id in held {
            let release = JobEvent::Released { reason: "end".to_owned() };
            self.backend.store.act(id, release.clone(), "eve").await.unwrap();
            self.model.happen(id, &release, "staff:eve").unwrap();
        }
        Ok(())
    }
}
