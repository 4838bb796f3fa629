//! The store as its callers may think of it: a list of jobs in the order of their arrival.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use tidegate_domain::job::{Job, JobEvent, JobState, Outcome, RetryPolicy, Submission};
use tidegate_domain::{JobId, OrgCode, UploadName};
use tidegate_store::{Happened, Happening};

use crate::fairness::Fairness;
use crate::gate::GateModel;
use crate::ops::{Lease, ORGS, Pick};
use crate::retention::RetentionModel;
use crate::table;

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) now: DateTime<Utc>,
    pub(crate) lease: Lease,
    /// In the order of their arrival.
    pub(crate) jobs: Vec<ModelJob>,
    /// Uploads under temporary names.
    pub(crate) staged: BTreeMap<(OrgCode, UploadName), Vec<u8>>,
    pub(crate) gate: GateModel,
    pub(crate) retention: RetentionModel,
    pub(crate) fairness: Fairness,
}

#[derive(Debug)]
pub(crate) struct ModelJob {
    /// Every field as it is expected; nothing of [`Job`] but its fields is used.
    pub(crate) job: Job,
    pub(crate) body: Vec<u8>,
    pub(crate) history: Vec<Line>,
    /// Response and report as its worker has them.
    pub(crate) draft: [Vec<u8>; 2],
    /// As the sender got them. What it got stays as it is until the job is requeued.
    pub(crate) answers: Option<[Vec<u8>; 2]>,
}

/// A line of a job's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) event: &'static str,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: String,
}

pub(crate) fn orgs() -> impl Iterator<Item = OrgCode> {
    ORGS.into_iter().map(|code| OrgCode::new(code).unwrap())
}

impl Model {
    pub(crate) fn new(now: DateTime<Utc>, lease: Lease) -> Self {
        let (gate, retention, fairness) = Default::default();
        Self { now, lease, jobs: Vec::new(), staged: BTreeMap::new(), gate, retention, fairness }
    }

    /// Something that staff did about windows and holds.
    pub(crate) fn note(&mut self, what: Happening) {
        self.gate.history.push(Happened { at: self.now, actor: "staff:eve".to_owned(), what });
    }

    pub(crate) fn job(&self, id: JobId) -> &ModelJob {
        self.find(id).unwrap()
    }

    /// A job, unless it was purged.
    pub(crate) fn find(&self, id: JobId) -> Option<&ModelJob> {
        self.jobs.iter().find(|known| known.job.id == id)
    }

    pub(crate) fn job_mut(&mut self, id: JobId) -> &mut ModelJob {
        self.jobs.iter_mut().find(|known| known.job.id == id).unwrap()
    }

    /// A job; an apt one is one that fits.
    pub(crate) fn pick(&self, pick: Pick, fits: impl Fn(&Job) -> bool) -> Option<JobId> {
        let all: Vec<&Job> = self.jobs.iter().map(|known| &known.job).collect();
        let apt: Vec<&Job> = all.iter().copied().filter(|job| fits(job)).collect();
        pick.of(&apt, &[], &all).map(|job| job.id)
    }

    /// A new job at the end of its lane.
    pub(crate) fn accept(&mut self, id: JobId, submission: Submission, body: Vec<u8>) -> Job {
        let accepted =
            Line { event: "accepted", at: self.now, actor: format!("sender:{}", submission.account) };
        let job = Job::accepted(id, self.now, submission);
        let (history, draft) = (vec![accepted], Default::default());
        self.jobs.push(ModelJob { job: job.clone(), body, history, draft, answers: None });
        job
    }

    /// Something happens to a job; the job as it is then, none if it is not possible.
    pub(crate) fn happen(&mut self, id: JobId, event: &JobEvent, actor: &str) -> Option<Job> {
        let now = self.now;
        let original = match event {
            JobEvent::FoundDuplicate { of } => self.job(*of).answers.clone(),
            _ => None,
        };
        let known = self.job_mut(id);
        if !table::happen(&mut known.job, event, now) {
            return None;
        }
        known.history.push(Line { event: event.name(), at: now, actor: actor.to_owned() });
        match event {
            JobEvent::Completed { .. } | JobEvent::Refused { .. } => {
                known.answers = Some(known.draft.clone());
            }
            JobEvent::FoundDuplicate { .. } => known.answers = original,
            JobEvent::Requeued { .. } => known.answers = None,
            _ => {}
        }
        Some(known.job.clone())
    }

    /// The workers of all jobs in hand are gone; how many there were. A job that this happens to again
    /// and again, without getting any further, is itself suspected.
    pub(crate) fn interrupt(&mut self) -> u64 {
        let in_hand = |known: &&ModelJob| known.job.state == JobState::Processing;
        let lost: Vec<Job> = self.jobs.iter().filter(in_hand).map(|known| known.job.clone()).collect();
        for job in &lost {
            let event = RetryPolicy::default().after_interruption(job.interruptions);
            self.happen(job.id, &event, "tidegate").unwrap();
        }
        lost.len() as u64
    }

    /// The job of an organization that is next: the first that waits, unless another is in hand.
    pub(crate) fn head(&self, org: &OrgCode) -> Option<&Job> {
        let mut lane = self.jobs.iter().map(|known| &known.job).filter(|job| job.submission.org == *org);
        if lane.clone().any(|job| job.state == JobState::Processing) {
            return None;
        }
        lane.find(|job| table::waits(job))
    }

    /// The organizations that have something to claim now.
    pub(crate) fn claimable(&self) -> BTreeSet<OrgCode> {
        let is_claimable = |org: &OrgCode| {
            self.head(org).is_some_and(|job| table::is_due(job, self.now)) && self.gate.is_open(self.now, org)
        };
        orgs().filter(is_claimable).collect()
    }

    /// When, by time alone, something can be claimed, if nothing can be now.
    pub(crate) fn next_claimable(&self) -> Option<DateTime<Utc>> {
        let next_of = |org: OrgCode| {
            let head = self.head(&org)?;
            let due = head.not_before.filter(|_| !table::is_due(head, self.now)).unwrap_or(self.now);
            self.gate.opens(due, &org)
        };
        orgs().filter_map(next_of).min()
    }

    /// Whether a job is answered as this original was, or as nothing before it. A file of which nothing
    /// was delivered is nobody's original: it may be sent again.
    pub(crate) fn is_original(&self, job: &Job, original: Option<JobId>) -> bool {
        let body = &self.job(job.id).body;
        let is_twin = |known: &&ModelJob| {
            known.job.state == JobState::Complete
                && !matches!(known.job.outcome, Some(Outcome::Rejected | Outcome::Tested))
                && known.job.submission.org == job.submission.org
                && known.body == *body
        };
        let mut twins = self.jobs.iter().filter(is_twin).map(|known| known.job.id);
        match original {
            Some(original) => twins.any(|id| id == original),
            // Of several twins the store knows the last one; with it they are forgotten.
            None => twins.next().is_none() || self.retention.purged_bodies.contains(body),
        }
    }
}
