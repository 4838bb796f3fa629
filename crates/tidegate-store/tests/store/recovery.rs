//! Starts after everything that can happen to a machine or to the index.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tidegate_domain::job::{Job, JobState};
use tidegate_domain::{JobId, SystemClock};
use tidegate_store::{Filter, OpenError, Options, Store, StoreError};

use crate::rig::{Rig, org, payload, written_bytes};

/// A store with a job in each of some states, killed.
async fn busy_store() -> (TempDir, Vec<Job>) {
    let rig = Rig::new();
    for n in 0..40_u8 {
        rig.accept(&format!("ORG{}", n % 3), &format!("{n}.hl7"), &[n; 100]).await;
    }
    for _ in 0..5 {
        let claim = rig.claim().await;
        rig.complete(&claim).await;
    }
    let id = newest(&rig.store);
    rig.store.act(id, tidegate_domain::job::JobEvent::Held { reason: "look".into() }, "eve").await.unwrap();
    let jobs = all(&rig.store);
    (rig.crash_image(), jobs)
}

fn all(store: &Store) -> Vec<Job> {
    store.list(&Filter { limit: 1000, ..Filter::default() }).unwrap()
}

fn newest(store: &Store) -> JobId {
    store.list(&Filter { limit: 1, ..Filter::default() }).unwrap()[0].id
}

fn assert_whole(rig: &Rig, jobs: &[Job]) {
    assert_eq!(all(&rig.store), jobs);
    for job in jobs {
        assert_eq!(payload(&rig.store, job).len(), 100);
        let mut history = rig.store.history(job.id).unwrap();
        assert_eq!(history.remove(0).event.name(), "accepted");
    }
    assert_eq!(rig.store.stats().unwrap().by_state[&JobState::Complete], 5);
    assert_eq!(rig.store.outbox(&org("ORG1")).unwrap().len(), 4);
}

#[tokio::test]
async fn an_index_that_was_deleted_is_made_anew() {
    let (dir, jobs) = busy_store().await;
    fs::remove_dir_all(dir.path().join("queue")).unwrap();
    let rig = Rig::open(dir);
    assert!(rig.recovery.index_rebuilt);
    assert_whole(&rig, &jobs);
}

#[tokio::test]
async fn an_index_that_is_intact_is_not_made_anew() {
    let (dir, jobs) = busy_store().await;
    let rig = Rig::open(dir);
    assert!(!rig.recovery.index_rebuilt);
    assert_whole(&rig, &jobs);
    let rig = Rig::open(rig.closed().await);
    assert!(!rig.recovery.index_rebuilt);
    assert_eq!(rig.recovery.changes_replayed, 0);
    assert_whole(&rig, &jobs);
}

/// A power cut may take the last batch in part, but then nobody was told of it.
#[tokio::test]
async fn a_torn_end_of_the_journal_is_cut_off_at_every_length() {
    let rig = Rig::new();
    let first = rig.accept("A", "1", b"1").await;
    let journal = newest_segment(rig.path());
    let whole = fs::metadata(&journal).unwrap().len();
    rig.accept("A", "2", &[b'2'; 50]).await;
    let end = fs::metadata(&journal).unwrap().len();
    for len in (whole + 1..end).step_by(7) {
        let image = rig.crash_image();
        fs::remove_dir_all(image.path().join("queue")).unwrap();
        let torn = fs::OpenOptions::new().write(true).open(newest_segment(image.path())).unwrap();
        torn.set_len(len).unwrap();
        let after = Rig::open(image);
        assert_eq!(all(&after.store).iter().map(|job| job.id).collect::<Vec<_>>(), [first.id], "{len}");
        assert_eq!(after.recovery.journal_holes, 0);
        assert_eq!(after.recovery.strays_removed, 1, "the bytes that were never acknowledged");
        let next = after.accept("A", "3", b"3").await;
        let again = after.after_kill();
        assert_eq!(all(&again.store)[0].id, next.id);
        assert_eq!(again.recovery.journal_holes, 0, "what was cut off is not met again");
    }
}

#[tokio::test]
async fn bytes_that_a_power_cut_took_from_the_spool_come_back_from_the_journal() {
    let rig = Rig::new();
    let lost = rig.accept("A", "1", b"lost").await;
    let zeroed = rig.accept("A", "2", b"zeroed").await;
    let image = rig.crash_image();
    let path = |job: &Job| image.path().join("orgs/A/incoming").join(format!("{}.hl7", job.id));
    fs::remove_file(path(&lost)).unwrap();
    fs::write(path(&zeroed), [0; 6]).unwrap();
    let after = Rig::open(image);
    assert_eq!(payload(&after.store, &lost), b"lost");
    assert_eq!(payload(&after.store, &zeroed), b"zeroed");
}

#[tokio::test]
async fn a_hole_in_the_journal_is_told_and_takes_nothing_else_with_it() {
    let rig = Rig::new();
    let first = rig.accept("A", "1", b"1").await;
    let start = written_bytes(&newest_segment(rig.path()));
    let second = rig.accept("A", "2", b"2").await;
    let third = rig.accept("A", "3", b"3").await;
    let image = rig.crash_image();
    fs::remove_dir_all(image.path().join("queue")).unwrap();
    let segment = newest_segment(image.path());
    let mut bytes = fs::read(&segment).unwrap();
    bytes[usize::try_from(start).unwrap() + 25] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let after = Rig::open(image);
    assert_eq!(after.recovery.journal_holes, 1);
    assert_eq!(all(&after.store).iter().map(|job| job.id).collect::<Vec<_>>(), [third.id, first.id]);
    assert!(after.files("orgs/A/incoming").contains(&format!("{}.hl7", second.id)), "its bytes are kept");
    assert!(!after.store.verify().await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn uploads_without_a_journal_are_no_new_store() {
    let (dir, _) = busy_store().await;
    fs::remove_dir_all(dir.path().join("journal")).unwrap();
    fs::create_dir(dir.path().join("journal")).unwrap();
    let refused = Store::open(dir.path(), Options::default(), Arc::new(SystemClock));
    assert!(matches!(refused, Err(OpenError::Damaged { .. })));
}

#[tokio::test]
async fn a_store_in_use_is_locked() {
    let rig = Rig::new();
    let refused = Store::open(rig.path(), Options::default(), Arc::new(SystemClock));
    assert!(matches!(refused, Err(OpenError::Locked(_))));
}

/// A server that has closed its store may answer a question or two before it ends.
#[tokio::test]
async fn a_closed_store_lets_go_of_its_index_though_handles_of_it_are_left() {
    let (dir, jobs) = busy_store().await;
    let rig = Rig::open(dir);
    let handle = rig.store.clone();
    let rig = Rig::open(rig.closed().await);
    assert!(!rig.recovery.index_rebuilt);
    assert_eq!(rig.recovery.changes_replayed, 0);
    assert_whole(&rig, &jobs);
    assert!(matches!(handle.get(jobs[0].id), Err(StoreError::Closed)));
}

/// It was taken for a damaged one and made anew.
#[tokio::test]
async fn an_index_that_is_locked_for_a_moment_is_waited_for() {
    let (dir, jobs) = busy_store().await;
    let index = fs::File::open(dir.path().join("queue/db")).unwrap();
    index.try_lock().unwrap();
    let opening = std::thread::spawn(|| Rig::open(dir));
    while !is_waited_for(&index) && !opening.is_finished() {
        std::thread::yield_now();
    }
    index.unlock().unwrap();
    let rig = opening.join().unwrap();
    assert!(!rig.recovery.index_rebuilt);
    assert_whole(&rig, &jobs);
}

/// Whether the kernel knows of somebody who waits for the lock of a file.
fn is_waited_for(file: &fs::File) -> bool {
    let inode = format!(":{} ", std::os::unix::fs::MetadataExt::ino(&file.metadata().unwrap()));
    let locks = fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|line| line.contains("->") && line.contains(&inode))
}

#[tokio::test]
async fn rebuilding_reports_progress_and_changes_nothing() {
    let (dir, jobs) = busy_store().await;
    let mut heard = Vec::new();
    let clock = Arc::new(SystemClock);
    let (store, recovery) =
        Store::rebuild(dir.path(), Options::default(), clock, &mut |done, all| heard.push((done, all)))
            .unwrap();
    assert!(recovery.index_rebuilt);
    assert_eq!(heard.last().map(|(done, all)| done == all), Some(true));
    store.close().await;
    assert_whole(&Rig::open(dir), &jobs);
}

#[tokio::test]
async fn a_whole_store_verifies() {
    let (dir, _) = busy_store().await;
    let rig = Rig::open(dir);
    let found = rig.store.verify().await.unwrap();
    assert_eq!(found.findings, Vec::<String>::new());
    assert_eq!(found.jobs_waiting, 35);
}

#[tokio::test]
async fn restarts_seal_the_segments_before_and_keep_everything() {
    let (mut dir, jobs) = busy_store().await;
    for _ in 0..3 {
        dir = Rig::open(dir).closed().await;
    }
    let segments = crate::rig::files_in(&dir.path().join("journal"));
    assert!(segments.iter().any(|name| name.ends_with(".sealed")), "{segments:?}");
    fs::remove_dir_all(dir.path().join("queue")).unwrap();
    assert_whole(&Rig::open(dir), &jobs);
}

fn newest_segment(data_dir: &Path) -> PathBuf {
    let mut segments: Vec<PathBuf> =
        fs::read_dir(data_dir.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    segments.pop().unwrap()
}

/// The journal alone can't tell a torn end from the loss of an acknowledged batch; the index can.
#[tokio::test]
async fn an_index_that_knows_more_than_a_damaged_journal_is_kept() {
    let rig = Rig::new();
    rig.accept("A", "1", b"1").await;
    let whole = written_bytes(&newest_segment(rig.path()));
    rig.accept("A", "2", b"2").await;
    let jobs = all(&rig.store);
    let dir = rig.closed().await;
    let segment = newest_segment(dir.path());
    let mut bytes = fs::read(&segment).unwrap();
    bytes[usize::try_from(whole).unwrap() + 30] ^= 1;
    fs::write(&segment, bytes).unwrap();

    let clock = Arc::new(SystemClock);
    let refused = Store::rebuild(dir.path(), Options::default(), clock, &mut |_, _| {});
    assert!(matches!(refused, Err(OpenError::Damaged { .. })), "a rebuild would lose the second job");
    let mut dir = dir;
    for _ in 0..2 {
        let rig = Rig::open(dir);
        assert!(rig.recovery.journal_holes > 0);
        assert_eq!(all(&rig.store), jobs);
        assert_eq!(payload(&rig.store, &jobs[0]), b"2");
        dir = rig.closed().await;
    }
}

#[tokio::test]
async fn what_is_left_of_a_done_job_in_the_wrong_place_is_no_stray() {
    let rig = Rig::new();
    let job = rig.accept("A", "1", b"done").await;
    rig.complete(&rig.claim().await).await;
    let dir = rig.closed().await;
    fs::remove_file(dir.path().join("clean")).unwrap();
    let file = |place: &str| dir.path().join(format!("orgs/A/{place}/{}.hl7", job.id));
    fs::rename(file("archive"), file("incoming")).unwrap();
    let after = Rig::open(dir);
    assert_eq!(after.recovery.strays_removed, 0);
    assert_eq!(payload(&after.store, &job), b"done");
}
