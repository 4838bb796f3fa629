//! The backend under test: one process, a data directory. All that the suite does not say in the
//! store's own verbs is here; another backend replaces this file.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tidegate_domain::job::Job;
use tidegate_domain::{JobId, ManualClock};
use tidegate_store::{Options, Recovery, Renewal, Store};

use crate::ops::{Lease, Restart};

pub(crate) struct Backend {
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    directory: TempDir,
    /// What the index's directory is known by, whatever its name.
    index: u64,
    /// How often a new index took the place of another beside the work.
    pub(crate) indexes_made_anew: u64,
}

impl Backend {
    pub(crate) fn new(clock: ManualClock, lease: Lease) -> Self {
        let directory = scratch();
        let (store, _) = open(directory.path(), &clock, lease);
        let index = index(directory.path());
        Self { store, clock, directory, index, indexes_made_anew: 0 }
    }

    /// Ends the store and starts it again; how many jobs were with a worker.
    pub(crate) async fn restart(&mut self, how: Restart, lease: Lease) -> u64 {
        let image = match how {
            Restart::Kill | Restart::KillAndRebuild => Some(crash_image(self.directory.path())),
            Restart::Close | Restart::CloseAndRebuild => None,
        };
        self.store.close().await;
        self.indexes_made_anew += u64::from(index(self.directory.path()) != self.index);
        if let Some(image) = image {
            self.directory = image;
        }
        let mut interrupted = 0;
        if matches!(how, Restart::CloseAndRebuild | Restart::KillAndRebuild) {
            let clock = Arc::new(self.clock.clone());
            let (rebuilt, recovery) =
                Store::rebuild(self.directory.path(), Options::default(), clock, &mut |_, _| {}).unwrap();
            rebuilt.close().await;
            interrupted += recovery.jobs_interrupted;
        }
        let (store, recovery) = open(self.directory.path(), &self.clock, lease);
        assert!(!recovery.index_rebuilt || !matches!(how, Restart::Close), "a clean end needs no new index");
        self.store = store;
        self.index = index(self.directory.path());
        interrupted + recovery.jobs_interrupted
    }

    /// Files that belong to a job, whatever it is called.
    pub(crate) fn files_of(&self, id: JobId) -> Vec<PathBuf> {
        let id = id.to_string();
        let is_of_job = |file: &PathBuf| file.to_string_lossy().contains(&id);
        files(self.directory.path()).into_iter().filter(is_of_job).collect()
    }

    /// A worker writes the response and the report of a job, in place of those that it wrote before.
    pub(crate) fn write_answers(&self, job: &Job, answers: &[Vec<u8>; 2]) {
        for (path, bytes) in [self.store.response_path(job), self.store.report_path(job)].iter().zip(answers)
        {
            drop(fs::remove_file(path));
            fs::write(path, bytes).unwrap();
        }
    }
}

fn open(directory: &Path, clock: &ManualClock, lease: Lease) -> (Store, Recovery) {
    let lease = match lease {
        Lease::Long => Duration::from_hours(24),
        Lease::Zero => Duration::ZERO,
    };
    // Of no other use than to be seen by nobody.
    let renewal = Renewal { garbage_bytes_max: 0, pairs_at_once: 7, pause: Duration::ZERO };
    let options = Options { lease, renewal, ..Options::default() };
    let (store, recovery) = Store::open(directory, options, Arc::new(clock.clone())).unwrap();
    assert_eq!(recovery.journal_holes, 0, "{recovery:?}");
    (store, recovery)
}

/// In memory where there is such a directory: syncs would take most of the time.
fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn index(directory: &Path) -> u64 {
    fs::metadata(directory.join("queue")).unwrap().ino()
}

/// The data directory as it would be found if the process were killed now. The store may be tidying
/// up behind the copy's back: it is made of files that were all there at one moment.
fn crash_image(directory: &Path) -> TempDir {
    loop {
        let image = scratch();
        let before = files(directory);
        let copied = before.iter().try_for_each(|file| {
            let target = image.path().join(file);
            fs::create_dir_all(target.parent().unwrap())?;
            let source = directory.join(file);
            if source.is_dir() { fs::create_dir_all(target) } else { fs::copy(source, target).map(drop) }
        });
        match copied {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            copied => {
                copied.unwrap();
                if files(directory) == before {
                    return image;
                }
            }
        }
    }
}

fn files(directory: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut ahead = vec![directory.to_owned()];
    while let Some(next) = ahead.pop() {
        // A directory that went away meanwhile is noticed by whoever looks twice.
        for entry in fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                ahead.push(path.clone());
            }
            found.insert(path.strip_prefix(directory).unwrap().to_owned());
        }
    }
    found
}
