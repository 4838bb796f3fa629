//! A disk so full that the index finds no room on it: sled is given nothing, since it would never get over the
//! first error, and everything else goes on.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidegate_disk::{Call, Disk, Grant, Watch};
use tidegate_store::{Options, StoreError};

use crate::rig::Rig;

/// More changes than the index is left without otherwise.
const FILES: usize = 300;

/// Has no room to set aside while it is full; tells each time whether it had.
#[derive(Debug)]
struct Full {
    is_full: AtomicBool,
    asked: Mutex<Sender<bool>>,
}

impl Watch for Full {
    fn before(&self, call: &Call<'_>) -> io::Result<Grant> {
        if matches!(call, Call::Reserve { .. }) {
            let is_full = self.is_full.load(Ordering::Relaxed);
            // Nobody listens at the end of a test.
            _ = self.asked.lock().unwrap().send(!is_full);
            if is_full {
                return Err(rustix::io::Errno::NOSPC.into());
            }
        }
        Ok(Grant::Whole)
    }
}

/// A store that never had any room for its index.
fn full_rig(mut options: Options) -> (Rig, Arc<Full>, Receiver<bool>) {
    let (asked, answers) = channel();
    let full = Arc::new(Full { is_full: AtomicBool::new(true), asked: Mutex::new(asked) });
    options.disk = Disk::watched(Arc::clone(&full) as _);
    (Rig::open_with(tempfile::tempdir().unwrap(), options), full, answers)
}

fn next_answer(answers: &Receiver<bool>) -> bool {
    answers.recv_timeout(Duration::from_mins(1)).unwrap()
}

fn has_clean_end(rig: &tempfile::TempDir) -> bool {
    rig.path().join("clean").exists()
}

#[tokio::test]
async fn while_the_index_finds_no_room_everything_else_goes_on_and_it_catches_up_by_itself() {
    let (rig, full, answers) = full_rig(Options::default());
    for number in 0..FILES {
        rig.accept("A", &number.to_string(), number.to_string().as_bytes()).await;
    }
    let done = rig.complete(&rig.claim().await).await;
    assert!(matches!(rig.store.verify().await, Err(StoreError::NoSpace)));
    assert!(matches!(rig.store.compact().await, Err(StoreError::NoSpace)));
    assert!(!*rig.store.failed().borrow(), "a full disk is no failure");
    assert_eq!(rig.store.get(done.id).unwrap().as_ref(), Some(&done), "readers see it all the same");
    // Nobody asks for anything any more; the store asks for room.
    answers.try_iter().for_each(drop);
    assert!(!next_answer(&answers));
    let after = rig.after_kill();
    assert_eq!(after.recovery.changes_replayed, FILES as u64 + 2, "sled was given nothing");
    assert_eq!(after.store.get(done.id).unwrap(), Some(done));
    full.is_full.store(false, Ordering::Relaxed);
    while !next_answer(&answers) {}
    assert_eq!(rig.store.verify().await.unwrap().findings, Vec::<String>::new());
    rig.store.compact().await.unwrap();
    assert_eq!(rig.after_kill().recovery.changes_replayed, 0);
    let dir = rig.closed().await;
    assert!(has_clean_end(&dir));
}

/// Its note would say that the index has everything.
#[tokio::test]
async fn an_end_without_room_for_the_index_is_none_in_good_order_and_loses_nothing() {
    let (rig, _, _) = full_rig(Options::default());
    let job = rig.accept("A", "1", b"1").await;
    let dir = rig.closed().await;
    assert!(!has_clean_end(&dir));
    let rig = Rig::open(dir);
    assert_eq!(rig.store.get(job.id).unwrap(), Some(job));
    assert!(has_clean_end(&rig.closed().await));
}

/// Without its payloads a segment can't give back what a view of it lost, so the views have to be durable before.
#[tokio::test]
async fn segments_are_sealed_when_the_index_has_room_again_and_not_before() {
    let (rig, full, _) = full_rig(Options { segment_bytes_max: 2_000, ..Options::default() });
    for number in 0..FILES {
        rig.accept("A", &number.to_string(), b"HL7").await;
    }
    let sealed = |rig: &Rig| rig.files("journal").iter().filter(|name| name.ends_with("sealed")).count();
    assert!(matches!(rig.store.compact().await, Err(StoreError::NoSpace)));
    assert_eq!(sealed(&rig), 0);
    full.is_full.store(false, Ordering::Relaxed);
    rig.store.compact().await.unwrap();
    assert!(sealed(&rig) > 0);
    assert_eq!(rig.store.verify().await.unwrap().findings, Vec::<String>::new());
}
