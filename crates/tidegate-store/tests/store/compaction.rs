//! The journal says the same before and after it was rewritten, whatever happens in between.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tempfile::TempDir;
use tidegate_domain::job::{HistoryEntry, Job, JobEvent, JobState};
use tidegate_domain::maintenance::{Hold, HoldLength};
use tidegate_domain::{LegalHold, SystemClock, Terms};
use tidegate_store::{Compaction, Filter, Options, Store};

use crate::rig::{Rig, copy, files_in, instant, org};

const TERMS: Terms = Terms { complete: Duration::from_hours(10), error: Duration::from_hours(30) };

/// Everything that a store tells.
#[derive(Debug, PartialEq)]
struct Told {
    jobs: Vec<(Job, Vec<HistoryEntry>)>,
    counts: BTreeMap<JobState, u64>,
    holds: Vec<Hold>,
    legal_holds: Vec<LegalHold>,
    files: Vec<String>,
}

fn told(rig: &Rig) -> Told {
    let jobs = rig.store.list(&Filter { limit: 10_000, ..Filter::default() }).unwrap();
    let mut files = Vec::new();
    for code in ["A", "B", "C"] {
        for place in ["incoming", "archive", "error", "outbox"] {
            files.extend(files_in(&rig.path().join("orgs").join(code).join(place)));
        }
    }
    Told {
        jobs: jobs.into_iter().map(|job| (job.clone(), rig.store.history(job.id).unwrap())).collect(),
        counts: rig.store.stats().unwrap().by_state,
        holds: rig.store.maintenance().holds.clone(),
        legal_holds: rig.store.legal_holds().unwrap(),
        files,
    }
}

/// Short words for what is long.
#[track_caller]
fn assert_same(found: &Told, expected: &Told, what: &str) {
    for (one, other) in found.jobs.iter().zip(&expected.jobs) {
        assert_eq!(one, other, "{what}");
    }
    assert_eq!(found.jobs.len(), expected.jobs.len(), "{what}");
    assert!(found == expected, "{what}: counts, holds or files differ");
}

fn segments(rig: &Path) -> Vec<String> {
    files_in(&rig.join("journal"))
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Closes the store and opens it again, which begins a segment and seals the one before.
async fn restarted(rig: Rig) -> Rig {
    let clock = rig.clock.clone();
    let again = Rig::open(rig.closed().await);
    again.clock.set(tidegate_domain::Clock::now(&clock));
    again
}

/// Does one of all things that leave something in the journal.
async fn live(rig: &Rig, dice: &mut Dice, number: u64) {
    let code = ["A", "B", "C"][usize::try_from(dice.roll(3)).unwrap()];
    let reason = || "why".to_owned();
    match dice.roll(16) {
        0..=5 => drop(rig.accept(code, "a.hl7", &[u8::try_from(number % 7).unwrap(); 9]).await),
        6..=10 => {
            let Some(claim) = rig.store.claim(1).await.unwrap().pop() else { return };
            let original = rig.store.original_of(&claim.job).unwrap();
            let end = match (original, dice.roll(6)) {
                (Some(of), _) => JobEvent::FoundDuplicate { of },
                (None, 0) => JobEvent::Failed { reason: reason() },
                (None, 1) => JobEvent::Yielded,
                _ => return drop(rig.complete(&claim).await),
            };
            rig.store.finish(&claim, end).await.unwrap();
        }
        11 => {
            let jobs = rig.store.list(&Filter { limit: 50, ..Filter::default() }).unwrap();
            let Some(job) = jobs.get(usize::try_from(dice.roll(50)).unwrap()) else { return };
            let action = match dice.roll(3) {
                0 => JobEvent::Cancelled { reason: reason() },
                1 => JobEvent::Requeued { reason: reason() },
                _ => JobEvent::PayloadRead { reason: reason() },
            };
            drop(rig.store.act(job.id, action, "eve").await);
        }
        12 => {
            let now = tidegate_domain::Clock::now(&rig.clock);
            let length = HoldLength::For(Duration::from_mins(1));
            let hold = Hold::new("hold", Some(org("C")), "x", "eve", now, length).unwrap();
            rig.store.place_hold(hold).await.unwrap();
        }
        13 if dice.roll(3) == 0 => {
            rig.store.place_legal_hold(org(code), reason(), "eve").await.unwrap();
        }
        13 => drop(rig.store.release_legal_holds(&org(code), reason(), "eve").await.unwrap()),
        14 => rig.clock.advance(TimeDelta::hours(5)),
        _ => {
            let now = tidegate_domain::Clock::now(&rig.clock);
            rig.store.retain(TERMS, now).await.unwrap();
        }
    }
}

/// A store that has lived through so much, with some sealed segments.
async fn lived(seed: u64) -> Rig {
    let mut dice = Dice(seed * 2 + 1);
    let mut rig = Rig::new();
    for number in 0..240 {
        live(&rig, &mut dice, number).await;
        if dice.roll(30) == 0 {
            rig = restarted(rig).await;
        }
    }
    restarted(rig).await
}

/// Opens a copy whose index is gone.
fn made_anew(image: TempDir) -> Rig {
    fs::remove_dir_all(image.path().join("queue")).unwrap();
    let rig = Rig::open(image);
    assert_eq!(rig.recovery.journal_holes, 0);
    assert!(rig.recovery.index_rebuilt);
    rig
}

#[tokio::test]
async fn a_compacted_journal_says_what_it_said_before_whatever_the_history() {
    let mut compacted = 0;
    for seed in 0..8 {
        let rig = lived(seed).await;
        let before = told(&rig);
        assert_same(&told(&made_anew(rig.crash_image())), &before, &format!("seed {seed}, before"));
        let done = rig.store.compact().await.unwrap();
        compacted += done.segments;
        assert_same(&told(&rig), &before, &format!("seed {seed}"));
        assert_same(&told(&made_anew(rig.crash_image())), &before, &format!("seed {seed}, made anew"));
        assert_same(&told(&rig.after_kill()), &before, &format!("seed {seed}, killed"));
        assert_eq!(rig.store.verify().await.unwrap().findings, Vec::<String>::new());
        // What happens afterwards stands on it, and it can be compacted again.
        let mut dice = Dice(seed + 99);
        for number in 0..60 {
            live(&rig, &mut dice, number).await;
        }
        let now = tidegate_domain::Clock::now(&rig.clock) + TimeDelta::hours(40);
        rig.store.retain(TERMS, now).await.unwrap();
        let rig = restarted(rig).await;
        let before = told(&rig);
        compacted += rig.store.compact().await.unwrap().segments;
        assert_same(&told(&made_anew(rig.crash_image())), &before, &format!("seed {seed}, again"));
    }
    assert!(compacted > 8, "there was something to compact: {compacted}");
}

/// A store whose first segments are all but dead, and which has some live jobs in them. They are sealed:
/// a store seals in the background what it found, so one that has found nothing is opened last.
async fn worn() -> Rig {
    let mut rig = Rig::new();
    for n in 0..30_u8 {
        rig.accept("A", "a.hl7", &[n]).await;
        if n % 10 != 9 {
            rig.complete(&rig.claim().await).await;
        }
        if n % 10 == 5 {
            rig = restarted(rig).await;
        }
    }
    rig.store.retain(TERMS, instant("2024-03-10T12:00:00Z")).await.unwrap();
    restarted(restarted(rig).await).await
}

#[tokio::test]
async fn a_crash_at_any_point_of_a_compaction_costs_nothing() {
    let rig = worn().await;
    let (before, image) = (told(&rig), rig.crash_image());
    let old = segments(image.path());
    let done = rig.store.compact().await.unwrap();
    assert!(done.segments >= 2 && done.bytes_after * 2 < done.bytes_before, "{done:?}");
    let whole = rig.crash_image();
    let new: Vec<String> =
        segments(whole.path()).into_iter().filter(|name| name.ends_with("compacted")).collect();
    let [new] = &new[..] else { panic!("{new:?}") };
    let gone: Vec<&String> = old.iter().filter(|name| !segments(whole.path()).contains(name)).collect();
    assert_eq!(gone.len(), done.segments);

    // Half written; then with its name, and one after the other of those that it stands for removed.
    for removed in 0..=gone.len() + 1 {
        for has_index in [true, false] {
            let crash = tempfile::tempdir().unwrap();
            copy(image.path(), crash.path());
            let journal = crash.path().join("journal");
            let bytes = fs::read(whole.path().join("journal").join(new)).unwrap();
            match removed.checked_sub(1) {
                None => fs::write(journal.join("compacting.tmp"), &bytes[..bytes.len() / 2]).unwrap(),
                Some(removed) => {
                    fs::write(journal.join(new), &bytes).unwrap();
                    gone.iter().take(removed).for_each(|name| fs::remove_file(journal.join(name)).unwrap());
                }
            }
            let after = if has_index { Rig::open(crash) } else { made_anew(crash) };
            assert_eq!(after.recovery.journal_holes, 0);
            assert_same(&told(&after), &before, &format!("{removed} of {} removed", gone.len()));
            let left = segments(after.path());
            assert!(removed == 0 || gone.iter().all(|name| !left.contains(name)), "{left:?}");
            assert!(!left.contains(&"compacting.tmp".to_owned()));
            assert_same(&told(&made_anew(after.crash_image())), &before, "once more");
        }
    }
}

/// It still has the jobs whose end has left the journal.
#[tokio::test]
async fn an_index_from_before_is_made_anew_and_brings_no_job_back() {
    let rig = Rig::new();
    for n in 0..20_u8 {
        rig.accept("A", "a.hl7", &[n]).await;
        rig.complete(&rig.claim().await).await;
    }
    let rig = restarted(rig).await;
    let older = rig.crash_image();
    rig.store.retain(TERMS, instant("2024-03-10T12:00:00Z")).await.unwrap();
    let rig = restarted(restarted(rig).await).await;
    assert!(rig.store.compact().await.unwrap().segments >= 2);
    let image = rig.crash_image();
    fs::remove_dir_all(image.path().join("queue")).unwrap();
    fs::rename(older.path().join("queue"), image.path().join("queue")).unwrap();
    let after = Rig::open(image);
    assert!(after.recovery.index_rebuilt);
    assert_same(&told(&after), &told(&rig), "after");
    assert_eq!(told(&after).jobs, []);
}

#[tokio::test]
async fn a_rebuild_after_a_compaction_is_no_loss_and_gives_no_id_twice() {
    let rig = Rig::new();
    rig.clock.set(instant("2024-04-01T12:00:00Z"));
    let newest = rig.accept("A", "a", b"1").await;
    rig.store.act(newest.id, JobEvent::Cancelled { reason: "no".into() }, "eve").await.unwrap();
    rig.store.retain(TERMS, instant("2024-04-02T12:00:00Z")).await.unwrap();
    let rig = restarted(rig).await;
    assert_eq!(rig.store.compact().await.unwrap().segments, 1);
    assert_eq!(rig.store.compact().await.unwrap(), Compaction::default(), "what is left has to stay");
    let dir = rig.closed().await;
    let (store, recovery) =
        Store::rebuild(dir.path(), Options::default(), Arc::new(SystemClock), &mut |_, _| {}).unwrap();
    assert_eq!((recovery.journal_holes, recovery.newest_job_at), (0, Some(newest.id.made_at())));
    store.close().await;
    let rig = made_anew(dir);
    assert!(rig.accept("A", "b", b"2").await.id > newest.id, "although the clock was put back");
}

#[tokio::test]
async fn many_small_segments_become_one() {
    let mut rig = Rig::new();
    for n in 0..40_u8 {
        rig.accept("A", "a.hl7", &[n]).await;
        rig = restarted(rig).await;
        rig.store.compact().await.unwrap();
    }
    let left = segments(rig.path());
    assert!(left.len() < 20, "{left:?}");
    assert_same(&told(&made_anew(rig.crash_image())), &told(&rig), "made anew");
    assert_eq!(told(&rig).jobs.len(), 40);
}

/// The job began in a segment before the run; without its purge it would come back.
#[tokio::test]
async fn a_purge_stays_while_there_is_anything_before_it() {
    let rig = Rig::new();
    let purged = rig.accept("A", "a.hl7", b"1").await;
    rig.complete(&rig.claim().await).await;
    let large = rig.accept("A", "large", b"2").await;
    // More than is dead later on, and more than a small segment.
    for _ in 0..150 {
        let read = JobEvent::PayloadRead { reason: "r".repeat(8_000) };
        rig.store.act(large.id, read, "eve").await.unwrap();
    }
    let mut rig = restarted(rig).await;
    rig.store.retain(TERMS, instant("2024-03-10T12:00:00Z")).await.unwrap();
    for n in 0..20_u8 {
        // Its id is higher than that of the purged job, and it goes too.
        let other = rig.accept("A", "b.hl7", &[n; 3]).await;
        rig.store.act(other.id, JobEvent::Cancelled { reason: "no".into() }, "eve").await.unwrap();
        rig.store.retain(TERMS, instant("2024-03-10T12:00:00Z")).await.unwrap();
        rig = restarted(rig).await;
    }
    let done = rig.store.compact().await.unwrap();
    assert!(done.segments >= 16 && done.bytes_before < 1 << 20, "all but the first: {done:?}");
    assert_eq!(rig.store.get(purged.id).unwrap(), None);
    assert_same(&told(&made_anew(rig.crash_image())), &told(&rig), "made anew");
}

#[tokio::test]
async fn a_damaged_journal_is_left_as_it_is() {
    let rig = worn().await;
    let image = rig.crash_image();
    let sealed = segments(image.path()).remove(0);
    let path = image.path().join("journal").join(sealed);
    let mut bytes = fs::read(&path).unwrap();
    bytes[60] ^= 1;
    fs::write(&path, bytes).unwrap();
    // An index that is whole hides the hole from this start; the reading finds it.
    let rig = Rig::open(image);
    let before = segments(rig.path());
    assert_eq!(rig.store.compact().await.unwrap(), Compaction::default());
    let image = rig.crash_image();
    fs::remove_dir_all(image.path().join("queue")).unwrap();
    let rig = Rig::open(image);
    assert!(rig.recovery.journal_holes > 0);
    assert_eq!(rig.store.compact().await.unwrap(), Compaction::default());
    let mut sealed = before.iter().filter(|name| name.ends_with("sealed"));
    assert!(sealed.all(|name| segments(rig.path()).contains(name)));
}

/// Also where a compaction or a purge waits for its turn.
#[tokio::test]
async fn nothing_is_rewritten_once_the_store_is_closed() {
    let rig = worn().await;
    let store = rig.store.clone();
    let dir = rig.closed().await;
    let before = segments(dir.path());
    assert!(store.compact().await.is_err());
    assert!(store.retain(TERMS, instant("2034-03-10T12:00:00Z")).await.is_err());
    assert_eq!(segments(dir.path()), before);
}
