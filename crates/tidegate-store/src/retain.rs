//! Retention: takes everything of a job away once its term is over.
//!
//! Invariant: a purge is journaled before anything of the job goes, and nothing goes that was not
//! journaled, so that a crash in between ends in removed files and brings no job back. Files are removed
//! off the committer's thread; until they are gone the directories do not count as durable beyond the
//! purge, so that the next start removes what is left.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tidegate_domain::job::{Job, JobState};
use tidegate_domain::{JobId, LegalHold, OrgCode, Terms};
use tokio::task::spawn_blocking;

use crate::Store;
use crate::committer::Command;
use crate::core::Core;
use crate::error::StoreError;
use crate::record::{LegalHoldChange, Purged};

/// Jobs that are purged together; uploads and claims go on in between.
const BATCH_JOBS_MAX: usize = 64;
/// Legal holds that stand at once.
const LEGAL_HOLDS_MAX: usize = 10_000;

/// Jobs whose term is over, by organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Those that were purged, or would be.
    pub purged: BTreeMap<OrgCode, Amount>,
    /// Those that a legal hold keeps.
    pub kept: BTreeMap<OrgCode, Amount>,
}

/// How much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Jobs.
    pub jobs: u64,
    /// Their uploads, in bytes.
    pub bytes: u64,
}

impl Store {
    /// Purges the jobs whose term is over at `now`, in small batches: upload, answers, record, history.
    /// One pass runs at a time. What was done before an error stays done; what could not be removed is
    /// tried again by the next pass and the next start.
    pub async fn retain(&self, terms: Terms, now: DateTime<Utc>) -> Result<Due, StoreError> {
        let mut pass = Pass::new(&self.core, terms, now)?;
        loop {
            let _removal = self.core.removal.lock().await;
            self.remove_remains().await?;
            let (back, found) = on_blocking(move || {
                let found = pass.next_batch();
                (pass, found)
            })
            .await?;
            pass = back;
            let found = found?;
            if found.is_empty() {
                return Ok(pass.due);
            }
            let ids = found.keys().copied().collect();
            let purged = self.ask(|reply| Command::Purge { ids, terms, now, reply }).await?;
            pass.count(&purged, &found);
            self.remove_remains().await?;
        }
    }

    /// What [`Store::retain`] would do.
    pub async fn due(&self, terms: Terms, now: DateTime<Utc>) -> Result<Due, StoreError> {
        let mut pass = Pass::new(&self.core, terms, now)?;
        on_blocking(move || {
            loop {
                let found = pass.next_batch()?;
                if found.is_empty() {
                    return Ok(pass.due);
                }
                let ids: Vec<JobId> = found.keys().copied().collect();
                pass.count(&ids, &found);
            }
        })
        .await?
    }

    /// Whether an organization ever uploaded anything here.
    pub fn has_files_of(&self, org: &OrgCode) -> bool {
        self.core.layout.org(org).is_dir()
    }

    /// Legal holds that stand, the oldest first.
    pub fn legal_holds(&self) -> Result<Vec<LegalHold>, StoreError> {
        self.core.reader()?.legal_holds()
    }

    /// Stops deletion for an organization, beside the holds that stand already.
    pub async fn place_legal_hold(
        &self,
        org: OrgCode,
        reason: String,
        actor: &str,
    ) -> Result<(), StoreError> {
        if self.legal_holds()?.len() >= LEGAL_HOLDS_MAX {
            return Err(StoreError::TooMany("legal holds"));
        }
        self.change_legal_hold(LegalHoldChange::Placed { org, reason }, actor).await
    }

    /// Releases the legal holds of an organization; those that stood.
    pub async fn release_legal_holds(
        &self,
        org: &OrgCode,
        reason: String,
        actor: &str,
    ) -> Result<Vec<LegalHold>, StoreError> {
        let stood: Vec<LegalHold> = self.legal_holds()?.into_iter().filter(|hold| hold.org == *org).collect();
        if !stood.is_empty() {
            self.change_legal_hold(LegalHoldChange::Released { org: org.clone(), reason }, actor).await?;
        }
        Ok(stood)
    }

    async fn change_legal_hold(&self, change: LegalHoldChange, actor: &str) -> Result<(), StoreError> {
        let actor = format!("staff:{actor}");
        self.ask(|reply| Command::LegalHold { change, actor, reply }).await
    }

    /// Removes the files of jobs that were purged.
    async fn remove_remains(&self) -> Result<(), StoreError> {
        let core = Arc::clone(&self.core);
        on_blocking(move || core.while_open(|| core.remove_remains()))
            .await??
            .map_err(StoreError::io("removing the files of a purged job"))
    }
}

impl Core {
    /// What is to be purged of a job: nothing if its term is not over or a legal hold keeps it.
    pub(crate) fn due(
        &self,
        id: JobId,
        terms: Terms,
        now: DateTime<Utc>,
    ) -> Result<Option<Purged>, StoreError> {
        let Some(job) = self.reader()?.job(id)?.filter(|job| terms.is_over(job, now)) else {
            return Ok(None);
        };
        let org = job.submission.org;
        if self.reader()?.legal_holds()?.iter().any(|hold| hold.org == org) {
            return Ok(None);
        }
        Ok(Some(Purged { id, org, name: job.submission.name }))
    }

    fn remove_remains(&self) -> io::Result<()> {
        let remains: Vec<(u64, Purged)> =
            self.remains().iter().map(|(seq, purged)| (*seq, purged.clone())).collect();
        let mut result = Ok(());
        for (seq, purged) in remains {
            match self.spool.remove_all_of(&purged) {
                Ok(()) => drop(self.remains().remove(&seq)),
                Err(error) => result = Err(error),
            }
        }
        result
    }
}

/// A walk through the jobs that may be over, from the oldest of each state on.
struct Pass {
    core: Arc<Core>,
    terms: Terms,
    now: DateTime<Utc>,
    held: Vec<LegalHold>,
    states: Vec<JobState>,
    /// The last job that was looked at in the state at the end of the list.
    after: Option<JobId>,
    due: Due,
}

impl Pass {
    fn new(core: &Arc<Core>, terms: Terms, now: DateTime<Utc>) -> Result<Self, StoreError> {
        let (held, states) = (core.reader()?.legal_holds()?, Terms::STATES.to_vec());
        Ok(Self { core: Arc::clone(core), terms, now, held, states, after: None, due: Due::default() })
    }

    /// The next jobs that are to go; none at the end.
    fn next_batch(&mut self) -> Result<BTreeMap<JobId, Job>, StoreError> {
        let mut found = BTreeMap::new();
        while let Some(state) = self.states.last().copied() {
            let ids = self.core.reader()?.oldest(state, self.after);
            for id in ids {
                let id = id?;
                if self.is_too_young(state, id) {
                    break;
                }
                self.after = Some(id);
                if let Some(job) =
                    self.core.reader()?.job(id)?.filter(|job| self.terms.is_over(job, self.now))
                {
                    self.take(job, &mut found);
                }
                if found.len() >= BATCH_JOBS_MAX {
                    return Ok(found);
                }
            }
            self.states.pop();
            self.after = None;
        }
        Ok(found)
    }

    /// Whether this job, and all behind it, were made too late to be over. An id from the future tells
    /// nothing: the clock was put back since.
    fn is_too_young(&self, state: JobState, id: JobId) -> bool {
        let made = id.made_at();
        made <= self.now && self.terms.ended_by(state, self.now).is_none_or(|by| made > by)
    }

    fn take(&mut self, job: Job, found: &mut BTreeMap<JobId, Job>) {
        if self.held.iter().any(|hold| hold.org == job.submission.org) {
            self.due.kept.entry(job.submission.org.clone()).or_default().add(&job);
        } else {
            found.insert(job.id, job);
        }
    }

    fn count(&mut self, purged: &[JobId], found: &BTreeMap<JobId, Job>) {
        for job in purged.iter().filter_map(|id| found.get(id)) {
            self.due.purged.entry(job.submission.org.clone()).or_default().add(job);
        }
    }
}

impl Amount {
    fn add(&mut self, job: &Job) {
        self.jobs += 1;
        self.bytes += job.submission.size_bytes;
    }
}

async fn on_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    spawn_blocking(work).await.map_err(|_| StoreError::Closed)
}
