//! An index that is made anew beside the work.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tidegate_disk::{Call, Disk, Grant, Watch};
use tidegate_store::{Options, Renewal};

use crate::rig::{Rig, files_in, upload_name};

/// As soon as it may, in many steps.
const AT_ONCE: Renewal = Renewal { garbage_bytes_max: 0, pairs_at_once: 2, pause: Duration::ZERO };

/// What the index's directory is known by, whatever its name.
fn index(data_dir: &Path) -> u64 {
    fs::metadata(data_dir.join("queue")).unwrap().ino()
}

async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Counts calls that have to do with a new index. Refuses to make one durable until it may be, and files of
/// uploads for as long as that is wanted.
#[derive(Debug)]
struct Slow {
    calls: AtomicU64,
    may: Mutex<Receiver<()>>,
    refuses: AtomicBool,
    /// Whether an index was to be made durable yet.
    waits: AtomicBool,
}

impl Slow {
    /// The other end is given away once an index may be made durable.
    fn new(refuses: bool) -> (Arc<Self>, Sender<()>) {
        let (go, may) = channel();
        let (calls, may) = (AtomicU64::new(0), Mutex::new(may));
        let (refuses, waits) = (AtomicBool::new(refuses), AtomicBool::new(false));
        (Arc::new(Self { calls, may, refuses, waits }), go)
    }
}

impl Watch for Slow {
    fn before(&self, call: &Call<'_>) -> io::Result<Grant> {
        let (Call::Create(path)
        | Call::Open(path)
        | Call::MakeDir(path)
        | Call::Remove(path)
        | Call::Sync(path)) = call
        else {
            return Ok(Grant::Whole);
        };
        if path.components().any(|part| part.as_os_str() == "queue.next") {
            self.calls.fetch_add(1, Ordering::Relaxed);
            if matches!(call, Call::Sync(_)) {
                self.waits.store(true, Ordering::Relaxed);
                // Once it may, nobody holds the other end.
                _ = self.may.lock().unwrap().recv();
            }
        }
        let is_upload =
            matches!(call, Call::Create(path) if path.parent().is_some_and(|at| at.ends_with("incoming")));
        if is_upload && self.refuses.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(Grant::Whole)
    }
}

/// Has no room for a new index.
#[derive(Debug, Default)]
struct NoRoom {
    was_asked: AtomicBool,
}

impl Watch for NoRoom {
    fn before(&self, call: &Call<'_>) -> io::Result<Grant> {
        if matches!(call, Call::Reserve { path, .. } if path.ends_with("queue.next/db")) {
            self.was_asked.store(true, Ordering::Relaxed);
            return Err(Errno::NOSPC.into());
        }
        Ok(Grant::Whole)
    }
}

#[tokio::test]
async fn a_new_index_without_room_is_given_up_and_the_old_one_goes_on() {
    let watch = Arc::new(NoRoom::default());
    let disk = Disk::watched(watch.clone());
    let options = Options { renewal: AT_ONCE, disk, ..Options::default() };
    let rig = Rig::open_with(tempfile::tempdir().unwrap(), options);
    let old = index(rig.path());
    wait_until("no index was begun", || watch.was_asked.load(Ordering::Relaxed)).await;
    wait_until("it is not given up", || !rig.path().join("queue.next").exists()).await;
    rig.accept("A", "1", b"1").await;
    assert_eq!(rig.store.verify().await.unwrap().findings, Vec::<String>::new());
    assert_eq!(index(rig.path()), old);
    assert!(rig.closed().await.path().join("clean").exists());
}

/// They waited for the last step, while no worker got them and nothing more was taken.
#[tokio::test]
async fn files_that_the_disk_refused_are_tried_again_while_an_index_is_made() {
    let (slow, go) = Slow::new(true);
    let disk = Disk::watched(slow.clone());
    let rig = Rig::open_with(
        tempfile::tempdir().unwrap(),
        Options { renewal: AT_ONCE, disk, ..Options::default() },
    );
    let job = rig.try_accept("A", "1", b"1").await.unwrap();
    wait_until("a file was not refused", || rig.store.payload_path(&job).is_none()).await;
    wait_until("no index is made", || slow.calls.load(Ordering::Relaxed) > 0).await;
    slow.refuses.store(false, Ordering::Relaxed);
    let incoming = rig.path().join("orgs/A/incoming");
    wait_until("the file was not tried again", || files_in(&incoming).len() == 1).await;
    assert!(rig.path().join("queue.next").exists(), "the index was to be in the making");
    drop(go);
    rig.closed().await;
}

/// It adds up already, and the disk takes its time for it.
#[tokio::test]
async fn a_change_while_the_new_index_is_made_durable_is_in_both() {
    let (slow, go) = Slow::new(false);
    let disk = Disk::watched(slow.clone());
    let rig = Rig::open_with(
        tempfile::tempdir().unwrap(),
        Options { renewal: AT_ONCE, disk, ..Options::default() },
    );
    let old = index(rig.path());
    wait_until("no index waits for the disk", || slow.waits.load(Ordering::Relaxed)).await;
    rig.accept("A", "1", b"1").await;
    // Has the index in use given what it lacks.
    assert_eq!(rig.store.verify().await.unwrap().findings, Vec::<String>::new());
    drop(go);
    wait_until("no new index", || index(rig.path()) != old).await;
    assert_eq!(rig.store.verify().await.unwrap().findings, Vec::<String>::new());
    let again = Rig::open(rig.closed().await);
    assert_eq!(again.recovery.changes_replayed, 0);
    assert_eq!(again.claim().await.job.submission.name, upload_name("1"));
}

#[tokio::test]
async fn a_store_that_closes_begins_no_new_index() {
    let (slow, _go) = Slow::new(false);
    let renewal = Renewal { pause: Duration::from_hours(1), ..AT_ONCE };
    let options = Options { renewal, disk: Disk::watched(slow.clone()), ..Options::default() };
    Rig::open_with(tempfile::tempdir().unwrap(), options).closed().await;
    assert_eq!(slow.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn the_index_that_was_made_anew_is_the_one_that_is_written_from_then_on() {
    let rig = Rig::new();
    for name in ["1", "2", "3"] {
        rig.accept("A", name, b"before").await;
    }
    let dir = rig.closed().await;
    let old = index(dir.path());
    let rig = Rig::open_with(dir, Options { renewal: AT_ONCE, ..Options::default() });
    wait_until("no new index", || index(rig.path()) != old && !rig.path().join("queue.next").exists()).await;
    rig.accept("B", "4", b"after").await;
    assert_eq!(rig.store.verify().await.unwrap().findings, Vec::<String>::new());
    let again = Rig::open(rig.closed().await);
    assert!(!again.recovery.index_rebuilt && again.recovery.changes_replayed == 0, "{:?}", again.recovery);
    let stats = again.store.stats().unwrap();
    assert_eq!(stats.by_state.values().sum::<u64>(), 4);
}
