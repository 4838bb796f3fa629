//! Files of small uploads, which are written when there is time for it, and never too late.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidegate_disk::{Call, Disk, Grant, Watch};
use tidegate_domain::Terms;
use tidegate_domain::job::{Job, JobEvent};
use tidegate_store::{Claim, Options, StoreError};

use crate::rig::{Rig, files_in, payload};

/// Nothing is written because of the time alone.
const NEVER: Duration = Duration::from_hours(1);

fn rig_with(options: Options) -> Rig {
    Rig::open_with(tempfile::tempdir().unwrap(), options)
}

fn patient_rig() -> Rig {
    rig_with(Options { files_after: NEVER, ..Options::default() })
}

async fn accept(rig: &Rig, name: &str, bytes: &[u8]) -> Job {
    rig.try_accept("A", name, bytes).await.unwrap()
}

fn incoming(below: &Path) -> Vec<String> {
    files_in(&below.join("orgs/A/incoming"))
}

fn name_of(job: &Job) -> String {
    format!("{}.hl7", job.id)
}

fn cancelled() -> JobEvent {
    JobEvent::Cancelled { reason: "no".into() }
}

#[tokio::test]
async fn files_that_a_killed_process_did_not_write_are_written_by_the_next_start() {
    let rig = patient_rig();
    let waits = accept(&rig, "waits", b"1").await;
    let empty = accept(&rig, "empty", b"").await;
    let done = accept(&rig, "done", b"2").await;
    let done = rig.store.act(done.id, cancelled(), "eve").await.unwrap();
    // The index is made durable meanwhile, with all that is on the disk.
    for _ in 0..300 {
        let id = accept(&rig, "many", b"3").await.id;
        rig.store.act(id, cancelled(), "eve").await.unwrap();
    }
    assert_eq!(incoming(rig.path()), Vec::<String>::new());
    let image = rig.crash_image();
    let without_index = rig.crash_image();
    std::fs::remove_dir_all(without_index.path().join("queue")).unwrap();
    for image in [image, without_index] {
        let after = Rig::open(image);
        let mut expected = [name_of(&waits), name_of(&empty)];
        expected.sort();
        assert_eq!(incoming(after.path()), expected);
        assert_eq!(files_in(&after.path().join("orgs/A/archive")).len(), 301);
        assert_eq!((payload(&after.store, &waits), payload(&after.store, &done)), (b"1".into(), b"2".into()));
        assert_eq!(after.store.verify().await.unwrap().findings, Vec::<String>::new());
    }
}

#[tokio::test]
async fn whoever_looks_for_a_file_finds_it_where_the_state_of_its_job_says() {
    let rig = patient_rig();
    let (one, two) = (accept(&rig, "1", b"1").await, accept(&rig, "2", b"2").await);
    assert_eq!(incoming(rig.path()), Vec::<String>::new());
    assert_eq!(rig.store.payload_path(&one), Some(rig.path().join("orgs/A/incoming").join(name_of(&one))));
    assert_eq!(incoming(rig.path()), [name_of(&one)]);
    let two = rig.store.act(two.id, cancelled(), "eve").await.unwrap();
    assert_eq!(rig.store.payload_path(&two), Some(rig.path().join("orgs/A/archive").join(name_of(&two))));
    assert_eq!(payload(&rig.store, &two), b"2");
}

#[tokio::test]
async fn the_oldest_files_are_written_when_too_many_bytes_are_in_memory() {
    let rig = rig_with(Options { files_after: NEVER, deferred_bytes_max: 10, ..Options::default() });
    let jobs = [accept(&rig, "1", b"1234").await, accept(&rig, "2", b"5678").await];
    assert_eq!(incoming(rig.path()), Vec::<String>::new());
    let third = accept(&rig, "3", b"9012").await;
    // Nothing else is decided before.
    rig.store.act(third.id, JobEvent::Held { reason: "wait".into() }, "eve").await.unwrap();
    assert_eq!(incoming(rig.path()), [name_of(&jobs[0])]);
}

/// However busy the store is: the next start reads all changes from there on, and no segment behind is sealed.
#[tokio::test]
async fn no_file_is_left_behind_for_thousands_of_changes() {
    let rig = Arc::new(patient_rig());
    let first = accept(&rig, "first", b"1").await;
    let senders: Vec<_> = (0..64)
        .map(|_| {
            let rig = Arc::clone(&rig);
            tokio::spawn(async move {
                for _ in 0..130 {
                    accept(&rig, "more", b"").await;
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    assert!(incoming(rig.path()).contains(&name_of(&first)));
}

#[tokio::test]
async fn a_segment_keeps_its_payloads_until_their_files_are_written() {
    let rig = rig_with(Options { files_after: NEVER, segment_bytes_max: 1000, ..Options::default() });
    rig.accept("B", "0", b"0").await;
    let claim = rig.claim().await;
    let jobs = [accept(&rig, "1", &[1; 900]).await, accept(&rig, "2", &[2; 900]).await];
    let last = accept(&rig, "3", b"3").await;
    assert_eq!(sealed(&rig, &claim).await, 0);
    assert_eq!(payload(&rig.after_kill().store, &jobs[0]), [1; 900]);
    rig.store.payload_path(&jobs[0]).unwrap();
    rig.store.act(last.id, JobEvent::Held { reason: "wait".into() }, "eve").await.unwrap();
    assert_eq!(sealed(&rig, &claim).await, 1);
    assert_eq!(payload(&rig.after_kill().store, &jobs[1]), [2; 900]);
}

/// Segments that are sealed, when whatever was asked for is: the second sync waits in line behind it.
async fn sealed(rig: &Rig, claim: &Claim) -> usize {
    for _ in 0..2 {
        rig.store.checkpoint(claim, Vec::new(), claim.job.counts).await.unwrap();
    }
    rig.files("journal").iter().filter(|name| name.ends_with(".sealed")).count()
}

#[tokio::test]
async fn a_close_writes_every_file() {
    let rig = patient_rig();
    let job = accept(&rig, "1", b"1").await;
    let dir = rig.closed().await;
    assert_eq!(incoming(dir.path()), [name_of(&job)]);
}

#[tokio::test]
async fn a_purged_job_gets_no_file_any_more() {
    let rig = patient_rig();
    let job = accept(&rig, "1", b"1").await;
    rig.store.act(job.id, cancelled(), "eve").await.unwrap();
    let terms = Terms { complete: Duration::ZERO, error: Duration::ZERO };
    let later = "2024-03-09T12:00:00Z".parse().unwrap();
    assert_eq!(rig.store.retain(terms, later).await.unwrap().purged.len(), 1);
    let after = rig.after_kill();
    let closed = rig.closed().await;
    for root in [after.path(), closed.path()] {
        assert_eq!(incoming(root), Vec::<String>::new());
        assert_eq!(files_in(&root.join("orgs/A/archive")), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_backup_has_the_bytes_of_files_that_were_not_written() {
    let rig = patient_rig();
    let job = accept(&rig, "1", b"bytes").await;
    let place = tempfile::tempdir().unwrap();
    let backup = rig.store.backup(place.path().to_owned(), Vec::new()).await.unwrap();
    let done = backup.copy(&mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((done.jobs, done.jobs_without_bytes), (1, 0));
    assert_eq!(incoming(place.path()), [name_of(&job)]);
    assert_eq!(payload(&Rig::open(place).store, &job), b"bytes");
}

/// Tells which files of uploads are created, and has no room for their bytes while it is full.
#[derive(Debug)]
struct Spool {
    is_full: AtomicBool,
    created: Mutex<Sender<String>>,
}

impl Watch for Spool {
    fn before(&self, call: &Call<'_>) -> io::Result<Grant> {
        let is_upload = |path: &Path| path.extension().is_some_and(|ending| ending == "hl7");
        match call {
            Call::Create(path) if is_upload(path) => {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                drop(self.created.lock().unwrap().send(name));
            }
            Call::Write { path, .. } if is_upload(path) && self.is_full.load(Ordering::Relaxed) => {
                return Ok(Grant::Bytes(1));
            }
            _ => {}
        }
        Ok(Grant::Whole)
    }
}

#[tokio::test]
async fn files_are_written_when_there_is_nothing_else_to_do() {
    let (created, names) = channel();
    let spool = Spool { is_full: AtomicBool::new(false), created: Mutex::new(created) };
    let rig = rig_with(Options { disk: Disk::watched(Arc::new(spool)), ..Options::default() });
    let jobs = [accept(&rig, "1", b"1").await, accept(&rig, "2", b"2").await];
    for job in &jobs {
        assert_eq!(names.recv_timeout(Duration::from_mins(1)).unwrap(), name_of(job));
    }
}

#[tokio::test]
async fn a_file_that_the_disk_refuses_keeps_its_job_from_workers_and_uploads_out_until_it_is_written() {
    let spool = Arc::new(Spool { is_full: AtomicBool::new(true), created: Mutex::new(channel().0) });
    let disk = Disk::watched(Arc::clone(&spool) as _);
    let rig = rig_with(Options { disk, files_after: NEVER, ..Options::default() });
    let job = accept(&rig, "1", b"12").await;
    assert_eq!(rig.store.payload_path(&job), None);
    assert!(matches!(rig.try_accept("A", "2", b"2").await, Err(StoreError::Io { .. })));
    assert!(rig.store.claim(1).await.unwrap().is_empty());
    assert_eq!(rig.store.verify().await.unwrap().findings, Vec::<String>::new(), "the journal has its bytes");
    assert_eq!(payload(&rig.after_kill().store, &job), b"12");
    assert_eq!(incoming(rig.path()), Vec::<String>::new(), "nothing is left of it, wherever its job goes");
    spool.is_full.store(false, Ordering::Relaxed);
    accept(&rig, "2", b"2").await;
    assert_eq!(incoming(rig.path()), [name_of(&job)]);
    assert_eq!(rig.claim().await.id(), job.id);
}

/// Once it kept uploads out until the service was restarted.
#[tokio::test]
async fn a_directory_for_uploads_that_somebody_removed_is_made_anew() {
    let rig = patient_rig();
    let remove = || std::fs::remove_dir_all(rig.path().join("orgs/A/incoming")).unwrap();
    let job = accept(&rig, "1", b"bytes").await;
    remove();
    assert_eq!(payload(&rig.store, &job), b"bytes", "nobody had to send another one");
    remove();
    let large = vec![7; 100_000];
    let job = accept(&rig, "2", &large).await;
    assert_eq!(payload(&rig.store, &job), large);
    remove();
    let job = accept(&rig, "3", b"small").await;
    assert_eq!(payload(&rig.after_kill().store, &job), b"small");
}
