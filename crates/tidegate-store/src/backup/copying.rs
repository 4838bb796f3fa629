//! What is copied, in which order, and how a file is found that moves meanwhile.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use tidegate_domain::job::{Job, JobEvent};
use tidegate_domain::{JobId, OrgCode};

use super::target::Target;
use super::{BackupDone, BackupError, BackupProgress, Point};
use crate::core::Core;
use crate::journal::{Journal, Segment};
use crate::layout::{Answer, Place};
use crate::record::Change;

/// How often a job's bytes are looked for: each miss means that they were moved in between, and a job
/// does not move that often while its file is opened.
const LOOKS_MAX: usize = 8;

/// A backup on its way.
pub(super) struct Copying<'a> {
    core: &'a Core,
    target: &'a mut Target,
    point: Point,
    progress: &'a mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    jobs: u64,
    jobs_without_bytes: u64,
    /// Organizations whose directories are made.
    made: HashSet<OrgCode>,
}

impl<'a> Copying<'a> {
    pub(super) fn new(
        core: &'a Core,
        target: &'a mut Target,
        point: Point,
        progress: &'a mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Self {
        Self { core, target, point, progress, jobs: 0, jobs_without_bytes: 0, made: HashSet::new() }
    }

    /// The closed segments: they are never written to, only replaced by their sealed form.
    pub(super) fn segments(&mut self) -> Result<(), BackupError> {
        let core = self.core;
        let listed = Segment::list(core.disk(), &core.layout.journal());
        let closed = listed.map_err(BackupError::copy("the journal"))?;
        let last_seq = self.point.seq;
        for segment in closed.iter().filter(|segment| segment.first_seq <= last_seq) {
            let opened = segment.open_as_it_is(core.disk());
            let (mut file, sealed) = opened.map_err(BackupError::copy("the journal"))?;
            let to = segment.in_directory(&self.target.layout.journal(), sealed).path;
            self.target.copy(&mut file, &to)?;
            self.go_on()?;
        }
        Ok(())
    }

    /// The files of all jobs that were accepted in the copied segments.
    pub(super) fn jobs(&mut self) -> Result<(), BackupError> {
        let directory = self.target.layout.journal();
        let Some(journal) = Journal::find(self.core.disk(), &directory)? else { return Ok(()) };
        let damage = journal.read::<BackupError>(0, |item, _| match &item.entry.change {
            Change::Job { id, event: JobEvent::Accepted(_) } => self.job(*id, item.payload.is_some()),
            _ => Ok(()),
        })?;
        if damage.is_empty() { Ok(()) } else { Err(BackupError::Damaged { path: directory }) }
    }

    /// Uploads under temporary names.
    pub(super) fn staged(&mut self) -> Result<(), BackupError> {
        let to = self.target.layout.staged_uploads();
        self.target.make_dir(&to)?;
        self.tree(&self.core.layout.staged_uploads(), Path::new("staged"))
    }

    /// What is known of messages that were delivered: of a moment later than the rest, which does no harm.
    pub(super) fn known(&mut self) -> Result<(), BackupError> {
        self.tree(&self.core.layout.known(), Path::new("known"))
    }

    /// A file, or a directory with what is in it; `to` is relative to the backup.
    pub(super) fn tree(&mut self, from: &Path, to: &Path) -> Result<(), BackupError> {
        let failed = BackupError::copy("what lies beside the store");
        match fs::metadata(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(error)),
            Ok(found) if found.is_dir() => self.directory(from, to),
            Ok(found) if found.is_file() => {
                let to = self.target.layout.root().join(to);
                to.parent().map_or(Ok(()), |parent| self.target.make_dir(parent))?;
                // A file that is taken away now is one that was taken away before.
                let Some(mut file) = found_only(File::open(from)).map_err(failed)? else { return Ok(()) };
                self.target.copy(&mut file, &to)?;
                self.go_on()
            }
            Ok(_) => Ok(()),
        }
    }

    fn directory(&mut self, from: &Path, to: &Path) -> Result<(), BackupError> {
        self.target.make_dir(&self.target.layout.root().join(to))?;
        let failed = || BackupError::copy("what lies beside the store");
        let Some(entries) = found_only(fs::read_dir(from)).map_err(failed())? else { return Ok(()) };
        for entry in entries {
            let name = entry.map_err(failed())?.file_name();
            if !name.as_encoded_bytes().starts_with(b".") {
                self.tree(&from.join(&name), &to.join(&name))?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<BackupDone, BackupError> {
        self.target.finish()?;
        Ok(BackupDone {
            at: self.point.at,
            jobs: self.jobs,
            files: self.target.files,
            bytes: self.target.bytes,
            jobs_without_bytes: self.jobs_without_bytes,
        })
    }

    /// A job that the index does not know any more was taken out of the store, with its files.
    fn job(&mut self, id: JobId, is_in_journal: bool) -> Result<(), BackupError> {
        let Some(job) = self.core.reader()?.job(id)? else { return Ok(()) };
        let org = &job.submission.org;
        if !self.made.contains(org) {
            for place in Place::ALL {
                self.target.make_dir(&self.target.layout.place(org, place))?;
            }
            self.target.make_dir(&self.target.layout.outbox_of(org))?;
            self.made.insert(org.clone());
        }
        if !self.payload(&job)? && !is_in_journal && !job.state.is_final() {
            self.jobs_without_bytes += 1;
        }
        for answer in Answer::ALL {
            self.answer(&job, answer)?;
        }
        let (from, to) = (self.core.layout.report_part(org, id), self.target.layout.report_part(org, id));
        self.copy_if_there(&from, &to)?;
        self.jobs += 1;
        self.go_on()
    }

    /// Whether the job's bytes were found.
    fn payload(&mut self, job: &Job) -> Result<bool, BackupError> {
        let org = &job.submission.org;
        for _ in 0..LOOKS_MAX {
            let Some(place) = self.core.spool.find_payload(job) else { continue };
            let from = self.core.layout.payload(org, place, job.id);
            let to = self.target.layout.payload(org, place, job.id);
            if self.copy_if_there(&from, &to)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An answer as it was at the point: one that a job lost since by going into the queue again has a
    /// second name from before its worker could put another in its place.
    fn answer(&mut self, job: &Job, answer: Answer) -> Result<(), BackupError> {
        let org = &job.submission.org;
        let kept = self.core.layout.kept_answer(job.id, answer);
        let to = self.target.layout.answer(org, job.id, answer);
        if self.copy_if_there(&kept, &to)? {
            return Ok(());
        }
        let copied = self.copy_if_there(&self.core.layout.answer(org, job.id, answer), &to)?;
        if kept.exists() {
            // It was replaced while it was copied.
            if copied {
                self.target.remove(&to)?;
            }
            self.copy_if_there(&kept, &to)?;
        }
        Ok(())
    }

    fn copy_if_there(&mut self, from: &Path, to: &Path) -> Result<bool, BackupError> {
        let opened = found_only(self.core.disk().open_read(from));
        let Some(mut file) = opened.map_err(BackupError::copy("the files of a job"))? else {
            return Ok(false);
        };
        self.target.copy(&mut file, to)?;
        Ok(true)
    }

    fn go_on(&mut self) -> Result<(), BackupError> {
        self.core.check()?;
        let (jobs, jobs_all, bytes) = (self.jobs, self.point.jobs, self.target.bytes);
        match (self.progress)(BackupProgress { jobs, jobs_all, bytes }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(BackupError::Interrupted),
        }
    }
}

fn found_only<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}
