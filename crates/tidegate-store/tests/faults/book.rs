//! What the store acknowledged, and what may follow from what it left open.

use std::collections::BTreeSet;

use tidegate_domain::job::{Job, JobState};
use tidegate_domain::{JobId, OrgCode, UploadName};
use tidegate_store::StoreError;

/// Everything that was asked of the store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    pub(crate) files: Vec<File>,
    /// Whether a global hold stands.
    pub(crate) hold: Told<bool>,
}

/// An upload, and what became of it as far as its sender and worker were told.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) org: OrgCode,
    pub(crate) name: UploadName,
    pub(crate) bytes: Vec<u8>,
    pub(crate) fate: Fate,
    /// States in which a start may find its job. One in a worker's hands is queued again by then.
    pub(crate) states: BTreeSet<JobState>,
    /// Whether the sender has deleted its response.
    pub(crate) deleted: Told<bool>,
}

/// What its sender was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Accepted(JobId),
    Refused,
    /// The store failed in that moment: both may be.
    Open,
}

/// Something that was acknowledged, or left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Told<T> {
    #[default]
    Never,
    Sure(T),
    Open,
}

impl Told<bool> {
    pub(crate) fn allows(self, found: bool) -> bool {
        match self {
            Self::Never => !found,
            Self::Sure(value) => value == found,
            Self::Open => true,
        }
    }

    pub(crate) fn note(&mut self, value: bool, result: &Result<(), StoreError>) {
        match result {
            Ok(()) => *self = Self::Sure(value),
            Err(error) if is_open(error) => *self = Self::Open,
            Err(_) => {}
        }
    }
}

/// Whether the answer leaves open what happened.
pub(crate) fn is_open(error: &StoreError) -> bool {
    matches!(error, StoreError::Poisoned | StoreError::Closed)
}

/// The state in which the next start finds a job.
pub(crate) fn after_a_start(state: JobState) -> JobState {
    if state == JobState::Processing { JobState::Queued } else { state }
}

impl Book {
    pub(crate) fn file(&self, job: &Job) -> &File {
        let found = self.files.iter().find(|file| file.name == job.submission.name);
        found.unwrap_or_else(|| panic!("nobody sent {job:?}"))
    }

    pub(crate) fn of(&mut self, id: JobId) -> &mut File {
        let found = self.files.iter_mut().find(|file| file.fate == Fate::Accepted(id));
        found.unwrap_or_else(|| panic!("nobody was told of job {id}"))
    }

    /// Notes what a change of a job came to; `to` is the state that it was meant to reach.
    pub(crate) fn note_change(&mut self, id: JobId, to: JobState, result: &Result<Job, StoreError>) {
        let to = after_a_start(to);
        let states = &mut self.of(id).states;
        match result {
            Ok(job) => *states = BTreeSet::from([after_a_start(job.state)]),
            Err(error) if is_open(error) => drop(states.insert(to)),
            Err(_) => {}
        }
    }
}

/// The one response that a file ever gets.
pub(crate) fn response_of(name: &UploadName) -> Vec<u8> {
    format!("MSH|response to {}|{}", String::from_utf8_lossy(name.as_bytes()), "x".repeat(9000)).into_bytes()
}
