//! Copies of a store that goes on.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;
use tidegate_disk::{Call, Disk, Grant, Watch};
use tidegate_domain::ManualClock;
use tidegate_domain::job::{Job, JobEvent, JobState};
use tidegate_store::{
    Backup, BackupDone, BackupError, Beside, Filter, OpenError, Options, Store, Verification,
};

use crate::rig::{Rig, copy, files_in, instant, org, payload};

/// A place for a backup.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("backup")
    }

    /// Opens a copy of the backup, so that the backup itself stays as it was made.
    fn restored(&self) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        copy(&self.path(), dir.path());
        Rig::open(dir)
    }

    fn inspect(&self) -> Verification {
        let scratch = tempfile::tempdir().unwrap();
        Store::inspect(&self.path(), scratch.path(), &mut |_, _| {}).unwrap()
    }
}

async fn begin(rig: &Rig, place: &Place) -> Backup {
    rig.store.backup(place.path(), Vec::new()).await.unwrap()
}

fn finish(backup: Backup) -> BackupDone {
    backup.copy(&mut |_| ControlFlow::Continue(())).unwrap()
}

fn jobs(store: &Store) -> Vec<Job> {
    store.list(&Filter { limit: usize::MAX, ..Filter::default() }).unwrap()
}

fn large() -> Vec<u8> {
    vec![b'x'; 200_000]
}

async fn refused(rig: &Rig, name: &str, response: &str) -> Job {
    rig.accept("ACME", name, b"no HL7").await;
    let claim = rig.claim().await;
    std::fs::write(rig.store.response_path(&claim.job), response).unwrap();
    std::fs::write(rig.store.report_path(&claim.job), response).unwrap();
    rig.store.finish(&claim, JobEvent::Refused { reason: "no HL7".to_owned() }).await.unwrap()
}

#[tokio::test]
async fn a_backup_shows_the_store_as_it_was_at_its_instant() {
    let rig = Rig::new();
    let done = rig.accept("ACME", "done.hl7", b"MSH|1").await;
    rig.complete(&rig.claim().await).await;
    let read = rig.accept("ACME", "read.hl7", b"MSH|2").await;
    rig.complete(&rig.claim().await).await;
    rig.store
        .delete_outbox(&org("ACME"), format!("read.hl7.{}.response", read.id).as_bytes(), "acme")
        .await
        .unwrap();
    rig.accept("ACME", "large.hl7", &large()).await;
    rig.accept("LAKE", "small.hl7", b"MSH|3").await;
    rig.accept("BUSY", "in-hand.hl7", b"MSH|4").await;
    let in_hand = rig.store.claim(3).await.unwrap();
    let before = jobs(&rig.store);

    let place = Place::new();
    let backup = begin(&rig, &place).await;
    // Everything moves on before a single file of a job was copied.
    for claim in &in_hand {
        rig.complete(claim).await;
    }
    rig.store
        .delete_outbox(&org("ACME"), format!("done.hl7.{}.response", done.id).as_bytes(), "acme")
        .await
        .unwrap();
    rig.accept("ACME", "later.hl7", b"MSH|5").await;
    rig.accept("ACME", "later-and-large.hl7", &large()).await;
    let made = finish(backup);
    assert_eq!((made.jobs, made.jobs_without_bytes), (5, 0));
    assert_eq!(made.at, instant("2024-03-08T12:00:00Z"));

    let found = place.inspect();
    assert_eq!((found.findings, found.jobs_waiting), (vec![], 3));
    let restored = place.restored();
    assert_eq!(restored.recovery.jobs_interrupted, 3);
    let names = |jobs: &[Job]| jobs.iter().map(|job| (job.id, job.submission.clone())).collect::<Vec<_>>();
    assert_eq!(names(&jobs(&restored.store)), names(&before));
    assert_eq!(restored.files("orgs/ACME/incoming").len(), 1, "what came later is not in it");
    let outbox = restored.files("orgs/ACME/outbox");
    assert!(outbox.contains(&format!("done.hl7.{}.response", done.id)), "deleted only later: {outbox:?}");
    assert!(!outbox.contains(&format!("read.hl7.{}.response", read.id)), "deleted before: {outbox:?}");
    assert!(restored.store.verify().await.unwrap().findings.is_empty());
    let claims = restored.store.claim(9).await.unwrap();
    assert_eq!(claims.len(), 3);
    for claim in claims {
        let bytes = payload(&restored.store, &claim.job);
        assert_eq!(bytes.len() as u64, claim.job.submission.size_bytes);
        restored.complete(&claim).await;
    }
    assert_eq!(rig.store.stats().unwrap().by_state[&JobState::Complete], 5, "the original goes on by itself");
}

#[tokio::test]
async fn an_answer_that_is_replaced_meanwhile_is_in_the_backup_as_it_was() {
    let rig = Rig::new();
    let job = refused(&rig, "a.hl7", "the first answer").await;
    let place = Place::new();
    let backup = begin(&rig, &place).await;
    for answer in ["second", "third"] {
        let requeue = JobEvent::Requeued { reason: "again".to_owned() };
        rig.store.act(job.id, requeue, "jo").await.unwrap();
        let claim = rig.claim().await;
        // As the worker does: what lay there is unlinked, not overwritten.
        for path in [rig.store.response_path(&claim.job), rig.store.report_path(&claim.job)] {
            std::fs::remove_file(&path).unwrap();
            std::fs::write(path, answer).unwrap();
        }
        rig.store.finish(&claim, JobEvent::Refused { reason: "still".to_owned() }).await.unwrap();
    }
    finish(backup);
    let restored = place.restored();
    assert_eq!(restored.store.get(job.id).unwrap().unwrap().reason.unwrap(), "no HL7");
    for name in restored.files("orgs/ACME/outbox") {
        let answer = std::fs::read_to_string(restored.path().join("orgs/ACME/outbox").join(&name)).unwrap();
        assert_eq!(answer, "the first answer", "{name}");
    }
    assert_eq!(restored.files("orgs/ACME/outbox").len(), 2);
    assert_eq!(rig.files("uploads"), Vec::<String>::new(), "nothing is left of it");
}

#[tokio::test]
async fn an_interrupted_backup_is_not_taken_for_a_whole_one() {
    let rig = Rig::new();
    refused(&rig, "a.hl7", "answer").await;
    rig.accept("ACME", "b.hl7", b"MSH|").await;
    let beside = tempfile::tempdir().unwrap();
    std::fs::write(beside.path().join("tidegate.toml"), "").unwrap();
    let beside = vec![Beside { from: beside.path().to_owned(), to: "config".into() }];
    let mut whole = false;
    for steps in 0.. {
        let place = Place::new();
        let backup = rig.store.backup(place.path(), beside.clone()).await.unwrap();
        let mut left = steps;
        let copied = backup.copy(&mut |_| {
            left -= 1;
            if left < 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let opened = Store::open(&place.path(), Options::default(), Arc::new(rig.clock.clone()));
        if copied.is_ok() {
            assert!(opened.is_ok());
            whole = true;
            break;
        }
        assert!(matches!(copied, Err(BackupError::Interrupted)), "{copied:?}");
        let Err(OpenError::Layout(error)) = opened else { panic!("taken after {steps} steps") };
        assert!(error.to_string().contains("interrupted"), "{error}");
        let again = rig.store.backup(place.path(), Vec::new()).await;
        assert!(matches!(again, Err(BackupError::Rest { .. })), "{again:?}");
        std::fs::remove_dir_all(place.path()).unwrap();
        finish(begin(&rig, &place).await);
    }
    assert!(whole);
}

/// Lets some calls below a directory happen, then says that its disk is full.
#[derive(Debug)]
struct FullDisk {
    below: PathBuf,
    left: AtomicU64,
}

impl Watch for FullDisk {
    fn before(&self, call: &Call<'_>) -> std::io::Result<Grant> {
        let (Call::Create(path) | Call::Write { path, .. } | Call::MakeDir(path)) = call else {
            return Ok(Grant::Whole);
        };
        let spent = |left: u64| left.checked_sub(1);
        let is_spent = || self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).is_err();
        if path.starts_with(&self.below) && is_spent() {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        Ok(Grant::Whole)
    }
}

#[tokio::test]
async fn a_full_disk_under_the_backup_is_told_and_hurts_nobody_else() {
    let place = Place::new();
    let disk = Arc::new(FullDisk { below: place.path(), left: AtomicU64::new(0) });
    let options = Options { disk: Disk::watched(Arc::clone(&disk) as _), ..Options::default() };
    let rig = Rig::open_with(tempfile::tempdir().unwrap(), options);
    refused(&rig, "a.hl7", "answer").await;
    rig.accept("ACME", "large.hl7", &large()).await;
    for calls in 0.. {
        disk.left.store(calls, Ordering::Relaxed);
        let made = match rig.store.backup(place.path(), Vec::new()).await {
            Ok(backup) => backup.copy(&mut |_| ControlFlow::Continue(())),
            Err(error) => Err(error),
        };
        let is_empty = files_in(&place.path()).is_empty();
        let opened = Store::open(&place.path(), Options::default(), Arc::new(rig.clock.clone()));
        if made.is_ok() {
            assert!(calls > 10 && opened.is_ok(), "{calls} calls");
            rig.accept("ACME", "later.hl7", b"MSH|").await;
            break;
        }
        assert!(matches!(made, Err(BackupError::NoSpace { .. })), "{made:?}");
        assert!(is_empty || matches!(opened, Err(OpenError::Layout(_))), "taken after {calls} calls");
        std::fs::remove_dir_all(place.path()).unwrap();
        rig.store.verify().await.unwrap();
    }
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_backup_is_told_and_left_alone() {
    let rig = Rig::new();
    rig.accept("ACME", "a.hl7", b"MSH|").await;
    let place = Place::new();
    let refusal = async |path: &Path| rig.store.backup(path.to_owned(), Vec::new()).await.unwrap_err();
    assert!(matches!(refusal(&rig.path().join("backup")).await, BackupError::Inside { .. }));
    assert!(matches!(refusal(Path::new("backup")).await, BackupError::Target { .. }));
    assert!(matches!(refusal(&place.path().join("below/nothing")).await, BackupError::Target { .. }));
    std::fs::create_dir(place.path()).unwrap();
    std::fs::write(place.path().join("thesis.txt"), "").unwrap();
    assert!(matches!(refusal(&place.path()).await, BackupError::NotEmpty { .. }));
    assert_eq!(files_in(&place.path()), ["thesis.txt"]);
    std::fs::remove_file(place.path().join("thesis.txt")).unwrap();

    let backup = begin(&rig, &place).await;
    let other = Place::new();
    assert!(matches!(refusal(&other.path()).await, BackupError::Busy));
    assert!(!other.path().exists());
    finish(backup);
    finish(begin(&rig, &other).await);
}

#[tokio::test]
async fn a_store_that_lost_something_is_not_backed_up() {
    let rig = Rig::new();
    for name in ["a.hl7", "b.hl7"] {
        rig.accept("ACME", name, b"MSH|").await;
    }
    let dir = rig.closed().await;
    let segment = dir.path().join("journal/0000000000000001.log");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[60] ^= 0xff;
    std::fs::write(&segment, bytes).unwrap();
    let rig = Rig::open(dir);
    assert_eq!(rig.recovery.journal_holes, 1);
    let place = Place::new();
    let refused = rig.store.backup(place.path(), Vec::new()).await;
    assert!(matches!(refused, Err(BackupError::Damaged { .. })), "{refused:?}");
    assert!(!place.path().exists());
}

#[tokio::test]
async fn damage_that_the_start_had_no_reason_to_meet_is_met_by_the_backup() {
    let rig = Rig::new();
    rig.accept("ACME", "a.hl7", b"MSH|").await;
    // The second start seals the first one's segment, the third one does not read it any more.
    let dir = Rig::open(rig.closed().await).closed().await;
    let segment = dir.path().join("journal/0000000000000001.sealed");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[60] ^= 0xff;
    std::fs::write(&segment, bytes).unwrap();
    let rig = Rig::open(dir);
    assert_eq!(rig.recovery.journal_holes, 0);
    rig.accept("ACME", "b.hl7", b"MSH|").await;
    let place = Place::new();
    let made = begin(&rig, &place).await.copy(&mut |_| ControlFlow::Continue(()));
    assert!(matches!(made, Err(BackupError::Damaged { .. })), "{made:?}");
    let opened = Store::open(&place.path(), Options::default(), Arc::new(rig.clock.clone()));
    assert!(matches!(opened, Err(OpenError::Layout(_))));
}

#[tokio::test]
async fn an_empty_store_can_be_backed_up_and_a_backup_too() {
    let rig = Rig::new();
    let (first, second) = (Place::new(), Place::new());
    finish(begin(&rig, &first).await);
    let restored = first.restored();
    restored.accept("ACME", "a.hl7", b"MSH|").await;
    finish(begin(&restored, &second).await);
    assert_eq!(jobs(&second.restored().store).len(), 1);
}

/// Every path below a directory, with its bytes.
fn tree(root: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
            found.push((path, None));
        } else {
            found.push((path.clone(), Some(std::fs::read(path).unwrap())));
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn inspecting_changes_nothing_and_finds_what_is_missing() {
    let rig = Rig::new();
    let waits = rig.accept("ACME", "waits.hl7", &large()).await;
    rig.accept("ACME", "small.hl7", b"MSH|").await;
    let dir = rig.crash_image();
    let inspect = || {
        let (before, scratch) = (tree(dir.path()), tempfile::tempdir().unwrap());
        let found = Store::inspect(dir.path(), scratch.path(), &mut |_, _| {}).unwrap();
        assert_eq!(tree(dir.path()), before);
        found
    };
    let found = inspect();
    assert_eq!((found.changes, found.jobs_waiting, found.findings), (2, 2, vec![]));
    assert_eq!(found.last_change_at, Some(instant("2024-03-08T12:00:00Z")));

    let bytes = dir.path().join(format!("orgs/ACME/incoming/{}.hl7", waits.id));
    let mut changed = large();
    changed[7] = b'y';
    std::fs::write(&bytes, changed).unwrap();
    let findings = inspect().findings;
    assert!(findings.len() == 1 && findings[0].contains("not those"), "{findings:?}");
    std::fs::remove_file(bytes).unwrap();
    let findings = inspect().findings;
    assert!(findings.len() == 1 && findings[0].contains("missing"), "{findings:?}");
    std::fs::remove_dir_all(dir.path().join("queue")).unwrap();
    assert_eq!(inspect().findings.len(), 1, "an index that is not there is no loss");
}

#[tokio::test]
async fn inspecting_notices_a_journal_that_lost_what_its_index_knows() {
    let rig = Rig::new();
    rig.accept("ACME", "a.hl7", b"MSH|").await;
    rig.accept("ACME", "b.hl7", b"MSH|").await;
    let dir = rig.closed().await;
    let segment = dir.path().join("journal/0000000000000001.log");
    let length = std::fs::metadata(&segment).unwrap().len();
    std::fs::File::options().write(true).open(segment).unwrap().set_len(length - 1).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let found = Store::inspect(dir.path(), scratch.path(), &mut |_, _| {}).unwrap();
    assert!(found.findings.iter().any(|finding| finding.contains("has lost changes")), "{found:?}");
}

#[tokio::test]
async fn a_store_in_use_is_not_inspected() {
    let rig = Rig::new();
    let scratch = tempfile::tempdir().unwrap();
    let found = Store::inspect(rig.path(), scratch.path(), &mut |_, _| {});
    assert!(matches!(found, Err(OpenError::Locked(_))), "{found:?}");
    let empty = tempfile::tempdir().unwrap();
    let found = Store::inspect(empty.path(), scratch.path(), &mut |_, _| {});
    assert!(matches!(found, Err(OpenError::Layout(_))), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_of_a_store_under_load_has_what_was_acknowledged_before_it() {
    let rig = Arc::new(Rig::new());
    let work = {
        let rig = Arc::clone(&rig);
        tokio::spawn(async move {
            for round in 0..120 {
                let bytes = if round % 7 == 0 { large() } else { format!("MSH|{round}").into_bytes() };
                rig.accept(["ACME", "LAKE", "HILL"][round % 3], &format!("{round}.hl7"), &bytes).await;
                for claim in rig.store.claim(round % 3).await.unwrap() {
                    rig.complete(&claim).await;
                }
            }
        })
    };
    let mut backups = 0;
    while !work.is_finished() || backups == 0 {
        let before = jobs(&rig.store);
        let place = Place::new();
        let backup = begin(&rig, &place).await;
        let made = tokio::task::spawn_blocking(move || finish(backup)).await.unwrap();
        backups += 1;
        let found = place.inspect();
        assert!(found.findings.is_empty(), "{found:?}");
        let clock = ManualClock::new(instant("2024-03-08T12:00:00Z"));
        let (store, recovery) = Store::open(&place.path(), Options::default(), Arc::new(clock)).unwrap();
        assert_eq!((recovery.strays_removed, recovery.journal_holes), (0, 0));
        let restored = jobs(&store);
        assert_eq!(restored.len() as u64, made.jobs);
        for job in before {
            let copied = restored.iter().find(|copied| copied.id == job.id).unwrap();
            assert_eq!(payload(&store, copied).len() as u64, job.submission.size_bytes);
            if job.has_response() {
                assert_eq!(copied, &job);
                let answers = store.outbox(&job.submission.org).unwrap();
                assert_eq!(
                    answers
                        .iter()
                        .filter(|file| String::from_utf8_lossy(&file.name).contains(&job.id.to_string()))
                        .count(),
                    2
                );
            }
        }
        store.close().await;
    }
    work.await.unwrap();
}
