//! What must hold after a fault: while the store still runs, and once it was started again.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;

use tidegate_domain::job::{Job, JobEvent, JobState};
use tidegate_domain::{JobId, OrgCode, UploadName};
use tidegate_store::{Filter, Store, StoreError};

use crate::book::{Book, Fate, Told, after_a_start, response_of};
use crate::world::{World, completed, pattern, try_upload};

/// A store that goes on after a fault: it holds what it said, and the next upload works.
pub(crate) async fn check_running(world: &mut World) {
    let bytes = pattern("next", 500);
    let next = try_upload(world.store(), "NEXT", "next", &bytes).await;
    assert!(next.is_ok(), "the next upload works: {next:?}");
    world.note_upload("NEXT", "next", bytes, &next);
    check_files(world.store(), &world.book);
    let jobs: BTreeSet<String> = jobs_of(world.store()).iter().map(|job| format!("{}.hl7", job.id)).collect();
    for org in fs::read_dir(world.path().join("orgs")).unwrap() {
        for file in fs::read_dir(org.unwrap().path().join("incoming")).into_iter().flatten() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(jobs.contains(&name), "{name} is nobody's");
        }
    }
    check_work_goes_on(world).await;
}

/// Every organization that waits and has no job with a worker is served.
async fn check_work_goes_on(world: &mut World) {
    if !world.store().maintenance().holds.is_empty() {
        return;
    }
    let jobs = jobs_of(world.store());
    let orgs_with = |states: &[JobState]| -> BTreeSet<OrgCode> {
        let found = jobs.iter().filter(|job| states.contains(&job.state));
        found.map(|job| job.submission.org.clone()).collect()
    };
    let waiting = orgs_with(&[JobState::Queued, JobState::Retrying]);
    let busy = orgs_with(&[JobState::Processing]);
    let claims = world.claim(99).await;
    let served: BTreeSet<OrgCode> = claims.iter().map(|claim| claim.job.submission.org.clone()).collect();
    assert_eq!(served, &waiting - &busy);
    for claim in claims {
        assert!(world.finish(&claim, JobEvent::Yielded).await);
    }
}

/// A store that has failed takes nothing more.
pub(crate) async fn check_failed(store: &Store) {
    assert!(*store.failed().borrow());
    for len in [10, 70_000] {
        let refused = try_upload(store, "A", "too-late", &vec![7; len]).await;
        assert!(matches!(refused, Err(StoreError::Poisoned)), "{refused:?}");
    }
}

/// Starts the store, compares it with the book, ends every job, and compares again.
pub(crate) async fn check_start(world: &mut World) {
    let recovery = world.try_open().unwrap_or_else(|error| panic!("the store does not start: {error}"));
    assert_eq!(recovery.journal_holes, 0, "nothing is damaged");
    let verified = world.store().verify().await.unwrap();
    assert_eq!(verified.findings, Vec::<String>::new());
    check_files(world.store(), &world.book);
    check_responses(world);
    let held = !world.store().maintenance().holds.is_empty();
    assert!(world.book.hold.allows(held), "hold: {held}, but {:?}", world.book.hold);
    drain(world).await;
}

/// Each accepted upload is there once with its bytes; nothing else is, unless it was left open.
fn check_files(store: &Store, book: &Book) {
    let jobs = jobs_of(store);
    for job in &jobs {
        let file = book.file(job);
        assert_ne!(file.fate, Fate::Refused, "{job:?} was refused");
        assert_eq!((&job.submission.org, job.submission.size_bytes), (&file.org, file.bytes.len() as u64));
        assert_eq!(payload(store, job), file.bytes, "bytes of {job:?}");
        let state = after_a_start(job.state);
        assert!(file.states.contains(&state), "{state:?} instead of {:?}", file.states);
    }
    for file in &book.files {
        let ids: Vec<JobId> =
            jobs.iter().filter(|job| job.submission.name == file.name).map(|job| job.id).collect();
        match file.fate {
            Fate::Accepted(id) => assert_eq!(ids, [id], "{:?}", file.name),
            Fate::Open => assert!(ids.len() <= 1),
            Fate::Refused => assert!(ids.is_empty()),
        }
    }
}

/// Each finished job has its response in the outbox, byte for byte, unless its sender deleted it; an
/// unfinished one has none, and of its response what its last checkpoint speaks of.
fn check_responses(world: &World) {
    let store = world.store();
    for job in jobs_of(store) {
        let file = world.book.file(&job);
        let found = published(store, &job);
        if !job.has_response() {
            assert_eq!(found, None, "an answer to a job in state {:?}", job.state);
        } else if let Some(found) = &found {
            assert!(file.deleted != Told::Sure(true), "a deleted response is back");
            let answered = job.duplicate_of.and_then(|of| store.get(of).unwrap()).unwrap_or(job.clone());
            assert!(*found == response_of(&answered.submission.name), "response of {job:?}");
        } else {
            assert!(file.deleted != Told::Never, "the response of {job:?} is gone");
        }
        if let Some(progress) = &job.progress {
            let len = usize::from_le_bytes(progress.as_slice().try_into().unwrap());
            let so_far = fs::read(store.response_path(&job)).unwrap();
            assert!(so_far.get(..len) == response_of(&file.name).get(..len), "response up to the checkpoint");
        }
    }
}

/// Nothing is stuck: staff let everything go, and a worker ends it.
async fn drain(world: &mut World) {
    world.advance(chrono::TimeDelta::days(1));
    world.store().release_holds(None, "eve", "go on").await.unwrap();
    let jobs = jobs_of(world.store());
    for job in &jobs {
        // Whatever was left open is known by now.
        let file = world.book.files.iter_mut().find(|file| file.name == job.submission.name).unwrap();
        file.fate = Fate::Accepted(job.id);
    }
    for job in jobs.iter().filter(|job| job.state == JobState::Held) {
        world.act(job.id, JobEvent::Released { reason: "go on".to_owned() }).await;
    }
    loop {
        let claims = world.claim(9).await;
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            assert_eq!(payload(world.store(), &claim.job), world.book.file(&claim.job).bytes);
            assert!(world.finish(&claim, completed()).await);
        }
    }
    for job in jobs_of(world.store()) {
        assert!(job.state.is_final() || job.state == JobState::Exception, "{job:?} is stuck");
    }
    check_files(world.store(), &world.book);
    check_responses(world);
    world.book.hold = Told::Open;
}

fn published(store: &Store, job: &Job) -> Option<Vec<u8>> {
    let name = published_name(&job.submission.name, job.id);
    let mut bytes = Vec::new();
    store.open_outbox(&job.submission.org, &name).ok()?.read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

fn published_name(name: &UploadName, id: JobId) -> Vec<u8> {
    [name.as_bytes(), format!(".{id}.response").as_bytes()].concat()
}

fn jobs_of(store: &Store) -> Vec<Job> {
    store.list(&Filter { limit: 1000, ..Filter::default() }).unwrap()
}

fn payload(store: &Store, job: &Job) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = store.open_payload(job);
    let mut file = file.unwrap_or_else(|error| panic!("bytes of {job:?}: {error}"));
    file.read_to_end(&mut bytes).unwrap();
    bytes
}
