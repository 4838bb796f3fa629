//! The organizations' directories: a view of the jobs, kept true by the committer and at start.
//!
//! Invariant: [`Spool::settle`] depends on the job alone and may be repeated at will, so that it
//! serves a running store and the repair after a crash alike.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidegate_disk::Disk;
use tidegate_domain::job::{Job, JobState};
use tidegate_domain::{JobId, OrgCode};

use crate::deferred::Deferred;
use crate::layout::{Answer, Layout, Place};
use crate::record::Purged;

/// The directories of all organizations.
#[derive(Debug)]
pub(crate) struct Spool {
    disk: Disk,
    layout: Layout,
    /// Files that are yet to be written.
    pub(crate) deferred: Deferred,
    made: Mutex<HashSet<OrgCode>>,
    /// Jobs whose answers have a second name for the backup that runs; none while none runs.
    kept: Mutex<Option<HashSet<JobId>>>,
}

impl Spool {
    pub(crate) fn new(disk: Disk, layout: Layout) -> Self {
        let deferred = Deferred::new(disk.clone(), layout.clone());
        Self { disk, layout, deferred, made: Mutex::default(), kept: Mutex::default() }
    }

    /// Whether an organization has its directories, as far as uploads need them: somebody may have removed one.
    pub(crate) fn is_prepared(&self, org: &OrgCode) -> bool {
        let is_made = self.made.lock().unwrap_or_else(PoisonError::into_inner).contains(org);
        is_made && self.layout.place(org, Place::Incoming).is_dir()
    }

    /// Makes an organization's directories, durably.
    pub(crate) fn prepare(&self, org: &OrgCode) -> io::Result<()> {
        let home = self.layout.org(org);
        for place in Place::ALL {
            self.disk.create_dir_all(&self.layout.place(org, place))?;
        }
        self.disk.create_dir_all(&self.layout.outbox_of(org))?;
        self.disk.create_dir_all(&self.layout.staged_of(org))?;
        self.disk.sync_dir(&home)?;
        self.disk.sync_dir(&self.layout.orgs())?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(org.clone());
        Ok(())
    }

    /// A backup has its instant now.
    pub(crate) fn keep_answers_from_now_on(&self) {
        self.kept().get_or_insert_default();
    }

    /// Gives the answers of a job that goes into the queue again a second name while a backup runs: its
    /// worker will put others in their place.
    pub(crate) fn keep_answers(&self, job: &Job) -> io::Result<()> {
        let mut kept = self.kept();
        let Some(kept) = kept.as_mut().filter(|kept| job.has_response() && !kept.contains(&job.id)) else {
            return Ok(());
        };
        for answer in Answer::ALL {
            let path = self.layout.answer(&job.submission.org, job.id, answer);
            match self.disk.link_once(&path, &self.layout.kept_answer(job.id, answer)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        kept.insert(job.id);
        Ok(())
    }

    /// The backup is over.
    pub(crate) fn keep_no_more_answers(&self) {
        for id in self.kept().take().unwrap_or_default() {
            for answer in Answer::ALL {
                // What stays is removed by the next start.
                drop(self.disk.remove_once(&self.layout.kept_answer(id, answer)));
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Option<HashSet<JobId>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a job's bytes belong.
    pub(crate) fn place_of(state: JobState) -> Place {
        match state {
            JobState::Queued
            | JobState::Processing
            | JobState::Retrying
            | JobState::Held
            | JobState::Exception => Place::Incoming,
            JobState::Complete | JobState::Duplicate | JobState::Cancelled => Place::Archive,
            JobState::Error => Place::Error,
        }
    }

    /// Writes bytes back that the journal has, whatever the spool has of them: after a power cut a file
    /// may be long enough and hold zeros, and after a failed sync it may read well and not be on disk. One
    /// that is long enough is not emptied before, so that it is whole at every moment if it was.
    pub(crate) fn restore_payload(&self, job: &Job, bytes: &[u8]) -> io::Result<()> {
        let org = &job.submission.org;
        match self.find_payload(job) {
            Some(place) => self.disk.overwrite(&self.layout.payload(org, place, job.id), 0, bytes).map(drop),
            None => self.disk.write(&self.layout.payload(org, Self::place_of(job.state), job.id), bytes),
        }
    }

    /// Where the job's bytes lie, if they lie anywhere.
    pub(crate) fn find_payload(&self, job: &Job) -> Option<Place> {
        self.deferred.write(job.id);
        let expected = Self::place_of(job.state);
        let has = |place: &Place| {
            let path = self.layout.payload(&job.submission.org, *place, job.id);
            fs::symlink_metadata(path).is_ok_and(|file| file.len() == job.submission.size_bytes)
        };
        Some(expected).filter(has).or_else(|| Place::ALL.into_iter().find(has))
    }

    /// Puts the job's bytes where its state says, and its answers into the sender's outbox.
    pub(crate) fn settle(&self, before: Option<JobState>, job: &Job) -> io::Result<()> {
        self.move_payload(before, job)?;
        if job.has_response() {
            return self.publish(job);
        }
        let was_answered = before.is_none_or(|state| matches!(state, JobState::Error | JobState::Complete));
        if was_answered { self.withdraw(job) } else { Ok(()) }
    }

    fn move_payload(&self, before: Option<JobState>, job: &Job) -> io::Result<()> {
        let to = Self::place_of(job.state);
        if self.deferred.redirect(job.id, to) {
            return Ok(());
        }
        let from = match before {
            Some(before) => Self::place_of(before),
            None => self.find_payload(job).unwrap_or(to),
        };
        if from == to {
            return Ok(());
        }
        let org = &job.submission.org;
        self.disk.rename_once(&self.layout.payload(org, from, job.id), &self.layout.payload(org, to, job.id))
    }

    /// Takes the answers of a refused job back, which staff put into the queue again.
    fn withdraw(&self, job: &Job) -> io::Result<()> {
        let org = &job.submission.org;
        for answer in Answer::ALL {
            self.disk.remove_once(&self.layout.published(org, &job.submission.name, job.id, answer))?;
        }
        Ok(())
    }

    /// Links the answers that the sender has not deleted into its outbox; removes those it has. Whoever was answered
    /// at once looks for nothing there.
    fn publish(&self, job: &Job) -> io::Result<()> {
        let org = &job.submission.org;
        self.keep_answers_of_original(job)?;
        if job.submission.protocol.is_answered_at_once() {
            return Ok(());
        }
        for answer in Answer::ALL {
            let deleted = match answer {
                Answer::Response => job.response_deleted,
                Answer::Report => job.report_deleted,
            };
            let published = self.layout.published(org, &job.submission.name, job.id, answer);
            if deleted {
                self.disk.remove_once(&published)?;
            } else {
                self.disk.link_once(&self.layout.answer(org, job.id, answer), &published)?;
            }
        }
        Ok(())
    }

    /// Gives a duplicate links of its own to the answers of its original, so that it needs nobody else.
    pub(crate) fn link_answers(&self, org: &OrgCode, original: JobId, id: JobId) -> io::Result<()> {
        for answer in Answer::ALL {
            let from = self.layout.answer(org, original, answer);
            self.disk.link_once(&from, &self.layout.answer(org, id, answer))?;
        }
        Ok(())
    }

    /// The links of a duplicate that has none: a version before this one made them in the outbox only.
    fn keep_answers_of_original(&self, job: &Job) -> io::Result<()> {
        let Some(original) = job.duplicate_of else { return Ok(()) };
        let org = &job.submission.org;
        let is_there = |answer| fs::symlink_metadata(self.layout.answer(org, job.id, answer)).is_ok();
        if Answer::ALL.into_iter().all(is_there) {
            return Ok(());
        }
        self.link_answers(org, original, job.id)
    }

    /// Removes everything of a job that was purged, wherever a crash may have left it. May take long for
    /// a large upload.
    pub(crate) fn remove_all_of(&self, purged: &Purged) -> io::Result<()> {
        let Purged { id, org, name } = purged;
        self.deferred.forget(*id);
        for answer in Answer::ALL {
            self.disk.remove_once(&self.layout.published(org, name, *id, answer))?;
            self.disk.remove_once(&self.layout.answer(org, *id, answer))?;
        }
        self.disk.remove_once(&self.layout.report_part(org, *id))?;
        self.disk.remove_once(&self.layout.outcomes(org, *id))?;
        Place::ALL.iter().try_for_each(|place| self.disk.remove_once(&self.layout.payload(org, *place, *id)))
    }
}
