//! Data directories of earlier layouts, as the programs of their time left them.
//!
//! `fixtures/layout-1` was made by the last program of layout 1: a start, six uploads, a clean end; a second
//! start, two holds, five uploads, a kill. `queue/`, `uploads/` and `lock` were left out, and so was a
//! delivered message. `jobs.txt` is what that program said of the jobs: id, organization, state, outcome,
//! name, history.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tidegate_disk::Disk;
use tidegate_domain::ManualClock;
use tidegate_domain::job::Job;
use tidegate_migrations::{LAYOUT, MigrationError, layout_of, migrate};
use tidegate_store::{Filter, OpenError, Options, Recovery, Store};

use crate::rig::{Rig, copy, files_in, instant, org, payload};

fn fixture(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/layout-1").join(below)
}

fn of_layout_1() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture("data"), dir.path());
    dir
}

fn open(dir: &Path) -> Result<(Store, Recovery), OpenError> {
    Store::open(dir, Options::default(), Arc::new(ManualClock::new(instant("2026-11-23T12:00:00Z"))))
}

fn line(store: &Store, job: &Job) -> String {
    let events: Vec<_> = store.history(job.id).unwrap().iter().map(|entry| entry.event.name()).collect();
    let outcome = job.outcome.map_or("-", |outcome| outcome.as_str());
    let submission = &job.submission;
    let name = submission.name.to_text();
    format!("{} {} {} {outcome} {name} {}\n", job.id, submission.org, job.state, events.join(","))
}

#[tokio::test]
async fn a_store_of_layout_1_is_taken_over_with_everything_in_it() {
    let dir = of_layout_1();
    let (store, recovery) = open(dir.path()).unwrap();
    assert_eq!((recovery.journal_holes, recovery.strays_removed), (0, 0));
    assert_eq!(layout_of(dir.path()).unwrap(), LAYOUT);
    let mut jobs = store.list(&Filter { limit: 100, ..Filter::default() }).unwrap();
    jobs.reverse();
    let said: String = jobs.iter().map(|job| line(&store, job)).collect();
    assert_eq!(said, fs::read_to_string(fixture("jobs.txt")).unwrap());
    for job in &jobs {
        assert_eq!(payload(&store, job).len() as u64, job.submission.size_bytes, "{}", job.id);
    }
    for code in ["ACME01", "LAKE02"] {
        let outbox = format!("orgs/{code}/outbox");
        assert_eq!(files_in(&dir.path().join(&outbox)), files_in(&fixture("data").join(&outbox)));
    }
    assert_eq!(store.maintenance().holds.len(), 2);
    assert_eq!(store.staged(&org("ACME01")).unwrap().len(), 1);
    assert!(store.verify().await.unwrap().findings.is_empty());
    store.close().await;
    let (again, recovery) = open(dir.path()).unwrap();
    assert!(!recovery.index_rebuilt);
    again.close().await;
}

#[test]
fn the_journal_of_layout_1_is_kept_as_it_was() {
    let dir = of_layout_1();
    let migrated = migrate(&Disk::default(), dir.path()).unwrap();
    let backup = migrated.backup.unwrap();
    assert_eq!((migrated.found, &backup), (1, &dir.path().join("backup-layout-1")));
    assert_eq!(layout_of(&backup).unwrap(), 1);
    assert_eq!(files_in(&backup), ["journal", "layout"]);
    for name in files_in(&fixture("data/journal")) {
        let bytes = |root: &Path| fs::read(root.join("journal").join(&name)).unwrap();
        assert_eq!(bytes(&backup), bytes(&fixture("data")), "{name}");
    }
    assert_eq!(files_in(&backup.join("journal")), files_in(&fixture("data/journal")));
    assert_eq!(migrate(&Disk::default(), dir.path()).unwrap().backup, None, "once");

    // The way back: journal and number from the copy, all else as it is.
    fs::remove_dir_all(dir.path().join("journal")).unwrap();
    copy(&backup, dir.path());
    assert_eq!(layout_of(dir.path()).unwrap(), 1);
}

#[tokio::test]
async fn a_store_of_layout_2_is_taken_over_and_its_journal_kept() {
    let rig = Rig::new();
    let job = rig.accept("A", "1", b"1").await;
    let dir = rig.closed().await;
    fs::write(dir.path().join("layout"), "2\n").unwrap();
    let journal = files_in(&dir.path().join("journal"));
    let (store, recovery) = open(dir.path()).unwrap();
    assert!(!recovery.index_rebuilt && payload(&store, &job) == b"1");
    store.close().await;
    assert_eq!(layout_of(dir.path()).unwrap(), LAYOUT);
    assert_eq!(files_in(&dir.path().join("backup-layout-2/journal")), journal);
}

#[test]
fn a_migration_that_was_cut_short_is_taken_up_again() {
    let dir = of_layout_1();
    let part = dir.path().join("backup-layout-1.part");
    fs::create_dir_all(part.join("journal")).unwrap();
    fs::write(part.join("journal/0000000000000001.sealed"), "half").unwrap();
    migrate(&Disk::default(), dir.path()).unwrap();
    assert!(!part.exists());

    // Cut short between the copy and the new number: the copy counts.
    fs::write(dir.path().join("layout"), "1\n").unwrap();
    migrate(&Disk::default(), dir.path()).unwrap();
    assert_eq!(layout_of(dir.path()).unwrap(), LAYOUT);
}

#[test]
fn a_copy_of_another_journal_is_not_taken_for_this_ones() {
    let dir = of_layout_1();
    let old = dir.path().join("backup-layout-1/journal");
    fs::create_dir_all(&old).unwrap();
    fs::write(old.join("0000000000000001.sealed"), "older").unwrap();
    let refused = migrate(&Disk::default(), dir.path());
    assert!(matches!(refused, Err(MigrationError::OtherBackup { .. })), "{refused:?}");
    assert_eq!(fs::read(old.join("0000000000000001.sealed")).unwrap(), b"older");
    assert_eq!(layout_of(dir.path()).unwrap(), 1);
}

#[test]
fn without_room_for_the_copy_nothing_is_changed() {
    let dir = of_layout_1();
    let huge = fs::File::create(dir.path().join("journal/00000000000000ff.log")).unwrap();
    huge.set_len(8 << 40).unwrap();
    let refused = migrate(&Disk::default(), dir.path());
    assert!(matches!(refused, Err(MigrationError::NoSpace { .. })), "{refused:?}");
    assert!(!dir.path().join("backup-layout-1").exists() && layout_of(dir.path()).unwrap() == 1);
}
