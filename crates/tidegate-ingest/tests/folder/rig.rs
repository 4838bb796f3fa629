//! A watched folder with a store behind it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tidegate_domain::SystemClock;
use tidegate_domain::job::{Counts, Job, JobEvent, Outcome};
use tidegate_domain::units::{ByteSize, HumanDuration};
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::Directory;
use tidegate_ingest::audit::Audit;
use tidegate_ingest::config::{AuthConfig, FolderConfig, LimitsConfig, UploadsConfig};
use tidegate_ingest::folder::{FolderDoor, Trouble, run};
use tidegate_store::{Filter, Options, Store};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Nothing that a test waits for takes this long unless it never comes.
const DEADLINE: Duration = Duration::from_mins(1);

/// So seldom that no rescan but the first happens in a test.
pub(crate) const SELDOM: Duration = Duration::from_hours(1);
/// So often that a file that waits for one is taken at once.
pub(crate) const OFTEN: Duration = Duration::from_millis(20);

pub(crate) struct Rig {
    base: TempDir,
    pub(crate) store: Store,
    pub(crate) directory: Arc<Directory>,
    trouble: Arc<Trouble>,
    audit: Audit,
    stop: watch::Sender<bool>,
    door: Option<JoinHandle<()>>,
}

impl Rig {
    /// A store and an empty folder that nobody watches yet.
    pub(crate) fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        for name in ["orgs.d", "data", "drop", "responses"] {
            fs::create_dir(base.path().join(name)).unwrap();
        }
        fs::write(base.path().join("orgs.d/ACME01.toml"), "code = 'ACME01'").unwrap();
        let directory = Arc::new(Directory::open(base.path().join("orgs.d")).unwrap());
        let (store, _) =
            Store::open(&base.path().join("data"), Options::default(), Arc::new(SystemClock)).unwrap();
        let (trouble, stop) = (Arc::new(Trouble::default()), watch::Sender::new(false));
        let audit = Audit::open(&base.path().join("audit.log"), Arc::new(SystemClock)).unwrap();
        Self { base, store, directory, trouble, audit, stop, door: None }
    }

    /// Begins to watch; a quiet file is taken at the second look.
    pub(crate) fn watch(&mut self, rescan: Duration) {
        self.watch_for(rescan, rescan);
    }

    pub(crate) fn watch_for(&mut self, rescan: Duration, settle: Duration) {
        let limits = LimitsConfig { upload_bytes_max: ByteSize(1_000), ..LimitsConfig::default() };
        let (auth, uploads) = (AuthConfig::default(), UploadsConfig::default());
        let intake =
            Intake::new(self.store.clone(), Arc::clone(&self.directory), limits, &auth, &uploads).unwrap();
        let intake = intake.audited(self.audit.clone());
        let door = FolderDoor {
            config: FolderConfig {
                path: self.base.path().join("drop"),
                org: "ACME01".to_owned().try_into().unwrap(),
                responses: Some(self.path("responses")),
                settle: HumanDuration(settle),
                rescan: HumanDuration(rescan),
            },
            intake: Arc::new(intake),
            organizations: self.directory.subscribe(),
            trouble: Arc::clone(&self.trouble),
        };
        self.door = Some(tokio::spawn(run(door, self.stop.subscribe())));
    }

    /// The audit log so far.
    pub(crate) async fn audit_log(&self) -> String {
        self.audit.flushed().await;
        fs::read_to_string(self.path("audit.log")).unwrap()
    }

    /// Sets the organization's limits.
    pub(crate) fn limit(&self, limits: &str) {
        fs::write(self.path("orgs.d/ACME01.toml"), format!("code = 'ACME01'\n[limits]\n{limits}\n")).unwrap();
        assert_eq!(self.directory.reload(), []);
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.base.path().join(below)
    }

    pub(crate) fn names(&self, below: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(below)).unwrap();
        let mut names: Vec<_> = entries.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The names of all jobs in the order of their acceptance, once there are `count`.
    pub(crate) async fn jobs(&self, count: usize) -> Vec<Job> {
        let enough = async {
            loop {
                let mut jobs = self.store.list(&Filter { limit: 100, ..Filter::default() }).unwrap();
                if jobs.len() >= count {
                    jobs.reverse();
                    return jobs;
                }
                self.store.wakeup().await;
            }
        };
        timeout(DEADLINE, enough).await.expect("the jobs in time")
    }

    /// Waits for a look after which the trouble is as it should be.
    pub(crate) async fn trouble(&self, is_right: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut looks = self.trouble.subscribe();
        let found = looks.wait_for(|lines| is_right(lines));
        timeout(DEADLINE, found).await.expect("the trouble in time").unwrap().clone()
    }

    /// Waits until the folder was looked through from beginning to end from now on.
    pub(crate) async fn looks(&self) {
        let mut looks = self.trouble.subscribe();
        for _ in 0..2 {
            timeout(DEADLINE, looks.changed()).await.expect("a look in time").unwrap();
        }
    }

    /// Waits until the first look is over; the folder is watched by then.
    pub(crate) async fn looks_once(&self) {
        let mut looks = self.trouble.subscribe();
        timeout(DEADLINE, looks.changed()).await.expect("a look in time").unwrap();
    }

    /// Plays the worker: answers the job that waits.
    pub(crate) async fn answer(&self, response: &[u8]) -> Job {
        let claim = self.store.claim(1).await.unwrap().pop().unwrap();
        fs::write(self.store.response_path(&claim.job), response).unwrap();
        let completed = JobEvent::Completed { outcome: Outcome::Accepted, counts: Counts::default() };
        self.store.finish(&claim, completed).await.unwrap()
    }

    /// Stops the door; what it was accepting is accepted afterwards.
    pub(crate) async fn stop(&mut self) {
        self.stop.send_replace(true);
        timeout(DEADLINE, self.door.take().unwrap()).await.expect("an end in time").unwrap();
        self.stop.send_replace(false);
    }
}

/// The file names of jobs.
pub(crate) fn names(jobs: &[Job]) -> Vec<String> {
    jobs.iter().map(|job| job.submission.name.to_text()).collect()
}
