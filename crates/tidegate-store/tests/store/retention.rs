//! What goes when its term is over, and what stays.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use tidegate_disk::{Call, Disk, Grant, Watch};
use tidegate_domain::Terms;
use tidegate_domain::job::{Job, JobEvent, JobState};
use tidegate_store::{Due, Filter, Options, Store, StoreError};

use crate::rig::{Rig, files_in, instant, org, payload};

const TERMS: Terms = Terms { complete: Duration::from_hours(240), error: Duration::from_hours(480) };
const LARGE: usize = 100_000;

fn start() -> DateTime<Utc> {
    instant("2024-03-08T12:00:00Z")
}

fn after(hours: i64) -> DateTime<Utc> {
    start() + TimeDelta::hours(hours)
}

fn count(due: &Due) -> u64 {
    due.purged.values().map(|amount| amount.jobs).sum()
}

fn all(store: &Store) -> Vec<Job> {
    store.list(&Filter { limit: 1000, ..Filter::default() }).unwrap()
}

/// A job in each state that there is, the payload of the complete one large; in this order: complete,
/// duplicate, error, cancelled, exception, held, retrying, processing, queued.
async fn one_of_each(rig: &Rig) -> Vec<Job> {
    let mut ids = Vec::new();
    let reason = || "why".to_owned();
    let large = vec![b'L'; LARGE];
    ids.push(rig.accept("A", "complete", &large).await.id);
    rig.complete(&rig.claim().await).await;
    ids.push(rig.accept("A", "duplicate", &large).await.id);
    let end = JobEvent::FoundDuplicate { of: ids[0] };
    rig.store.finish(&rig.claim().await, end).await.unwrap();
    ids.push(rig.accept("A", "error", b"error").await.id);
    let claim = rig.claim().await;
    fs::write(rig.store.response_path(&claim.job), "no").unwrap();
    fs::write(rig.store.report_path(&claim.job), "no").unwrap();
    rig.store.finish(&claim, JobEvent::Refused { reason: reason() }).await.unwrap();
    ids.push(rig.accept("A", "cancelled", b"cancelled").await.id);
    rig.store.act(ids[3], JobEvent::Cancelled { reason: reason() }, "eve").await.unwrap();
    ids.push(rig.accept("A", "exception", b"exception").await.id);
    rig.store.finish(&rig.claim().await, JobEvent::Failed { reason: reason() }).await.unwrap();
    ids.push(rig.accept("A", "held", b"held").await.id);
    rig.store.act(ids[5], JobEvent::Held { reason: reason() }, "eve").await.unwrap();
    ids.push(rig.accept("B", "retrying", b"retrying").await.id);
    let (claim, not_before) = (rig.claim().await, start() + TimeDelta::seconds(5));
    rig.store.finish(&claim, JobEvent::Retried { not_before, reason: reason() }).await.unwrap();
    ids.push(rig.accept("C", "processing", b"processing").await.id);
    rig.claim().await;
    ids.push(rig.accept("A", "queued", b"queued").await.id);
    ids.into_iter().map(|id| rig.store.get(id).unwrap().unwrap()).collect()
}

/// Names of files anywhere below `orgs/` that have this id in them.
fn files_of(rig: &Rig, job: &Job) -> Vec<String> {
    let home = rig.path().join("orgs").join(job.submission.org.as_str());
    let places = ["incoming", "archive", "error", "outbox"];
    let names = places.iter().flat_map(|place| files_in(&home.join(place)));
    names.filter(|name| name.contains(&job.id.to_string())).collect()
}

#[tokio::test]
async fn nothing_goes_before_its_term_and_everything_after_it_by_state() {
    let rig = Rig::new();
    let jobs = one_of_each(&rig).await;
    let [complete, duplicate, error, cancelled, ..] = &jobs[..] else { panic!() };
    rig.clock.set(after(1));
    assert_eq!(rig.store.retain(TERMS, after(239)).await.unwrap(), Due::default());
    for job in &jobs {
        assert_eq!(payload(&rig.store, job).len() as u64, job.submission.size_bytes);
        assert!(!rig.store.history(job.id).unwrap().is_empty());
    }
    assert_eq!([5, 5, 5, 1], [complete, duplicate, error, cancelled].map(|job| files_of(&rig, job).len()));

    assert_eq!(count(&rig.store.due(TERMS, after(240)).await.unwrap()), 3, "a look deletes nothing");
    let gone = rig.store.retain(TERMS, after(240)).await.unwrap();
    assert_eq!((gone.purged[&org("A")].jobs, gone.purged[&org("A")].bytes), (3, 2 * LARGE as u64 + 9));
    for job in [complete, duplicate, cancelled] {
        assert_eq!(rig.store.get(job.id).unwrap(), None);
        assert!(matches!(rig.store.history(job.id), Err(StoreError::UnknownJob)));
        assert_eq!(files_of(&rig, job), Vec::<String>::new());
    }
    assert_eq!(files_of(&rig, error).len(), 5);
    assert_eq!(count(&rig.store.retain(TERMS, after(479)).await.unwrap()), 0);
    assert_eq!(count(&rig.store.retain(TERMS, after(480)).await.unwrap()), 1);
    assert_eq!(files_of(&rig, error), Vec::<String>::new());

    assert_eq!(count(&rig.store.retain(TERMS, after(80_000)).await.unwrap()), 0, "the others have no term");
    let left: Vec<JobState> = all(&rig.store).into_iter().rev().map(|job| job.state).collect();
    assert_eq!(
        left,
        [JobState::Exception, JobState::Held, JobState::Retrying, JobState::Processing, JobState::Queued]
    );
    let counts = rig.store.stats().unwrap().by_state;
    assert_eq!(
        [
            counts[&JobState::Complete],
            counts[&JobState::Duplicate],
            counts[&JobState::Error],
            counts[&JobState::Cancelled]
        ],
        [0; 4]
    );
    assert_eq!(rig.store.verify().await.unwrap().findings, Vec::<String>::new());
}

#[tokio::test]
async fn what_the_sender_deleted_stays_with_staff_until_the_term_is_over() {
    let rig = Rig::new();
    let job = rig.accept("A", "a.hl7", b"1").await;
    rig.complete(&rig.claim().await).await;
    let name = format!("a.hl7.{}.response", job.id);
    rig.store.delete_outbox(&org("A"), name.as_bytes(), "acme").await.unwrap();
    rig.store.retain(TERMS, after(239)).await.unwrap();
    assert_eq!(fs::read(rig.store.response_path(&job)).unwrap(), b"response");
    rig.store.retain(TERMS, after(240)).await.unwrap();
    assert_eq!(files_of(&rig, &job), Vec::<String>::new());
    let report = format!("a.hl7.{}.report.txt", job.id);
    let late = rig.store.delete_outbox(&org("A"), report.as_bytes(), "acme").await;
    assert!(matches!(late, Err(StoreError::NotFound)));
}

/// The original goes; what stands on it stays whole, in the index and in a rebuilt one.
#[tokio::test]
async fn a_duplicate_outlives_its_original() {
    let rig = Rig::new();
    let original = rig.accept("A", "march.hl7", b"same").await;
    rig.complete(&rig.claim().await).await;
    rig.clock.set(after(100));
    let duplicate = rig.accept("A", "april.hl7", b"same").await;
    rig.store.finish(&rig.claim().await, JobEvent::FoundDuplicate { of: original.id }).await.unwrap();
    assert_eq!(count(&rig.store.retain(TERMS, after(240)).await.unwrap()), 1);
    assert_eq!(rig.store.get(original.id).unwrap(), None);

    let image = rig.crash_image();
    fs::remove_dir_all(image.path().join("queue")).unwrap();
    fs::remove_dir_all(image.path().join("orgs/A/outbox")).unwrap();
    for rig in [&rig, &Rig::open(image)] {
        assert_eq!(files_of(rig, &duplicate).len(), 5);
        let response = format!("april.hl7.{}.response", duplicate.id);
        let mut text = String::new();
        let mut file = rig.store.open_outbox(&org("A"), response.as_bytes()).unwrap();
        std::io::Read::read_to_string(&mut file, &mut text).unwrap();
        assert_eq!(text, "response");
    }
    let again = rig.accept("A", "may.hl7", b"same").await;
    assert_eq!(rig.store.original_of(&again).unwrap(), None, "what is gone is nobody's original");
}

/// It was the original when the worker looked, and is gone when the worker says so.
#[tokio::test]
async fn an_original_that_goes_at_the_last_moment_answers_nobody() {
    let rig = Rig::new();
    let original = rig.accept("A", "march.hl7", b"same").await;
    rig.complete(&rig.claim().await).await;
    rig.accept("A", "april.hl7", b"same").await;
    let claim = rig.claim().await;
    assert_eq!(rig.store.original_of(&claim.job).unwrap(), Some(original.id));
    rig.store.retain(TERMS, after(240)).await.unwrap();
    let end = JobEvent::FoundDuplicate { of: original.id };
    assert!(matches!(rig.store.finish(&claim, end).await, Err(StoreError::UnknownJob)));
    assert_eq!(rig.complete(&claim).await.state, JobState::Complete, "it is processed like any other");
}

#[tokio::test]
async fn a_job_that_was_requeued_has_no_term_and_counts_anew() {
    let rig = Rig::new();
    let job = rig.accept("A", "a", b"1").await;
    let cancelled = JobEvent::Cancelled { reason: "no".into() };
    rig.store.act(job.id, cancelled.clone(), "eve").await.unwrap();
    rig.store.act(job.id, JobEvent::Requeued { reason: "yes".into() }, "eve").await.unwrap();
    assert_eq!(count(&rig.store.retain(TERMS, after(240)).await.unwrap()), 0);
    rig.clock.set(after(300));
    rig.store.act(job.id, cancelled, "eve").await.unwrap();
    assert_eq!(count(&rig.store.retain(TERMS, after(539)).await.unwrap()), 0);
    assert_eq!(count(&rig.store.retain(TERMS, after(540)).await.unwrap()), 1);
}

#[tokio::test]
async fn more_than_a_batch_goes_while_uploads_and_claims_go_on() {
    let rig = Rig::new();
    for n in 0..200_u8 {
        rig.accept(&format!("ORG{}", n % 3), "x", &[n]).await;
    }
    for _ in 0..150 {
        rig.complete(&rig.claim().await).await;
    }
    let (gone, accepted) = tokio::join!(rig.store.retain(TERMS, after(240)), rig.accept("A", "new", b"new"));
    assert_eq!(count(&gone.unwrap()), 150);
    assert_eq!(all(&rig.store).len(), 51);
    assert_eq!(payload(&rig.store, &accepted), b"new");
    assert_eq!(files_in(&rig.path().join("orgs/ORG0/archive")), Vec::<String>::new());
}

/// The purge is in the journal, and of what follows some is not on disk.
#[tokio::test]
async fn a_crash_during_a_purge_ends_in_removed_files_and_brings_nothing_back() {
    let rig = Rig::new();
    let jobs = one_of_each(&rig).await;
    let before = rig.crash_image();
    rig.store.retain(TERMS, after(240)).await.unwrap();
    let left = all(&rig.store).len();
    for places in [&["archive", "outbox"] as &[&str], &["outbox"], &["archive"], &[]] {
        for has_older_index in [true, false] {
            let image = rig.crash_image();
            for place in places {
                put_back(&before, &image, place);
            }
            fs::remove_dir_all(image.path().join("queue")).unwrap();
            if has_older_index {
                fs::create_dir(image.path().join("queue")).unwrap();
                crate::rig::copy(&before.path().join("queue"), &image.path().join("queue"));
            }
            let rig = Rig::open(image);
            assert_purged(&rig, &jobs, left).await;
            assert_purged(&rig.after_kill(), &jobs, left).await;
        }
    }
}

/// Of those of which there was one of each, the ones that end complete are gone.
async fn assert_purged(rig: &Rig, jobs: &[Job], left: usize) {
    assert_eq!(all(&rig.store).len(), left);
    for job in [&jobs[0], &jobs[1], &jobs[3]] {
        assert_eq!(rig.store.get(job.id).unwrap(), None);
        assert_eq!(files_of(rig, job), Vec::<String>::new());
    }
    assert_eq!(files_of(rig, &jobs[2]).len(), 5);
    assert_eq!(rig.store.verify().await.unwrap().findings, Vec::<String>::new());
    assert_eq!(rig.recovery.journal_holes, 0);
}

/// Lets no file of a job go while it is told so.
#[derive(Debug, Default)]
struct Sticky(AtomicBool);

impl Watch for Sticky {
    fn before(&self, call: &Call<'_>) -> io::Result<Grant> {
        let is_file_of_job = matches!(call, Call::Remove(path) if path.to_string_lossy().contains("/orgs/"));
        if is_file_of_job && self.0.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        Ok(Grant::Whole)
    }
}

/// A store with jobs that were purged and whose files are all still there; what there was, and how many
/// jobs are left.
async fn purged_with_files_left() -> (Rig, Arc<Sticky>, Vec<Job>, usize) {
    let sticky = Arc::new(Sticky::default());
    let options = Options { disk: Disk::watched(Arc::clone(&sticky) as _), ..Options::default() };
    let rig = Rig::open_with(tempfile::tempdir().unwrap(), options);
    let jobs = one_of_each(&rig).await;
    rig.store.finish(&rig.claim().await, JobEvent::Yielded).await.unwrap();
    sticky.0.store(true, Ordering::Relaxed);
    assert!(rig.store.retain(TERMS, after(240)).await.is_err());
    assert_eq!(rig.store.get(jobs[0].id).unwrap(), None);
    assert_eq!(files_of(&rig, &jobs[0]).len(), 5);
    let left = all(&rig.store).len();
    (rig, sticky, jobs, left)
}

#[tokio::test]
async fn files_that_could_not_be_removed_go_with_the_next_pass() {
    let (rig, sticky, jobs, left) = purged_with_files_left().await;
    sticky.0.store(false, Ordering::Relaxed);
    assert_eq!(count(&rig.store.retain(TERMS, after(240)).await.unwrap()), 0);
    assert_purged(&rig, &jobs, left).await;
    let rig = Rig::open(rig.closed().await);
    assert_eq!(rig.recovery.changes_replayed, 0);
    assert_purged(&rig, &jobs, left).await;
}

/// A close in good order makes everything durable but says that they are left.
#[tokio::test]
async fn files_that_could_not_be_removed_go_with_the_next_start() {
    let (rig, _, jobs, left) = purged_with_files_left().await;
    assert_purged(&rig.after_kill(), &jobs, left).await;
    assert_purged(&Rig::open(rig.closed().await), &jobs, left).await;
}

fn put_back(before: &TempDir, image: &TempDir, place: &str) {
    let (from, to) = (before.path().join("orgs/A").join(place), image.path().join("orgs/A").join(place));
    crate::rig::copy(&from, &to);
}

/// Not even if the newest job is gone, the clock was put back, and the index is made anew.
#[tokio::test]
async fn an_id_is_never_given_twice() {
    let rig = Rig::new();
    rig.clock.set(after(50));
    let newest = rig.accept("A", "a", b"1").await;
    rig.store.act(newest.id, JobEvent::Cancelled { reason: "no".into() }, "eve").await.unwrap();
    rig.store.retain(TERMS, after(290)).await.unwrap();
    assert_eq!(all(&rig.store), []);
    let image = rig.crash_image();
    fs::remove_dir_all(image.path().join("queue")).unwrap();
    for rig in [rig.after_kill(), Rig::open(image)] {
        assert!(rig.accept("A", "b", b"2").await.id > newest.id);
    }
}

#[tokio::test]
async fn a_legal_hold_keeps_everything_of_an_organization_across_restarts_until_it_is_released() {
    let rig = Rig::new();
    for org in ["A", "B"] {
        rig.accept(org, "x", b"1").await;
        rig.complete(&rig.claim().await).await;
    }
    rig.store.place_legal_hold(org("A"), "case 7".into(), "eve").await.unwrap();
    rig.store.place_legal_hold(org("A"), "case 8".into(), "jo").await.unwrap();
    let image = rig.crash_image();
    fs::remove_dir_all(image.path().join("queue")).unwrap();
    for rig in [rig.after_kill(), Rig::open(image)] {
        let holds = rig.store.legal_holds().unwrap();
        let told: Vec<_> = holds.iter().map(|hold| (hold.reason.as_str(), hold.actor.as_str())).collect();
        assert_eq!(told, [("case 7", "staff:eve"), ("case 8", "staff:jo")]);
        assert_eq!(holds[0].placed_at, start());
        let due = rig.store.retain(TERMS, after(5_000)).await.unwrap();
        assert_eq!((due.kept[&org("A")].jobs, due.purged[&org("B")].jobs), (1, 1));
        assert_eq!(all(&rig.store).len(), 1);
        let released = rig.store.release_legal_holds(&org("A"), "settled".into(), "eve").await.unwrap();
        assert_eq!(released.len(), 2);
        assert_eq!(count(&rig.store.retain(TERMS, after(5_000)).await.unwrap()), 1);
        assert!(rig.store.release_legal_holds(&org("A"), "again".into(), "eve").await.unwrap().is_empty());
    }
}

/// Ids from the future, made while the clock was ahead, hide nothing behind them and nothing from us.
#[tokio::test]
async fn a_clock_that_was_ahead_for_a_while_deletes_nothing_early_and_keeps_nothing_for_ever() {
    let rig = Rig::new();
    rig.clock.set(after(9_000));
    let ahead = rig.accept("A", "ahead", b"1").await;
    rig.complete(&rig.claim().await).await;
    rig.clock.set(after(0));
    let job = rig.accept("A", "after", b"2").await;
    rig.complete(&rig.claim().await).await;
    assert_eq!(count(&rig.store.retain(TERMS, after(239)).await.unwrap()), 0);
    assert_eq!(count(&rig.store.retain(TERMS, after(240)).await.unwrap()), 1);
    assert_eq!(rig.store.get(job.id).unwrap(), None);
    assert_eq!(count(&rig.store.retain(TERMS, after(9_239)).await.unwrap()), 0);
    assert!(rig.store.get(ahead.id).unwrap().is_some());
}
