//! What each change does to the index.

use tidegate_domain::job::{HistoryEntry, Job, JobEvent, JobState, Outcome, Submission};
use tidegate_domain::{JobId, LegalHold, job};

use super::{InboxFile, Index, keys};
use crate::error::StoreError;
use crate::maintenance::StaffChanges;
use crate::record::{Change, Entry, LegalHoldChange, Purged};

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
    /// A job is gone; its files have to follow.
    Purged {
        /// What has to be known of it.
        purged: Purged,
        /// Changes of it that there were, this one included.
        changes: u64,
    },
    /// Legal holds changed.
    LegalHolds,
}

impl Index {
    /// Collects the effect of one change; [`Index::commit`] writes it.
    pub(crate) fn apply(&mut self, entry: &Entry) -> Result<Applied, StoreError> {
        self.mark.last_change = entry.fingerprint();
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
            Change::Purged(purged) => self.purge(purged),
            Change::LegalHold(change) => {
                let mut holds: Vec<LegalHold> = self.get(keys::LEGAL_HOLDS)?.unwrap_or_default();
                apply_legal_hold(&mut holds, entry, change);
                self.put(keys::LEGAL_HOLDS.to_vec(), &holds)?;
                Ok(Applied::LegalHolds)
            }
        }
    }

    fn accept(&mut self, id: JobId, entry: &Entry, submission: Submission) -> Result<Applied, StoreError> {
        let job = Job::accepted(id, entry.at, submission);
        self.mark.highest_id = self.mark.highest_id.max(Some(id));
        self.store(None, &job)?;
        Ok(Applied::Job { before: None, job: Box::new(job) })
    }

    /// Takes every key away that leads to a job. One that is not there was taken away before, or its
    /// beginning left the journal because this change was to follow.
    fn purge(&mut self, purged: &Purged) -> Result<Applied, StoreError> {
        self.mark.highest_id = self.mark.highest_id.max(Some(purged.id));
        let mut changes = 1;
        if let Some(job) = self.job(purged.id)? {
            let org = &job.submission.org;
            let digest = keys::digest_key(org, &job.submission.sha256);
            if self.get(&digest)? == Some(job.id) {
                self.delete(digest);
            }
            self.delete(keys::lane_key(org, job.id));
            self.delete(keys::done_key(org, job.id));
            self.delete(keys::inbox_key(org, &job.submission.name, job.id));
            self.delete(keys::state_key(job.state, job.id));
            self.mark.remove(job.state);
            // Its acceptance stands in the journal but not in the history.
            changes += 1 + self.delete_history(job.id)?;
            self.delete(keys::job_key(job.id));
        }
        Ok(Applied::Purged { purged: purged.clone(), changes })
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
            self.put_bytes(keys::done_key(org, job.id), vec![keys::state_byte(job.state)]);
        } else {
            self.put_bytes(lane, vec![keys::state_byte(job.state)]);
            if before.is_some_and(JobState::is_final) {
                self.delete(keys::done_key(org, job.id));
            }
            if before.is_none_or(JobState::is_final) {
                let file = InboxFile { size_bytes: job.submission.size_bytes, received_at: job.received_at };
                self.put(inbox, &file)?;
            }
        }
        // A file of which nothing was delivered may be sent again, once whatever was wrong is mended.
        let is_delivered = !job.outcome.is_some_and(Outcome::delivered_nothing);
        if job.state == JobState::Complete && is_delivered {
            self.put(keys::digest_key(org, &job.submission.sha256), &job.id)?;
        }
        Ok(())
    }
}

fn apply_legal_hold(holds: &mut Vec<LegalHold>, entry: &Entry, change: &LegalHoldChange) {
    match change {
        LegalHoldChange::Placed { org, reason } => holds.push(LegalHold {
            org: org.clone(),
            reason: reason.clone(),
            actor: entry.actor.clone(),
            placed_at: entry.at,
        }),
        LegalHoldChange::Released { org, .. } => holds.retain(|hold| hold.org != *org),
    }
}
