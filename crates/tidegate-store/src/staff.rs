//! The staff's side: look at jobs, move them, and steer the gate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::job::{HistoryEntry, Job, JobEvent, JobState, Outcome};
use tidegate_domain::maintenance::{Calendar, Downstream, Hold, Override, Window};
use tidegate_domain::{JobId, NamePattern, OrgCode};

use crate::Store;
use crate::committer::Command;
use crate::error::StoreError;
use crate::maintenance::Maintenance;
use crate::record::MaintenanceChange;

/// No job is accepted so long after its id was made, unless the wall clock is set meanwhile.
const MADE_BEFORE_ACCEPTED_MAX: TimeDelta = TimeDelta::days(1);

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this organization's.
    pub org: Option<OrgCode>,
    /// Only those in one of these states; if there are none, in any.
    pub states: Vec<JobState>,
    /// Only complete ones that ended so.
    pub outcome: Option<Outcome>,
    /// Only those accepted at or after this instant.
    pub since: Option<DateTime<Utc>>,
    /// Only those accepted before this instant.
    pub until: Option<DateTime<Utc>>,
    /// Only those whose upload has such a name.
    pub name: Option<NamePattern>,
    /// Only those behind this one in the list; it need not be there any more.
    pub after: Option<JobId>,
    /// At most so many, the newest first.
    pub limit: usize,
}

impl Filter {
    fn fits(&self, job: &Job) -> bool {
        (self.states.is_empty() || self.states.contains(&job.state))
            && self.outcome.is_none_or(|ended| job.state == JobState::Complete && job.outcome == Some(ended))
            && self.since.is_none_or(|since| job.received_at >= since)
            && self.until.is_none_or(|until| job.received_at < until)
            && self.name.as_ref().is_none_or(|name| name.matches(job.submission.name.as_bytes()))
    }
}

/// The store at one glance.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// How many jobs are in each state; every state is there.
    pub by_state: BTreeMap<JobState, u64>,
    /// When the job that waits longest was accepted.
    pub oldest_waiting_at: Option<DateTime<Utc>>,
    /// Jobs finished a second, lately.
    pub finished_per_s: f64,
    /// Organizations with jobs that wait, and how many.
    pub lanes: Vec<(OrgCode, u64)>,
}

/// What an organization has in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneState {
    /// Whose it is.
    pub org: OrgCode,
    /// Files that wait.
    pub waiting: u64,
    /// Whether a worker has one of its files in hand.
    pub in_hand: bool,
    /// When the first file that waits was accepted.
    pub oldest_at: Option<DateTime<Utc>>,
}

impl Store {
    /// A job.
    pub fn get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.core.reader()?.job(id)
    }

    /// Jobs, the newest first.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Job>, StoreError> {
        let mut jobs = Vec::new();
        self.visit(filter, |job| {
            jobs.push(job);
            Ok(())
        })?;
        Ok(jobs)
    }

    /// Shows the jobs that [`Self::list`] would give one by one, so that no more than one is in memory.
    pub fn visit(
        &self,
        filter: &Filter,
        mut show: impl FnMut(Job) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (mut shown, mut last) = (0, None);
        let reader = self.core.reader()?;
        let ids: Box<dyn Iterator<Item = _>> = match &filter.org {
            Some(org) => Box::new(reader.newest_of(org, &filter.states, filter.after)),
            None => Box::new(reader.newest(&filter.states, filter.after)),
        };
        for id in ids {
            if shown >= filter.limit {
                break;
            }
            let id = id?;
            if filter.since.is_some_and(|since| id.made_at() + MADE_BEFORE_ACCEPTED_MAX < since) {
                break;
            }
            if last.replace(id) == Some(id) {
                continue;
            }
            let Some(job) = self.core.reader()?.job(id)? else { continue };
            // It may have gone on since its key was read.
            if filter.fits(&job) {
                shown += 1;
                show(job)?;
            }
        }
        Ok(())
    }

    /// Everything that happened to a job, from its acceptance on.
    pub fn history(&self, id: JobId) -> Result<Vec<HistoryEntry>, StoreError> {
        let job = self.core.reader()?.job(id)?.ok_or(StoreError::UnknownJob)?;
        let accepted = HistoryEntry {
            seq: 0,
            at: job.received_at,
            actor: format!("sender:{}", job.submission.account),
            event: JobEvent::Accepted(job.submission),
        };
        let mut history = vec![accepted];
        history.extend(self.core.reader()?.history(id)?);
        Ok(history)
    }

    /// Counts, age and speed.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let mark = self.core.reader()?.mark()?;
        let count = |state: &JobState| mark.as_ref().map_or(0, |mark| mark.count(*state));
        let lanes: Vec<(OrgCode, u64)> =
            self.core.lanes().waiting().map(|(org, waiting)| (org.clone(), waiting)).collect();
        Ok(Stats {
            by_state: JobState::ALL.iter().map(|state| (*state, count(state))).collect(),
            oldest_waiting_at: self.oldest_waiting(&lanes)?,
            finished_per_s: self.core.drain().per_second(Instant::now()),
            lanes,
        })
    }

    /// How many of the organization's files wait to be processed. Answers at once.
    pub fn files_waiting(&self, org: &OrgCode) -> u64 {
        self.core.lanes().waiting_of(org)
    }

    fn oldest_waiting(&self, lanes: &[(OrgCode, u64)]) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut oldest = None;
        for (org, _) in lanes {
            oldest = oldest.into_iter().chain(self.oldest_waiting_of(org)?).min();
        }
        Ok(oldest)
    }

    fn oldest_waiting_of(&self, org: &OrgCode) -> Result<Option<DateTime<Utc>>, StoreError> {
        let from = self.core.lanes().first(org);
        let Some(id) = self.core.reader()?.first_waiting(org, from)? else { return Ok(None) };
        Ok(self.core.reader()?.job(id)?.map(|job| job.received_at))
    }

    /// What each organization has in the queue, by its code; those with nothing are left out.
    pub fn lanes(&self) -> Result<Vec<LaneState>, StoreError> {
        let lane = |(org, waiting, in_hand): (&OrgCode, u64, bool)| (org.clone(), waiting, in_hand);
        let lanes: Vec<_> = self.core.lanes().all().map(lane).collect();
        let state = |(org, waiting, in_hand)| {
            Ok(LaneState { oldest_at: self.oldest_waiting_of(&org)?, org, waiting, in_hand })
        };
        lanes.into_iter().map(state).collect()
    }

    /// Parks, releases, cancels or requeues a job, or notes that its upload was read. Whatever else may
    /// happen to a job is for whoever has its claim.
    pub async fn act(&self, id: JobId, action: JobEvent, actor: &str) -> Result<Job, StoreError> {
        if !action.is_by_staff() {
            return Err(StoreError::StaleClaim);
        }
        let actor = format!("staff:{actor}");
        self.ask(|reply| Command::Change { id, fence: None, event: action, actor, reply }).await
    }

    /// Whether an action would be possible, without doing it.
    pub fn would_allow(&self, id: JobId, action: &JobEvent) -> Result<(), StoreError> {
        let mut job = self.core.reader()?.job(id)?.ok_or(StoreError::UnknownJob)?;
        let (at, event) = (self.core.clock.now(), action.clone());
        Ok(job.apply(&HistoryEntry { seq: 0, at, actor: String::new(), event })?)
    }

    /// Replaces the windows and settings of the configuration.
    pub fn set_calendar(&self, configured: Calendar) {
        self.core.gatekeeper.set_configured(configured);
        self.core.wakeup.notify_one();
    }

    /// Says which targets are away. Not kept over a restart.
    pub fn set_downstream(&self, downstream: Vec<Downstream>) {
        if self.core.gatekeeper.set_downstream(downstream) {
            self.core.wakeup.notify_one();
        }
    }

    /// Windows, overrides and holds as they stand, and targets that are away.
    pub fn maintenance(&self) -> Arc<Maintenance> {
        self.core.gatekeeper.now()
    }

    /// Announces a window.
    pub async fn add_window(&self, window: Window, actor: &str) -> Result<(), StoreError> {
        self.change_maintenance(MaintenanceChange::WindowAdded(window), actor).await
    }

    /// Takes a window of staff back, with what was changed about it.
    pub async fn remove_window(&self, name: &str, reason: &str, actor: &str) -> Result<(), StoreError> {
        let change = MaintenanceChange::WindowRemoved { name: name.to_owned(), reason: reason.to_owned() };
        self.change_maintenance(change, actor).await
    }

    /// Places a hold.
    pub async fn place_hold(&self, hold: Hold) -> Result<(), StoreError> {
        let actor = hold.actor.clone();
        self.change_maintenance(MaintenanceChange::HoldPlaced(hold), &actor).await
    }

    /// Releases the holds of one organization, or the global ones; those that stood.
    pub async fn release_holds(
        &self,
        org: Option<&OrgCode>,
        actor: &str,
        reason: &str,
    ) -> Result<Vec<Hold>, StoreError> {
        let now = self.core.clock.now();
        let stood = |hold: &&Hold| hold.org.as_ref() == org && hold.until.is_none_or(|until| until > now);
        let holds: Vec<Hold> = self.maintenance().holds.iter().filter(stood).cloned().collect();
        if !holds.is_empty() {
            let change = MaintenanceChange::HoldsReleased { org: org.cloned(), reason: reason.to_owned() };
            self.change_maintenance(change, actor).await?;
        }
        Ok(holds)
    }

    /// Changes one occurrence of a window.
    pub async fn override_window(&self, change: Override, actor: &str) -> Result<(), StoreError> {
        self.change_maintenance(MaintenanceChange::Overridden(change), actor).await
    }

    async fn change_maintenance(&self, change: MaintenanceChange, actor: &str) -> Result<(), StoreError> {
        let actor = format!("staff:{actor}");
        self.ask(|reply| Command::Maintenance { change, actor, reply }).await
    }
}
