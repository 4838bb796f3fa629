//! A store in a directory of its own, with a clock that stands still.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tempfile::TempDir;
use tidegate_domain::job::{Job, JobEvent, Outcome, Protocol};
use tidegate_domain::{ManualClock, OrgCode, UploadName};
use tidegate_store::{Claim, Options, Recovery, Sender, Store, StoreError};

pub(crate) struct Rig {
    dir: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) store: Store,
    pub(crate) recovery: Recovery,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap())
    }

    pub(crate) fn open(dir: TempDir) -> Self {
        Self::open_with(dir, Options::default())
    }

    pub(crate) fn open_with(dir: TempDir, options: Options) -> Self {
        let clock = ManualClock::new(instant("2024-03-08T12:00:00Z"));
        let (store, recovery) = Store::open(dir.path(), options, Arc::new(clock.clone())).unwrap();
        Self { dir, clock, store, recovery }
    }

    /// The data directory as it would be found if the process were killed now, opened again.
    pub(crate) fn after_kill(&self) -> Self {
        Self::open(self.crash_image())
    }

    pub(crate) fn crash_image(&self) -> TempDir {
        loop {
            let image = tempfile::tempdir().unwrap();
            let segments = self.files("journal");
            copy(self.dir.path(), image.path());
            // A segment that was sealed meanwhile may be missing in either form.
            if files_in(&image.path().join("journal")) == segments && self.files("journal") == segments {
                return image;
            }
        }
    }

    /// Closes the store in good order and hands its directory back.
    pub(crate) async fn closed(self) -> TempDir {
        self.store.close().await;
        self.dir
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Has an upload accepted, and looks for its file, which is written for that.
    pub(crate) async fn accept(&self, org_code: &str, name: &str, bytes: &[u8]) -> Job {
        let job = self.try_accept(org_code, name, bytes).await.unwrap();
        self.store.payload_path(&job).unwrap();
        job
    }

    pub(crate) async fn try_accept(
        &self,
        org_code: &str,
        name: &str,
        bytes: &[u8],
    ) -> Result<Job, StoreError> {
        let mut upload = self.store.upload()?;
        upload.write(bytes).await?;
        upload.accept(&org(org_code), sender(), upload_name(name)).await
    }

    pub(crate) async fn claim(&self) -> Claim {
        let mut claims = self.store.claim(1).await.unwrap();
        assert_eq!(claims.len(), 1, "there should be a job to claim");
        claims.remove(0)
    }

    /// Does what a worker does with a file that is fine.
    pub(crate) async fn complete(&self, claim: &Claim) -> Job {
        std::fs::write(self.store.response_path(&claim.job), "response").unwrap();
        std::fs::write(self.store.report_path(&claim.job), "report").unwrap();
        let end = JobEvent::Completed { outcome: Outcome::Accepted, counts: claim.job.counts };
        self.store.finish(claim, end).await.unwrap()
    }

    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        files_in(&self.dir.path().join(below))
    }
}

pub(crate) fn files_in(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

pub(crate) fn payload(store: &Store, job: &Job) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut store.open_payload(job).unwrap(), &mut bytes).unwrap();
    bytes
}

pub(crate) fn org(code: &str) -> OrgCode {
    OrgCode::new(code).unwrap()
}

pub(crate) fn upload_name(name: &str) -> UploadName {
    UploadName::new(name).unwrap()
}

pub(crate) fn sender() -> Sender {
    Sender { account: "acme".to_owned(), protocol: Protocol::Ftp }
}

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else if let Err(error) = std::fs::copy(entry.path(), target) {
            // sled drops its snapshots while it runs; it does not need them.
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}", entry.path().display());
        }
    }
}

/// How far a segment is written: behind that there are the zeros that the journal lays ahead of itself.
pub(crate) fn written_bytes(segment: &Path) -> u64 {
    const BLOCK: usize = 4096;
    let bytes = std::fs::read(segment).unwrap();
    let mut end = bytes.len();
    // Whole blocks are compared at once: segments are large, and this is not optimized.
    while end >= BLOCK && bytes[end - BLOCK..end] == [0; BLOCK] {
        end -= BLOCK;
    }
    bytes[..end].iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1)
}
