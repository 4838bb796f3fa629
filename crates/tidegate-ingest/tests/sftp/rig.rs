//! An SFTP door with a store behind it, in a directory of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tempfile::TempDir;
use tidegate_domain::job::{Counts, Job, JobEvent, Outcome};
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::Directory;
use tidegate_ingest::sftp::{HostKeys, SftpDoor, run};
use tidegate_store::Store;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::site::Site;
pub(crate) use crate::site::{PASSWORD, Setup, ask_for, jobs, payload, write_org};

/// An RSA key takes long to make: all doors of a run have the same.
static HOST_KEYS: LazyLock<HostKeys> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    HostKeys::make(folder.path()).unwrap();
    let paths: Vec<PathBuf> = HostKeys::FILES.iter().map(|name| folder.path().join(name)).collect();
    HostKeys::load(&paths).unwrap()
});

pub(crate) struct Rig {
    folder: TempDir,
    pub(crate) store: Store,
    pub(crate) intake: Arc<Intake>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    door: JoinHandle<()>,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let Site { folder, store, directory, intake, announcement } = Site::new(setup);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (host_keys, grace) = (HOST_KEYS.clone(), Duration::from_secs(30));
        let door = SftpDoor { host_keys, intake: Arc::clone(&intake), announcement, grace };
        let door = tokio::spawn(run(listener, door, async move { _ = stopped.await }));
        Self { folder, store, intake, directory, address, stop: Some(stop), door }
    }

    /// Where the answers to an organization lie.
    pub(crate) fn outbox(&self, org: &str) -> PathBuf {
        self.folder.path().join("data/orgs").join(org).join("outbox")
    }

    /// The audit log so far, as text.
    pub(crate) async fn audit_log(&self) -> String {
        self.intake.audit().flushed().await;
        std::fs::read_to_string(self.folder.path().join("audit.log")).unwrap()
    }

    pub(crate) fn signal_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Stops the door; afterwards none of its uploads runs, and the store shows what became of them.
    pub(crate) async fn stop(mut self) -> Store {
        if self.stop.is_some() {
            self.signal_stop();
        }
        self.ended().await;
        self.store
    }

    /// Waits until the door has ended that was told to stop, and all of its uploads.
    pub(crate) async fn ended(&mut self) {
        timeout(Duration::from_mins(1), &mut self.door).await.expect("an end in time").unwrap();
    }

    pub(crate) fn jobs(&self) -> Vec<Job> {
        jobs(&self.store)
    }

    /// Plays the worker: answers the job that waits.
    pub(crate) async fn answer(&self, response: &[u8]) -> Job {
        let claim = self.store.claim(1).await.unwrap().pop().unwrap();
        std::fs::write(self.store.response_path(&claim.job), response).unwrap();
        let completed = JobEvent::Completed { outcome: Outcome::Accepted, counts: Counts::default() };
        self.store.finish(&claim, completed).await.unwrap()
    }
}
