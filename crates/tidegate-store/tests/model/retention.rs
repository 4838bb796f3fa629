//! Retention's part of the suite: what goes, and what keeps it.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::job::{Job, JobState};
use tidegate_domain::{JobId, LegalHold, OrgCode, Terms};

use crate::model::Model;
use crate::ops::TERM_HOURS;
use crate::suite::Suite;
use crate::{Checked, same, that};

#[derive(Debug, Default)]
pub(crate) struct RetentionModel {
    pub(crate) legal_holds: Vec<LegalHold>,
    pub(crate) purged: BTreeSet<JobId>,
    /// What was in them.
    pub(crate) purged_bodies: BTreeSet<Vec<u8>>,
}

fn terms() -> Terms {
    let [complete, error] = TERM_HOURS.map(Duration::from_hours);
    Terms { complete, error }
}

/// When a job's term is over, if it has one.
fn over_at(job: &Job) -> Option<DateTime<Utc>> {
    use JobState as S;
    let [complete, error] = TERM_HOURS.map(|hours| TimeDelta::hours(i64::try_from(hours).unwrap()));
    match job.state {
        S::Complete | S::Duplicate | S::Cancelled => Some(job.finished_at.unwrap() + complete),
        S::Error => Some(job.finished_at.unwrap() + error),
        S::Queued | S::Processing | S::Retrying | S::Held | S::Exception => None,
    }
}

impl Model {
    /// Whether nothing keeps a job any more.
    fn may_go(&self, job: &Job) -> bool {
        let is_kept = self.retention.legal_holds.iter().any(|hold| hold.org == job.submission.org);
        !is_kept && over_at(job).is_some_and(|over| over <= self.now)
    }

    /// Whether a job that may go may stay for now: the clock was put back behind its arrival, or that of
    /// one before it, and by that they are too young.
    fn may_stay(&self, job: &Job) -> bool {
        let of_state = self.jobs.iter().map(|known| &known.job).filter(|other| other.state == job.state);
        let term = over_at(job).unwrap() - job.finished_at.unwrap();
        of_state.take_while(|other| other.id <= job.id).any(|other| other.id.made_at() > self.now - term)
    }
}

impl Suite {
    /// What may go goes, and nothing else; of what is gone nothing is left.
    pub(crate) async fn retain(&mut self) -> Checked {
        let told = self.backend.store.retain(terms(), self.model.now).await.unwrap();
        let mut gone = 0;
        for job in self.model.jobs.iter().map(|known| known.job.clone()).collect::<Vec<_>>() {
            let is_there = self.backend.store.get(job.id).unwrap().is_some();
            if is_there {
                that(!self.model.may_go(&job) || self.model.may_stay(&job), || format!("stayed: {job:?}"))?;
                continue;
            }
            that(self.model.may_go(&job), || format!("gone: {job:?}"))?;
            gone += 1;
            self.purged(job.id);
        }
        same("told to be gone", &told.purged.values().map(|amount| amount.jobs).sum(), &gone)?;
        self.nothing_is_left_of_purged_jobs()
    }

    fn purged(&mut self, id: JobId) {
        let body = self.model.job(id).body.clone();
        self.model.jobs.retain(|known| known.job.id != id);
        self.model.retention.purged.insert(id);
        self.model.retention.purged_bodies.insert(body);
    }

    pub(crate) fn nothing_is_left_of_purged_jobs(&self) -> Checked {
        for id in &self.model.retention.purged {
            same("files of a purged job", &self.backend.files_of(*id), &Vec::new())?;
        }
        Ok(())
    }

    pub(crate) async fn place_legal_hold(&mut self, org: OrgCode) {
        let (reason, actor) = ("case 7".to_owned(), "staff:eve".to_owned());
        self.backend.store.place_legal_hold(org.clone(), reason.clone(), "eve").await.unwrap();
        let hold = LegalHold { org, reason, actor, placed_at: self.model.now };
        self.model.retention.legal_holds.push(hold);
    }

    pub(crate) async fn release_legal_holds(&mut self, org: OrgCode) -> Checked {
        let found = self.backend.store.release_legal_holds(&org, "settled".to_owned(), "eve").await.unwrap();
        let (released, left) = self.model.retention.legal_holds.drain(..).partition(|hold| hold.org == org);
        self.model.retention.legal_holds = left;
        same("released", &found, &released)
    }
}
