//! A hundred ways in which an index can be damaged, each after a kill and after a clean end.
//!
//! The store opens, shows what it showed before, and goes on working. What it made of each variant is
//! printed: `cargo test -p tidegate-store --test store damage -- --nocapture`.

mod journal;
mod variants;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tidegate_domain::job::{HistoryEntry, Job, JobEvent, JobState};
use tidegate_domain::maintenance::{Hold, HoldLength};
use tidegate_store::{Filter, SenderFile, Stats};

use self::variants::{Variant, variants};
use crate::rig::{Rig, copy, instant, org, payload};

const ORGS: [&str; 3] = ["A", "B", "C"];

/// Everything that staff and senders see.
#[derive(Debug, PartialEq)]
struct State {
    jobs: Vec<(Job, Vec<HistoryEntry>, Vec<u8>)>,
    counts: BTreeMap<JobState, u64>,
    lanes: Vec<(String, u64)>,
    inboxes: Vec<Vec<SenderFile>>,
    outboxes: Vec<Vec<Vec<u8>>>,
    holds: Vec<Hold>,
}

impl State {
    fn of(rig: &Rig) -> Self {
        let jobs = rig.store.list(&Filter { limit: 1000, ..Filter::default() }).unwrap();
        let Stats { by_state, lanes, .. } = rig.store.stats().unwrap();
        let outbox = |code: &str| rig.store.outbox(&org(code)).unwrap().into_iter().map(|file| file.name);
        Self {
            jobs: jobs
                .into_iter()
                .map(|job| (job.clone(), rig.store.history(job.id).unwrap(), payload(&rig.store, &job)))
                .collect(),
            counts: by_state,
            lanes: lanes.into_iter().map(|(org, jobs)| (org.to_string(), jobs)).collect(),
            inboxes: ORGS.map(|code| rig.store.inbox(&org(code)).unwrap()).into(),
            outboxes: ORGS.map(|code| outbox(code).collect()).into(),
            holds: rig.store.maintenance().holds.clone(),
        }
    }
}

/// The data directory of one store at several moments of its life, and of another one.
struct Lives {
    /// Killed, from young to old; the last one is the present.
    killed: Vec<TempDir>,
    /// The present, closed in good order.
    closed: TempDir,
    /// Grew out of the youngest by other uploads and has as many changes as the present.
    sibling: TempDir,
    /// Has nothing to do with it.
    stranger: TempDir,
}

async fn lives() -> Lives {
    let mut killed = Vec::new();
    let mut rig = Rig::open(directory());
    for number in 0..4_u8 {
        live(&rig, number).await;
        killed.push(image_of(rig.path()));
        if number % 2 == 1 {
            rig = Rig::open(rig.closed().await);
        }
    }
    live(&rig, 4).await;
    killed.push(image_of(rig.path()));
    let closed = rig.closed().await;
    let sibling = Rig::open(image_of(killed[0].path()));
    for number in [11, 12, 13, 14] {
        live(&sibling, number).await;
    }
    let stranger = Rig::open(directory());
    live(&stranger, 20).await;
    Lives { killed, closed, sibling: sibling.closed().await, stranger: stranger.closed().await }
}

/// Uploads, files that are answered, refused, parked, and a hold.
async fn live(rig: &Rig, number: u8) {
    for n in 0..12_u8 {
        rig.accept(ORGS[usize::from(n) % 3], &format!("{number}-{n}.hl7"), &[number, n, 1, 2, 3]).await;
    }
    for _ in 0..3 {
        let claim = rig.claim().await;
        rig.complete(&claim).await;
    }
    let claim = rig.claim().await;
    std::fs::write(rig.store.response_path(&claim.job), "response").unwrap();
    std::fs::write(rig.store.report_path(&claim.job), "report").unwrap();
    rig.store.finish(&claim, JobEvent::Refused { reason: "truncated".into() }).await.unwrap();
    let newest = rig.store.list(&Filter { limit: 1, ..Filter::default() }).unwrap()[0].id;
    rig.store.act(newest, JobEvent::Held { reason: "look".into() }, "eve").await.unwrap();
    // Every hold that stands is written again with each new one, which makes the log long.
    for hold in 0..9 {
        place_hold(rig, &format!("{number}-{hold}"), &"why ".repeat(100)).await;
    }
}

async fn place_hold(rig: &Rig, name: &str, reason: &str) {
    let now = instant("2024-03-08T12:00:00Z");
    let hold = Hold::new(name, Some(org("Z")), reason, "eve", now, HoldLength::UntilReleased).unwrap();
    rig.store.place_hold(hold).await.unwrap();
}

/// In memory where there is such a place: what is asked here does not depend on the disk.
fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn image_of(data_dir: &Path) -> TempDir {
    let image = directory();
    copy(data_dir, image.path());
    image
}

/// How the service ended before the damage was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Killed,
    Closed,
    /// Closed; and the damage left no trace in the directory, so that it is met unprepared.
    Decayed,
}

#[tokio::test]
async fn whatever_happens_to_the_index_costs_nothing_but_time() {
    let lives = lives().await;
    let variants = variants(&lives);
    assert!(variants.len() >= 100, "{}", variants.len());
    let present = lives.killed.last().unwrap().path();
    let expected = State::of(&Rig::open(image_of(present)));
    assert_eq!(expected.jobs.len(), 60);
    let log = std::fs::metadata(lives.closed.path().join("queue/db")).unwrap().len();
    println!("{} variants on an index of {log} bytes", variants.len());
    let mut handled: BTreeMap<(End, &str), u32> = BTreeMap::new();
    for end in [End::Killed, End::Closed, End::Decayed] {
        for variant in variants.iter().filter(|variant| end != End::Decayed || variant.is_decay) {
            let mut rig = Rig::open(damaged(&lives, end, variant).await);
            if rig.store.verify().await.is_err() {
                // It was trusted too far: the store notices by itself, and ends the process.
                assert_eq!(end, End::Decayed, "{}", variant.name);
                rig.has_failed().await;
                rig = rig.after_kill();
            }
            let how = match &rig.recovery {
                recovery if recovery.index_rebuilt => "made anew",
                recovery if recovery.changes_replayed > 0 => "brought up to date",
                _ => "kept",
            };
            let what = format!("{end:?}, {}: {how}", variant.name);
            println!("{what}");
            *handled.entry((end, how)).or_default() += 1;
            assert!(State::of(&rig) == expected, "{what}: another state");
            assert_eq!(rig.recovery.journal_holes, 0, "{what}");
            assert_eq!(rig.store.verify().await.unwrap().findings, [""; 0], "{what}");
            goes_on(&rig, &what).await;
        }
    }
    println!("{handled:#?}");
}

/// A data directory in which the index was damaged while the service was down.
async fn damaged(lives: &Lives, end: End, variant: &Variant<'_>) -> TempDir {
    let image = match end {
        End::Killed => image_of(lives.killed.last().unwrap().path()),
        End::Closed | End::Decayed => image_of(lives.closed.path()),
    };
    let queue = image.path().join("queue");
    if end == End::Decayed {
        // What the close notes of the index's files is what they are after the damage.
        let rig = Rig::open(image);
        (variant.damage)(&rig.path().join("queue"));
        return rig.closed().await;
    }
    (variant.damage)(&queue);
    image
}

impl Rig {
    /// Waits until the store has failed.
    async fn has_failed(&self) {
        let mut failed = self.store.failed();
        let failed = failed.wait_for(|failed| *failed);
        tokio::time::timeout(Duration::from_mins(1), failed).await.unwrap().unwrap();
    }
}

/// An index that was believed must bear being written, too.
async fn goes_on(rig: &Rig, what: &str) {
    let claim = rig.claim().await;
    rig.complete(&claim).await;
    let job = rig.accept("A", "after.hl7", b"after").await;
    assert_eq!(rig.store.get(job.id).unwrap().unwrap().state, JobState::Queued, "{what}");
    assert!(!*rig.store.failed().borrow(), "{what}");
}
