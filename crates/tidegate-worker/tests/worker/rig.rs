//! A store in a directory of its own, organizations, and a worker that can be started and stopped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use tidegate_domain::job::{Job, JobEvent, JobState, Protocol, RetryPolicy};
use tidegate_domain::maintenance::{Calendar, Hold, HoldLength, MaintenanceConfig};
use tidegate_domain::{JobId, ManualClock, OrgCode, Organization, Organizations, UploadName};
use tidegate_store::{Filter, Options, Sender, Store};
use tidegate_worker::config::WorkerConfig;
use tidegate_worker::{Calls, Deliver, Targets, Worker, WorkerError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The longest that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Gives up soon enough for a test to see it.
pub(crate) const RETRY: RetryPolicy =
    RetryPolicy { delay_first: TimeDelta::seconds(5), failures_max: 10, interruptions_max: 20 };

pub(crate) struct Rig {
    dir: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) store: Store,
    pub(crate) organizations: watch::Sender<Arc<Organizations>>,
}

/// A worker that runs.
pub(crate) struct Running {
    pub(crate) stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), WorkerError>>,
}

impl Rig {
    /// A store with the organizations A to F and HUGE, in which it is noon in Texas on the day of the
    /// window.
    pub(crate) fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap(), Options::default())
    }

    pub(crate) fn open(dir: TempDir, options: Options) -> Self {
        let clock = ManualClock::new(instant("2024-03-08T18:00:00Z"));
        let (store, _) = Store::open(dir.path(), options, Arc::new(clock.clone())).unwrap();
        let all = ["A", "B", "C", "D", "E", "F", "HUGE"].map(organization);
        let (organizations, _) = watch::channel(Arc::new(Organizations::new(all).unwrap()));
        Self { dir, clock, store, organizations }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Sets the `[maintenance]` section.
    pub(crate) fn maintenance(&self, toml: &str) {
        self.store.set_calendar(calendar(toml));
    }

    /// Starts a worker with two places.
    pub(crate) fn work(&self, target: Arc<dyn Deliver>) -> Running {
        self.work_with_calls(target).1
    }

    /// The same, with its way in for calls.
    pub(crate) fn work_with_calls(&self, target: Arc<dyn Deliver>) -> (Calls, Running) {
        let (stop, mut stopped) = watch::channel(false);
        let worker = Worker::new(
            self.store.clone(),
            self.organizations.subscribe(),
            Targets::new(target, self.path()),
            WorkerConfig::default(),
            Arc::new(self.clock.clone()),
        )
        .with_retry(RETRY);
        let calls = worker.calls();
        let shutdown = async move { drop(stopped.wait_for(|stop| *stop).await) };
        (calls, Running { stop, task: tokio::spawn(worker.run(shutdown)) })
    }

    pub(crate) async fn accept(&self, org_code: &str, name: &str, bytes: &[u8]) -> JobId {
        let mut upload = self.store.upload().unwrap();
        upload.write(bytes).await.unwrap();
        let sender = Sender { account: "acme".to_owned(), protocol: Protocol::Ftp };
        let name = UploadName::new(name).unwrap();
        upload.accept(&org(org_code), sender, name).await.unwrap().id
    }

    pub(crate) async fn close_gate(&self) {
        let hold = hold(&self.clock, None, HoldLength::UntilReleased);
        self.store.place_hold(hold).await.unwrap();
    }

    pub(crate) async fn open_gate(&self) {
        self.store.release_holds(None, "ann", "done").await.unwrap();
    }

    pub(crate) fn job(&self, id: JobId) -> Job {
        self.store.get(id).unwrap().unwrap()
    }

    pub(crate) fn state(&self, id: JobId) -> JobState {
        self.job(id).state
    }

    /// Waits until a job is in a state.
    pub(crate) async fn reaches(&self, id: JobId, state: JobState) -> Job {
        self.until(&format!("{id} is {state}"), || self.state(id) == state).await;
        // A state shows a moment before the outbox does. Whoever is answered by the store comes after both.
        drop(self.store.claim(0).await);
        self.job(id)
    }

    /// Waits until the store is in a state.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let looking = async {
            let mut look = tokio::time::interval(Duration::from_millis(2));
            while !holds() {
                look.tick().await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, looking).await.is_ok();
        let jobs = self.store.list(&Filter { limit: 10, ..Filter::default() });
        assert!(in_time, "waited in vain until {what}: {jobs:#?}");
    }

    /// The names of what happened to a job.
    pub(crate) fn history(&self, id: JobId) -> Vec<&'static str> {
        self.store.history(id).unwrap().iter().map(|entry| entry.event.name()).collect()
    }

    /// When a job was claimed.
    pub(crate) fn claimed_at(&self, id: JobId) -> Vec<DateTime<Utc>> {
        let history = self.store.history(id).unwrap();
        history.iter().filter(|entry| entry.event == JobEvent::Claimed).map(|entry| entry.at).collect()
    }

    /// The response of a job, without what differs from one run to the next: its id and times.
    pub(crate) fn masked_response(&self, id: JobId) -> String {
        let bytes = std::fs::read(self.store.response_path(&self.job(id))).unwrap();
        let text = String::from_utf8(bytes).unwrap().replace(&id.to_string(), "JOB");
        let mask = |field: &str| {
            let is_time = field.len() == 19 && field.starts_with("202403");
            if is_time { "TIME".to_owned() } else { field.to_owned() }
        };
        text.split('|').map(mask).collect::<Vec<_>>().join("|")
    }

    pub(crate) fn report(&self, id: JobId) -> String {
        std::fs::read_to_string(self.store.report_path(&self.job(id))).unwrap()
    }

    /// The names in a directory below the data directory.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        files_in(&self.dir.path().join(below))
    }

    /// The data directory as it would be found if the process were killed now.
    pub(crate) fn crash_image(path: &Path) -> TempDir {
        let image = tempfile::tempdir().unwrap();
        copy(path, image.path());
        image
    }
}

impl Running {
    /// Tells the worker to stop and waits for it.
    pub(crate) async fn stopped(self) -> Result<(), WorkerError> {
        self.stop.send_replace(true);
        self.ended().await
    }

    /// Waits until the worker ends by itself.
    pub(crate) async fn ended(self) -> Result<(), WorkerError> {
        tokio::time::timeout(PATIENCE, self.task).await.expect("the worker does not end").unwrap()
    }
}

pub(crate) fn organization(code: &str) -> Organization {
    Organization::new(org(code))
}

pub(crate) fn hold(clock: &ManualClock, org: Option<OrgCode>, length: HoldLength) -> Hold {
    let now = tidegate_domain::Clock::now(clock);
    Hold::new("stop", org, "test", "ann", now, length).unwrap()
}

pub(crate) fn calendar(toml: &str) -> Calendar {
    let config: MaintenanceConfig = toml::from_str(toml).unwrap();
    config.to_calendar().unwrap()
}

pub(crate) fn org(code: &str) -> OrgCode {
    OrgCode::new(code).unwrap()
}

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn files_in(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_dir {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else if let Err(error) = std::fs::copy(entry.path(), target) {
            // Files come and go while the store runs; it needs none of those that went.
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}", entry.path().display());
        }
    }
}
