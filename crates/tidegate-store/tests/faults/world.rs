//! A store on a faulty disk, and the verbs of its callers, which keep the book.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidegate_disk::faults::{Fault, FaultyDisk, Plan};
use tidegate_domain::job::{Counts, Job, JobEvent, JobState, Outcome, Protocol};
use tidegate_domain::maintenance::{Hold, HoldLength};
use tidegate_domain::{Clock, JobId, ManualClock, OrgCode, UploadName};
use tidegate_store::{Claim, OpenError, Options, Recovery, Renewal, Sender, Store, StoreError};

use crate::book::{Book, Fate, File, Told, is_open, response_of};

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) disk: FaultyDisk,
    pub(crate) book: Book,
    pub(crate) segment_bytes_max: u64,
    /// Files of small uploads are not written because of the time alone, and this many bytes are left for later.
    pub(crate) deferred_bytes_max: Option<usize>,
    /// Makes the index anew as soon as it may, in many steps.
    pub(crate) renews_index: bool,
    clock: ManualClock,
    store: Option<Store>,
    plan: Option<Plan>,
}

impl World {
    pub(crate) fn new(dir: TempDir, book: Book, plan: Option<Plan>) -> Self {
        let disk = FaultyDisk::new(dir.path(), &["queue", "queue.next"]).unwrap();
        let clock = ManualClock::new("2024-03-08T12:00:00Z".parse().unwrap());
        let segment_bytes_max = Options::default().segment_bytes_max;
        Self {
            dir,
            disk,
            book,
            segment_bytes_max,
            deferred_bytes_max: None,
            renews_index: false,
            clock,
            store: None,
            plan,
        }
    }

    /// The faults begin here.
    pub(crate) fn arm(&mut self) {
        self.disk.arm(self.plan.take());
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    fn options(&self) -> Options {
        let (disk, segment_bytes_max) = (self.disk.disk(), self.segment_bytes_max);
        let renewal = if self.renews_index {
            Renewal { garbage_bytes_max: 0, pairs_at_once: 5, pause: Duration::ZERO }
        } else {
            Renewal::default()
        };
        let options = Options { disk, segment_bytes_max, renewal, ..Options::default() };
        match self.deferred_bytes_max {
            None => options,
            Some(deferred_bytes_max) => {
                Options { files_after: Duration::from_hours(1), deferred_bytes_max, ..options }
            }
        }
    }

    pub(crate) fn try_open(&mut self) -> Result<Recovery, OpenError> {
        let (store, recovery) = Store::open(self.path(), self.options(), Arc::new(self.clock.clone()))?;
        self.store = Some(store);
        Ok(recovery)
    }

    pub(crate) fn try_rebuild(&mut self) -> Result<Recovery, OpenError> {
        let clock = Arc::new(self.clock.clone());
        let (store, recovery) = Store::rebuild(self.path(), self.options(), clock, &mut |_, _| {})?;
        self.store = Some(store);
        Ok(recovery)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.store.is_some()
    }

    /// The open store.
    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    /// What the index's directory is known by, whatever its name.
    pub(crate) fn index(&self) -> u64 {
        fs::metadata(self.path().join("queue")).unwrap().ino()
    }

    /// Waits until there is a new index in the place of `old`, unless a fault came before.
    pub(crate) async fn wait_for_index_after(&self, old: u64) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while self.disk.hit().is_none() && (self.index() == old || self.path().join("queue.next").exists()) {
            assert!(Instant::now() < deadline, "no new index");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Closes the store in good order; whether it had failed.
    pub(crate) async fn close(&mut self) -> bool {
        let Some(store) = self.store.take() else { return false };
        store.close().await;
        *store.failed().borrow()
    }

    /// Kills the process: nothing is written any more, and nothing that was written is lost.
    pub(crate) async fn kill(&mut self) {
        self.disk.stop(true);
        self.close().await;
        self.disk.stop(false);
    }

    /// The next sync fails, whatever the plan.
    pub(crate) fn break_next_sync(&self) {
        self.disk.arm(Some(Plan { call: 0, fault: Fault::FailedSync }));
    }

    pub(crate) async fn upload(&mut self, org: &str, name: &str, len: usize) -> Option<JobId> {
        let bytes = pattern(name, len);
        self.upload_bytes(org, name, bytes).await
    }

    pub(crate) async fn upload_bytes(&mut self, org: &str, name: &str, bytes: Vec<u8>) -> Option<JobId> {
        let result = try_upload(self.store.as_ref()?, org, name, &bytes).await;
        self.note_upload(org, name, bytes, &result);
        result.ok().map(|job| job.id)
    }

    /// Under a temporary name; whether its sender may rename it.
    pub(crate) async fn stage(&mut self, org: &str, name: &str, len: usize) -> bool {
        let Some(store) = &self.store else { return false };
        let staged = async {
            let mut upload = store.upload()?;
            upload.write(&pattern(name, len)).await?;
            upload.stage(&org_of(org), &name_of(name)).await
        };
        staged.await.is_ok()
    }

    pub(crate) fn rename_staged(&mut self, org: &str, from: &str, to: &str) -> bool {
        let Some(store) = &self.store else { return false };
        store.rename_staged(&org_of(org), &name_of(from), &name_of(to)).is_ok()
    }

    /// Gives an upload its final name, once more if it was refused for a reason that passes.
    pub(crate) async fn accept_staged(&mut self, org: &str, from: &str, name: &str, bytes: Vec<u8>) {
        let Some(store) = self.store.clone() else { return };
        let mut result = Err(StoreError::Closed);
        for _ in 0..2 {
            result = store.accept_staged(&org_of(org), &name_of(from), sender(), name_of(name)).await;
            if !matches!(&result, Err(StoreError::NoSpace | StoreError::Io { .. })) {
                break;
            }
        }
        self.note_upload(org, name, bytes, &result);
    }

    pub(crate) fn note_upload(
        &mut self,
        org: &str,
        name: &str,
        bytes: Vec<u8>,
        result: &Result<Job, StoreError>,
    ) {
        let fate = match result {
            Ok(job) => Fate::Accepted(job.id),
            Err(error) if is_open(error) => Fate::Open,
            Err(_) => Fate::Refused,
        };
        self.book.files.push(File {
            org: org_of(org),
            name: name_of(name),
            bytes,
            fate,
            states: BTreeSet::from([JobState::Queued]),
            deleted: Told::Never,
        });
    }

    /// Claims what is to be had, asking again if the answer was that of a passing failure.
    pub(crate) async fn claim(&mut self, jobs_max: usize) -> Vec<Claim> {
        let Some(store) = &self.store else { return Vec::new() };
        let mut claims = store.claim(jobs_max).await;
        if claims.as_ref().is_err_and(|error| !is_open(error)) {
            claims = store.claim(jobs_max).await;
        }
        let claims = claims.unwrap_or_default();
        for claim in &claims {
            assert!(store.payload_path(&claim.job).is_some(), "nothing to work on");
            let file = self.book.file(&claim.job);
            assert_ne!(file.fate, Fate::Refused, "a refused upload is processed");
            if let Fate::Accepted(id) = file.fate {
                self.book.of(id).states = BTreeSet::from([JobState::Queued]);
            }
        }
        claims
    }

    /// Writes the first part of the response and notes it.
    pub(crate) async fn checkpoint(&mut self, claim: &Claim, len: usize) {
        let path = self.store().response_path(&claim.job);
        let response = response_of(&claim.job.submission.name);
        let written = self.write_answer(&path, &response[..len]);
        if written.is_ok() {
            let progress = len.to_le_bytes().to_vec();
            drop(self.store().checkpoint(claim, progress, Counts::default()).await);
        }
    }

    /// Ends a claim, with a response if it needs one; a worker whose disk fails tries later.
    pub(crate) async fn finish(&mut self, claim: &Claim, end: JobEvent) -> bool {
        let end = match self.write_answers(claim, &end) {
            Ok(()) => end,
            Err(_) => self.retried(),
        };
        let result = self.store().finish(claim, end.clone()).await;
        self.book.note_change(claim.id(), state_after(&end), &result);
        result.is_ok()
    }

    fn write_answers(&self, claim: &Claim, end: &JobEvent) -> std::io::Result<()> {
        if !matches!(end, JobEvent::Completed { .. } | JobEvent::Refused { .. }) {
            return Ok(());
        }
        let response = response_of(&claim.job.submission.name);
        self.write_answer(&self.store().response_path(&claim.job), &response)?;
        self.write_answer(&self.store().report_path(&claim.job), &response)
    }

    /// What a checkpoint speaks of is never taken away again.
    fn write_answer(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let disk = self.disk.disk();
        if fs::metadata(path).is_ok_and(|answer| answer.nlink() > 1) {
            // It is another job's as well.
            disk.remove(path)?;
        }
        if path.exists() { disk.overwrite(path, 0, bytes).map(drop) } else { disk.write(path, bytes) }
    }

    pub(crate) fn retried(&self) -> JobEvent {
        JobEvent::Retried { not_before: self.clock.now(), reason: "the disk failed".to_owned() }
    }

    pub(crate) async fn act(&mut self, id: JobId, event: JobEvent) {
        let to = state_after(&event);
        let result = self.store().act(id, event, "eve").await;
        self.book.note_change(id, to, &result);
    }

    pub(crate) async fn delete_response(&mut self, id: JobId) {
        let job = self.store().get(id).unwrap().unwrap();
        let name = format!("{}.{id}.response", String::from_utf8_lossy(job.submission.name.as_bytes()));
        let (org, name) = (&job.submission.org, name.as_bytes());
        if self.store().outbox_entry(org, name).unwrap().is_none() {
            return;
        }
        let result = self.store().delete_outbox(org, name, "acme").await;
        let is_there = self.store().outbox_entry(org, name).unwrap().is_some();
        assert!(is_there || result.as_ref().map_or_else(is_open, |()| true), "refused and deleted");
        self.book.of(id).deleted.note(true, &result);
    }

    pub(crate) async fn hold(&mut self) {
        let length = HoldLength::For(Duration::from_mins(30));
        let hold = Hold::new("maintenance", None, "disk swap", "eve", self.clock.now(), length).unwrap();
        let result = self.store().place_hold(hold).await;
        self.book.hold.note(true, &result);
    }

    pub(crate) async fn release(&mut self) {
        let result = self.store().release_holds(None, "eve", "done").await.map(drop);
        self.book.hold.note(false, &result);
    }

    pub(crate) fn advance(&self, by: chrono::TimeDelta) {
        self.clock.advance(by);
    }
}

pub(crate) async fn try_upload(
    store: &Store,
    org: &str,
    name: &str,
    bytes: &[u8],
) -> Result<Job, StoreError> {
    let mut upload = store.upload()?;
    upload.write(bytes).await?;
    upload.accept(&org_of(org), sender(), name_of(name)).await
}

pub(crate) fn completed() -> JobEvent {
    JobEvent::Completed { outcome: Outcome::Accepted, counts: Counts::default() }
}

fn state_after(event: &JobEvent) -> JobState {
    match event {
        JobEvent::Completed { .. } => JobState::Complete,
        JobEvent::Refused { .. } => JobState::Error,
        JobEvent::FoundDuplicate { .. } => JobState::Duplicate,
        JobEvent::Retried { .. } => JobState::Retrying,
        JobEvent::Failed { .. } => JobState::Exception,
        JobEvent::Held { .. } => JobState::Held,
        JobEvent::Cancelled { .. } => JobState::Cancelled,
        _ => JobState::Queued,
    }
}

/// Bytes that differ from file to file and from place to place.
pub(crate) fn pattern(name: &str, len: usize) -> Vec<u8> {
    let line = format!("{name}|").into_bytes();
    (0..len).map(|at| line[at % line.len()].wrapping_add(u8::try_from(at / 997 % 7).unwrap())).collect()
}

fn org_of(code: &str) -> OrgCode {
    OrgCode::new(code).unwrap()
}

fn name_of(name: &str) -> UploadName {
    UploadName::new(name).unwrap()
}

fn sender() -> Sender {
    Sender { account: "acme".to_owned(), protocol: Protocol::Ftp }
}
