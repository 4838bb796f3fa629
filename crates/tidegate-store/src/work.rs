//! The worker's side: take a job, note how far it is, end it.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tidegate_domain::job::{Counts, Job, JobEvent};
use tidegate_domain::maintenance::{Gate, InHand};
use tidegate_domain::{JobId, OrgCode};

use crate::Store;
use crate::committer::Command;
use crate::error::StoreError;
use crate::layout::Answer;

const WORKER: &str = "worker";

/// A job in a worker's hands, for as long as its lease is renewed.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The job as it was claimed.
    pub job: Job,
}

impl Claim {
    /// The job's id.
    pub fn id(&self) -> JobId {
        self.job.id
    }

    fn fence(&self) -> u64 {
        self.job.fence
    }
}

impl Store {
    /// Up to `jobs_max` jobs that may be processed now: none while the gate is closed for their
    /// organization, one for each organization, in the order of their arrival, organizations in turn.
    pub async fn claim(&self, jobs_max: usize) -> Result<Vec<Claim>, StoreError> {
        let jobs = self.ask(|reply| Command::Claim { jobs_max, reply }).await?;
        Ok(jobs.into_iter().map(|job| Claim { job }).collect())
    }

    /// Keeps a claim for another lease from now on.
    pub fn renew(&self, claim: &Claim) -> Result<(), StoreError> {
        let mut leases = self.core.leases();
        match leases.get_mut(&claim.id()).filter(|lease| lease.fence == claim.fence()) {
            Some(lease) => {
                lease.ends = self.core.clock.instant() + self.core.options.lease;
                Ok(())
            }
            None => Err(StoreError::StaleClaim),
        }
    }

    /// Records how far the job is. Everything that was written to the data directory's file system
    /// before, the response so far included, is durable before the record is.
    pub async fn checkpoint(
        &self,
        claim: &Claim,
        progress: Vec<u8>,
        counts: Counts,
    ) -> Result<(), StoreError> {
        self.sync_files().await?;
        self.change_claimed(claim, JobEvent::Checkpointed { progress, counts }).await.map(drop)
    }

    /// Ends a claim with what became of the job: `Completed`, `Refused`, `FoundDuplicate`, `Retried`,
    /// `Failed`, `Yielded` or `TakenBack`. The first three come with a response (a duplicate's is that of its original),
    /// which is durable before the end is and appears in the sender's outbox after it. If the original was
    /// purged meanwhile the answer is [`StoreError::UnknownJob`]; the next claim finds none.
    pub async fn finish(&self, claim: &Claim, end: JobEvent) -> Result<Job, StoreError> {
        if let JobEvent::FoundDuplicate { of } = &end {
            self.keep_answers(claim, *of).await?;
        }
        if matches!(
            end,
            JobEvent::Completed { .. } | JobEvent::Refused { .. } | JobEvent::FoundDuplicate { .. }
        ) {
            self.sync_files().await?;
        }
        self.change_claimed(claim, end).await
    }

    /// Links the answers of a duplicate's original, which may be purged at any time from then on.
    async fn keep_answers(&self, claim: &Claim, original: JobId) -> Result<(), StoreError> {
        self.renew(claim)?;
        let (core, org, id) = (Arc::clone(&self.core), claim.job.submission.org.clone(), claim.id());
        let linked = tokio::task::spawn_blocking(move || core.spool.link_answers(&org, original, id)).await;
        match linked.map_err(|_| StoreError::Closed)? {
            // Answers that somebody else removed can't be given again; that is no reason to process twice.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.get(original)?.map(drop).ok_or(StoreError::UnknownJob)
            }
            linked => linked.map_err(StoreError::io("linking the answers of an original")),
        }
    }

    async fn change_claimed(&self, claim: &Claim, event: JobEvent) -> Result<Job, StoreError> {
        let (id, fence, actor) = (claim.id(), Some(claim.fence()), WORKER.to_owned());
        self.ask(|reply| Command::Change { id, fence, event, actor, reply }).await
    }

    /// Opens the bytes of a job.
    pub fn open_payload(&self, job: &Job) -> Result<File, StoreError> {
        let Some(path) = self.payload_path(job) else {
            // It is in memory, and the disk may take it later.
            let is_refused = self.core.spool.deferred.is_refused(job.id);
            let refused = || io::Error::other("the disk did not take it");
            return Err(if is_refused {
                StoreError::io("writing an upload's file")(refused())
            } else {
                StoreError::NotFound
            });
        };
        self.core.disk().open_read(&path).map_err(StoreError::file("opening an upload"))
    }

    /// Where the bytes of a job lie, if they are there.
    pub fn payload_path(&self, job: &Job) -> Option<PathBuf> {
        let place = self.core.spool.find_payload(job)?;
        Some(self.core.layout.payload(&job.submission.org, place, job.id))
    }

    /// Where the HL7 response of a job lies; its worker writes it there.
    pub fn response_path(&self, job: &Job) -> PathBuf {
        self.core.layout.answer(&job.submission.org, job.id, Answer::Response)
    }

    /// Where the report for people lies.
    pub fn report_path(&self, job: &Job) -> PathBuf {
        self.core.layout.answer(&job.submission.org, job.id, Answer::Report)
    }

    /// Where the worker notes what the registry answered since the last checkpoint of a job.
    pub fn outcomes_path(&self, job: &Job) -> PathBuf {
        self.core.layout.outcomes(&job.submission.org, job.id)
    }

    /// A complete job of the same organization with the same bytes. A file that was rejected as a whole, or
    /// only tested, is nobody's original: it may be sent again.
    pub fn original_of(&self, job: &Job) -> Result<Option<JobId>, StoreError> {
        let found = self.core.reader()?.complete_with(&job.submission.org, &job.submission.sha256)?;
        Ok(found.filter(|original| *original != job.id))
    }

    /// Returns after something changed that may make a claim possible. A hint: time alone may do so
    /// too, see [`Store::next_due`].
    pub async fn wakeup(&self) {
        self.core.wakeup.notified().await;
    }

    /// The next instant at which time alone may make a claim possible.
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        let now = self.core.clock.now();
        let maintenance = self.core.gatekeeper.now();
        let lanes = self.core.lanes();
        let gates = lanes.waiting().filter_map(|(org, _)| maintenance.gate_now(now, Some(org)).next_change);
        gates.chain(lanes.next_due(now)).min()
    }

    /// The gate now, for one organization or for everyone.
    pub fn gate(&self, org: Option<&OrgCode>) -> Gate {
        self.core.gatekeeper.now().gate_now(self.core.clock.now(), org)
    }

    /// What a job of the organization that is being processed has to do now.
    pub fn in_hand(&self, org: &OrgCode) -> InHand {
        self.core.gatekeeper.now().in_hand(self.core.clock.now(), org)
    }
}
