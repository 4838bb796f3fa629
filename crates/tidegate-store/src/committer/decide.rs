//! Which changes follow from a command, by the state that stands.

use std::io;

use chrono::{DateTime, Utc};
use tidegate_domain::job::{HistoryEntry, Job, JobEvent, JobState, RetryPolicy, Submission};
use tidegate_domain::maintenance::GateState;
use tidegate_domain::{JobId, OrgCode, Terms};

use super::Committer;
use super::batch::Waiter;
use super::command::{Command, Reply};
use crate::backup;
use crate::error::StoreError;
use crate::journal::{AppendError, Item};
use crate::record::{Change, Entry, Purged};

impl Committer {
    pub(super) fn decide(&mut self, command: Command) {
        match command {
            Command::Accept { id, submission, payload, is_call, reply } => {
                // One look at the clock, so that the journal shows of each call that its gate was open.
                let at = self.core.clock.now();
                match self.may_accept(&submission, is_call, at) {
                    Ok(()) => self.accept(at, id, submission, payload, is_call, reply),
                    Err(error) => drop(reply.send(Err(error))),
                }
            }
            Command::Claim { jobs_max, reply } => self.claim(jobs_max, reply),
            Command::Change { id, fence, event, actor, reply } => {
                match self.check_change(id, fence, &event) {
                    Ok(()) => {
                        self.batch.moves_jobs();
                        let item = self.push_job(id, event, actor);
                        self.batch.wait(Waiter::Job { item, reply });
                    }
                    Err(error) => drop(reply.send(Err(error))),
                }
            }
            Command::Maintenance { change, actor, reply } => {
                self.batch.moves_jobs();
                self.batch.moves_gate();
                self.push(Change::Maintenance(change), actor);
                self.batch.wait(Waiter::Nothing { reply });
            }
            Command::Backup { reply } => {
                if reply.send(self.begin_backup()).is_err() {
                    self.core.spool.keep_no_more_answers();
                }
            }
            Command::LegalHold { change, actor, reply } => {
                self.push(Change::LegalHold(change), actor);
                self.batch.wait(Waiter::Nothing { reply });
            }
            Command::Purge { ids, terms, now, reply } => self.purge(ids, terms, now, reply),
            Command::Verify { reply } => drop(reply.send(self.verify())),
            Command::Answer { reply } => drop(reply.send(Ok(()))),
            Command::Close => {}
        }
    }

    /// Nothing more is accepted while the spool can't take what was: until then it lies in memory.
    fn may_accept(
        &self,
        submission: &Submission,
        is_call: bool,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if self.core.spool.deferred.is_refused_still() {
            let source = io::Error::other("earlier ones can't be written to the spool");
            return Err(StoreError::Io { doing: "taking an upload", source });
        }
        if is_call { self.may_call(submission, at) } else { Ok(()) }
    }

    /// A call is taken while its organization's gate is open, and not a second time while the first is not over:
    /// its sender may have lost patience with that one.
    fn may_call(&self, call: &Submission, at: DateTime<Utc>) -> Result<(), StoreError> {
        if !self.core.gatekeeper.now().gate_now(at, Some(&call.org)).claims_allowed {
            return Err(StoreError::GateClosed);
        }
        let reader = self.core.reader()?;
        let same_name = reader.newest_in_inbox(&call.org, &call.name)?;
        let same_name = same_name.map(|id| reader.job(id)).transpose()?.flatten();
        match same_name.filter(|job| job.submission.sha256 == call.sha256 && !job.state.is_final()) {
            Some(job) => Err(StoreError::Underway(job.id)),
            None => Ok(()),
        }
    }

    /// A call is claimed in the same breath, past its organization's lane.
    fn accept(
        &mut self,
        at: DateTime<Utc>,
        id: JobId,
        submission: Submission,
        payload: Option<Vec<u8>>,
        is_call: bool,
        reply: Reply<Job>,
    ) {
        let (actor, sha256) = (format!("sender:{}", submission.account), submission.sha256);
        let accepted = Change::Job { id, event: JobEvent::Accepted(submission) };
        let mut item = self.push_at(at, accepted, actor, payload);
        if is_call {
            self.batch.has_call(sha256);
            item = self.push_job(id, JobEvent::Claimed, "worker".to_owned());
        }
        self.batch.wait(Waiter::Job { item, reply });
    }

    /// Whether the index adds up, once it has everything.
    fn verify(&mut self) -> Result<bool, StoreError> {
        if self.index.has_room() { self.index.adds_up() } else { Err(StoreError::NoSpace) }
    }

    /// Ends the segment, so that all changes up to now lie in closed ones, which nobody writes to.
    fn begin_backup(&mut self) -> Result<backup::Point, StoreError> {
        if self.writer.first_seq() < self.next_seq {
            self.writer.end_segment();
            self.roll_if_full().map_err(|error| self.refused(error))?;
        }
        self.core.spool.keep_answers_from_now_on();
        let mark = self.index.mark();
        let jobs = JobState::ALL.iter().map(|state| mark.count(*state)).sum();
        Ok(backup::Point { seq: self.next_seq - 1, at: self.core.clock.now(), jobs })
    }

    fn refused(&self, error: AppendError) -> StoreError {
        match error {
            AppendError::Refused(error) => StoreError::io("beginning a segment of the journal")(error),
            AppendError::Unknown(error) => {
                self.core.poison("beginning a segment of the journal", &error);
                StoreError::Poisoned
            }
        }
    }

    fn check_change(&self, id: JobId, fence: Option<u64>, event: &JobEvent) -> Result<(), StoreError> {
        let mut job = self.core.reader()?.job(id)?.ok_or(StoreError::UnknownJob)?;
        if fence.is_some_and(|fence| job.state != JobState::Processing || job.fence != fence) {
            return Err(StoreError::StaleClaim);
        }
        let (seq, at) = (self.next_seq, self.core.clock.now());
        if matches!(event, JobEvent::Requeued { .. }) {
            let kept = self.core.spool.keep_answers(&job);
            kept.map_err(StoreError::io("keeping an answer for the backup that runs"))?;
            // What begins anew is asked for anew.
            if job.state != JobState::Exception {
                let outcomes = self.core.layout.outcomes(&job.submission.org, id);
                let removed = self.core.disk().remove_once(&outcomes);
                removed.map_err(StoreError::io("removing what a registry answered"))?;
            }
        }
        job.apply(&HistoryEntry { seq, at, actor: String::new(), event: event.clone() })?;
        Ok(())
    }

    fn claim(&mut self, jobs_max: usize, reply: Reply<Vec<Job>>) {
        let reaped = self.reap();
        self.core.spool.deferred.is_refused_still();
        let start = self.batch.items().len();
        let now = self.core.clock.now();
        let maintenance = self.core.gatekeeper.now();
        let turn = self.core.lanes().turn();
        let mut is_trial_given = false;
        for org in turn {
            if self.batch.items().len() - start >= jobs_max {
                break;
            }
            let gate = maintenance.gate_now(now, Some(&org));
            // A closed gate that lets something through wants a target tried, for which one file is enough.
            let is_trial = gate.state == GateState::Closed;
            if !gate.claims_allowed || is_trial && is_trial_given {
                continue;
            }
            match self.head_of(&org, now) {
                Ok(Some(id)) => {
                    is_trial_given |= is_trial;
                    self.push_job(id, JobEvent::Claimed, "worker".to_owned());
                    let mut lanes = self.core.lanes();
                    lanes.set_busy(&org, id);
                    lanes.served(&org);
                }
                Ok(None) => {}
                Err(error) => tracing::error!(%org, %error, "lane could not be read"),
            }
        }
        let items = start..self.batch.items().len();
        if items.is_empty() && !reaped {
            drop(reply.send(Ok(Vec::new())));
        } else {
            self.batch.moves_jobs();
            self.batch.wait(Waiter::Jobs { items, reply });
        }
    }

    /// The first job of a lane that is not parked, if it is due. A job that waits for its next attempt
    /// keeps those behind it waiting, so that files of one organization stay in order.
    fn head_of(&self, org: &OrgCode, now: DateTime<Utc>) -> Result<Option<JobId>, StoreError> {
        let from = self.core.lanes().first(org);
        let Some(id) = self.core.reader()?.first_waiting(org, from)? else { return Ok(None) };
        let deferred = &self.core.spool.deferred;
        deferred.write(id);
        // Without its bytes no worker could do anything.
        if deferred.is_refused(id) {
            return Ok(None);
        }
        let job = self.core.reader()?.job(id)?.ok_or(StoreError::UnknownJob)?;
        let due = job.is_due(now);
        let mut lanes = self.core.lanes();
        lanes.set_first(org, id);
        lanes.set_not_before(org, job.not_before.filter(|_| !due));
        Ok(due.then_some(id))
    }

    /// Takes jobs back whose worker let its lease run out; whether there were any.
    fn reap(&mut self) -> bool {
        let now = self.core.clock.instant();
        let lost: Vec<JobId> = {
            let leases = self.core.leases();
            leases.iter().filter(|(_, lease)| lease.ends <= now).map(|(id, _)| *id).collect()
        };
        let before = self.batch.items().len();
        for id in lost {
            let Ok(Some(job)) = self.core.reader().and_then(|reader| reader.job(id)) else { continue };
            let event = RetryPolicy::default().after_interruption(job.interruptions);
            if self.check_change(id, None, &event).is_ok() {
                tracing::warn!(job = %id, "lease ran out");
                self.push_job(id, event, "tidegate".to_owned());
                self.batch.moves_jobs();
            }
        }
        self.batch.items().len() > before
    }

    /// Looks at each job once more: staff may have requeued it or placed a legal hold since it was found.
    fn purge(&mut self, ids: Vec<JobId>, terms: Terms, now: DateTime<Utc>, reply: Reply<Vec<JobId>>) {
        let due: Result<Vec<Option<Purged>>, _> =
            ids.into_iter().map(|id| self.core.due(id, terms, now)).collect();
        let due: Vec<Purged> = match due {
            Ok(due) => due.into_iter().flatten().collect(),
            Err(error) => return drop(reply.send(Err(error))),
        };
        let ids: Vec<JobId> = due.iter().map(|purged| purged.id).collect();
        if ids.is_empty() {
            return drop(reply.send(Ok(ids)));
        }
        for purged in due {
            self.push(Change::Purged(purged), "tidegate".to_owned());
        }
        self.batch.wait(Waiter::Purged { ids, reply });
    }

    fn push_job(&mut self, id: JobId, event: JobEvent, actor: String) -> usize {
        self.push(Change::Job { id, event }, actor)
    }

    fn push(&mut self, change: Change, actor: String) -> usize {
        self.push_at(self.core.clock.now(), change, actor, None)
    }

    fn push_at(
        &mut self,
        at: DateTime<Utc>,
        change: Change,
        actor: String,
        payload: Option<Vec<u8>>,
    ) -> usize {
        let seq = self.next_seq + self.batch.items().len() as u64;
        let entry = Entry { seq, at, actor, change };
        self.batch.push(Item { entry, payload })
    }
}
