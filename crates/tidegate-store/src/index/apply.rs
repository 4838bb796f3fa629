//! What each change does to the index.

use tidegate_domain::job::{HistoryEntry, Job, JobEvent, JobState, Outcome, Submission};
use tidegate_domain::{JobId, job};

use super::{InboxFile, Index, keys};
use crate::error::StoreError;
use crate::maintenance::StaffChanges;
use crate::record::{Change, Entry};

/// What a change came to.
#[derive(Debug)]
pub(crate) enum Applied {
    /// A job was made or changed.
    Job {
        /// Its state before; none for a new job.
        before: Option<JobState>,
        /// The job now.
        job: Box<Job>,
    },
    /// Windows, overrides or holds changed.
    Maintenance(StaffChanges),
}

impl Index {
    /// Collects the effect of one change; [`Index::commit`] writes it.
    pub(crate) fn apply(&mut self, entry: &Entry) -> Result<Applied, StoreError> {
        match &entry.change {
            Change::Job { id, event: JobEvent::Accepted(submission) } => {
                self.accept(*id, entry, submission.clone())
            }
            Change::Job { id, event } => self.change(*id, entry, event),
            Change::Maintenance(change) => {
                let mut staff: StaffChanges = self.get(keys::MAINTENANCE)?.unwrap_or_default();
                staff.apply(entry, change);
                self.put(keys::MAINTENANCE.to_vec(), &staff)?;
                Ok(Applied::Maintenance(staff))
            }
        }
    }

    fn accept(&mut self, id: JobId, entry: &Entry, submission: Submission) -> Result<Applied, StoreError> {
        let job = Job::accepted(id, entry.at, submission);
        self.store(None, &job)?;
        Ok(Applied::Job { before: None, job: Box::new(job) })
    }

    fn change(&mut self, id: JobId, entry: &Entry, event: &job::JobEvent) -> Result<Applied, StoreError> {
        let mut job = self.job(id)?.ok_or(StoreError::UnknownJob)?;
        let before = job.state;
        let line =
            HistoryEntry { seq: entry.seq, at: entry.at, actor: entry.actor.clone(), event: event.clone() };
        job.apply(&line)?;
        self.put(keys::history_key(id, entry.seq), &line)?;
        self.store(Some(before), &job)?;
        Ok(Applied::Job { before: Some(before), job: Box::new(job) })
    }

    /// Writes a job and every key that leads to it.
    fn store(&mut self, before: Option<JobState>, job: &Job) -> Result<(), StoreError> {
        self.put(keys::job_key(job.id), job)?;
        if before == Some(job.state) {
            return Ok(());
        }
        if let Some(before) = before {
            self.delete(keys::state_key(before, job.id));
            self.mark.remove(before);
        }
        self.put_bytes(keys::state_key(job.state, job.id), Vec::new());
        self.mark.add(job.state);
        self.store_places(before, job)
    }

    fn store_places(&mut self, before: Option<JobState>, job: &Job) -> Result<(), StoreError> {
        let org = &job.submission.org;
        let lane = keys::lane_key(org, job.id);
        let inbox = keys::inbox_key(org, &job.submission.name, job.id);
        if job.state.is_final() {
            self.delete(lane);
            self.delete(inbox);
        } else {
            self.put_bytes(lane, vec![keys::state_byte(job.state)]);
            if before.is_none_or(JobState::is_final) {
                let file = InboxFile { size_bytes: job.submission.size_bytes, received_at: job.received_at };
                self.put(inbox, &file)?;
            }
        }
        // A file of which nothing was accepted may be sent again, once whatever was wrong is mended.
        if job.state == JobState::Complete && job.outcome != Some(Outcome::Rejected) {
            self.put(keys::digest_key(org, &job.submission.sha256), &job.id)?;
        }
        Ok(())
    }
}
