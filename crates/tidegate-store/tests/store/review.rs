//! Odd moments: what went wrong before, or could.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};

use tidegate_disk::{Call, Disk, Grant, Watch};
use tidegate_domain::SystemClock;
use tidegate_domain::job::{Counts, JobEvent, JobState};
use tidegate_store::{Filter, OpenError, Options, Store, StoreError};

use crate::rig::{Rig, copy, files_in, org, payload, sender, upload_name, written_bytes};

const SEGMENT_HEADER: u64 = 28;

fn segments(data_dir: &Path) -> Vec<PathBuf> {
    let journal = data_dir.join("journal");
    let finished = |name: &String| name != "sealing.tmp";
    files_in(&journal).into_iter().filter(finished).map(|name| journal.join(name)).collect()
}

fn states(store: &Store) -> Vec<JobState> {
    let jobs = store.list(&Filter { limit: 1000, ..Filter::default() }).unwrap();
    jobs.into_iter().map(|job| job.state).collect()
}

/// A start that broke off after it had begun its segment and before it wrote to it.
#[tokio::test]
async fn a_segment_that_was_begun_twice_is_not_sealed_while_it_is_written() {
    let rig = Rig::new();
    rig.accept("A", "1", b"1").await;
    rig.claim().await;
    let image = rig.crash_image();
    let begun = rig.after_kill();
    let newest = segments(begun.path()).pop().unwrap();
    let name = image.path().join("journal").join(newest.file_name().unwrap());
    fs::copy(newest, &name).unwrap();
    fs::OpenOptions::new().write(true).open(name).unwrap().set_len(SEGMENT_HEADER).unwrap();

    let rig = Rig::open(image);
    assert_eq!(rig.recovery.jobs_interrupted, 1);
    let claim = rig.claim().await;
    for _ in 0..2 {
        // Its sync waits in line behind the sealing.
        rig.store.checkpoint(&claim, vec![1], Counts::default()).await.unwrap();
    }
    rig.accept("A", "2", b"2").await;
    let image = rig.crash_image();
    fs::remove_dir_all(image.path().join("queue")).unwrap();
    assert_eq!(states(&Rig::open(image).store), [JobState::Queued, JobState::Queued]);
}

#[tokio::test]
async fn uploads_without_journal_and_index_are_no_new_store_either() {
    let rig = Rig::new();
    let job = rig.accept("A", "1", b"1").await;
    assert_eq!(payload(&rig.store, &job), b"1", "its file is there");
    let image = rig.crash_image();
    for directory in ["journal", "queue"] {
        fs::remove_dir_all(image.path().join(directory)).unwrap();
        fs::create_dir(image.path().join(directory)).unwrap();
    }
    let refused = Store::open(image.path(), Options::default(), Arc::new(SystemClock));
    assert!(matches!(refused, Err(OpenError::Damaged { .. })));
    assert_eq!(files_in(&image.path().join("orgs/A/incoming")), [format!("{}.hl7", job.id)]);
}

/// The acceptance of a job is unreadable, and the job went on afterwards.
#[tokio::test]
async fn a_hole_does_not_keep_the_store_from_opening_and_its_bytes_are_kept_at_every_start() {
    let rig = Rig::new();
    let start = fs::metadata(&segments(rig.path())[0]).unwrap().len();
    let lost = rig.accept("A", "1", b"1").await;
    let claim = rig.claim().await;
    rig.store.finish(&claim, JobEvent::Yielded).await.unwrap();
    rig.accept("A", "2", b"2").await;
    let image = rig.crash_image();
    fs::remove_dir_all(image.path().join("queue")).unwrap();
    flip_byte(&segments(image.path())[0], start + 25);
    let mut rig = Rig::open(image);
    for _ in 0..3 {
        assert!(rig.recovery.journal_holes > 0);
        assert_eq!(states(&rig.store), [JobState::Queued]);
        assert!(rig.files("orgs/A/incoming").contains(&format!("{}.hl7", lost.id)));
        rig = rig.after_kill();
    }
}

/// What the index still knows is not thrown away because the journal lost it.
#[tokio::test]
async fn an_index_that_ends_in_a_hole_is_believed() {
    let rig = Rig::new();
    rig.accept("A", "1", b"1").await;
    let image = rig.closed().await;
    let later = tempfile::tempdir().unwrap();
    copy(image.path(), later.path());
    let later = Rig::open(later);
    later.accept("A", "2", b"2").await;
    let newest = segments(later.path()).pop().unwrap();
    fs::copy(&newest, image.path().join("journal").join(newest.file_name().unwrap())).unwrap();
    flip_byte(&segments(image.path())[0], SEGMENT_HEADER + 25);
    let rig = Rig::open(image);
    assert_eq!(rig.recovery.journal_holes, 1);
    assert_eq!(states(&rig.store).len(), 2);
}

fn flip_byte(file: &Path, place: u64) {
    let mut bytes = fs::read(file).unwrap();
    bytes[usize::try_from(place).unwrap()] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn a_batch_of_a_later_version_is_not_taken_for_a_torn_end() {
    let rig = Rig::new();
    rig.accept("A", "1", b"1").await;
    let image = rig.closed().await;
    let newest = segments(image.path()).pop().unwrap();
    let mut bytes = fs::read(&newest).unwrap();
    let store_id: [u8; 8] = bytes[8..16].try_into().unwrap();
    bytes.extend_from_slice(&batch(store_id, b"\x03\0\0\0\0\0\0\0???"));
    fs::write(&newest, &bytes).unwrap();
    let ours = image.path().join("queue/ours");
    fs::write(&ours, "").unwrap();
    let refused = Store::open(image.path(), Options::default(), Arc::new(SystemClock));
    assert!(refused.is_err());
    assert_eq!(fs::read(newest).unwrap(), bytes);
    assert!(ours.exists(), "the index is not to blame and stays");
}

fn batch(store_id: [u8; 8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    let covered = [&store_id[..], &length, body].concat();
    let crc = crc32c::crc32c(&covered).to_le_bytes();
    [b"TGB1", &store_id[..], &length, &crc, body].concat()
}

/// Writes nothing of uploads while it is halted.
#[derive(Debug, Default)]
struct Halting {
    is_halted: Mutex<bool>,
    changed: Condvar,
}

impl Halting {
    fn halt(&self, is_halted: bool) {
        *self.is_halted.lock().unwrap() = is_halted;
        self.changed.notify_all();
    }
}

impl Watch for Halting {
    fn before(&self, call: &Call<'_>) -> std::io::Result<Grant> {
        if matches!(call, Call::Write { path, .. } if path.extension().is_some_and(|ending| ending == "part"))
        {
            let is_halted = self.is_halted.lock().unwrap();
            drop(self.changed.wait_while(is_halted, |is_halted| *is_halted).unwrap());
        }
        Ok(Grant::Whole)
    }
}

#[tokio::test]
async fn an_upload_that_lost_a_block_can_not_be_accepted() {
    let rig = Rig::new();
    let mut upload = rig.store.upload().unwrap();
    fs::remove_dir(rig.path().join("uploads")).unwrap();
    upload.write(&vec![b'x'; 100_000]).await.unwrap_err();
    fs::create_dir(rig.path().join("uploads")).unwrap();
    let refused = upload.accept(&org("A"), sender(), upload_name("1")).await;
    assert!(matches!(refused, Err(StoreError::Io { .. })));

    let halting = Arc::new(Halting::default());
    let options = Options { disk: Disk::watched(Arc::clone(&halting) as _), ..Options::default() };
    let rig = Rig::open_with(tempfile::tempdir().unwrap(), options);
    let mut upload = rig.store.upload().unwrap();
    upload.write(&vec![b'x'; 1 << 20]).await.unwrap();
    let blocks = vec![b'x'; 64 << 20];
    halting.halt(true);
    tokio::select! {
        biased;
        _ = upload.write(&blocks) => unreachable!("no block can be written"),
        () = std::future::ready(()) => {}
    }
    halting.halt(false);
    let refused = upload.accept(&org("A"), sender(), upload_name("1")).await;
    assert!(matches!(refused, Err(StoreError::Io { .. })));
    assert!(states(&rig.store).is_empty());
}

#[tokio::test]
async fn a_staged_upload_stays_staged_if_the_store_closes_before_it_is_accepted() {
    let rig = Rig::new();
    let mut upload = rig.store.upload().unwrap();
    upload.write(b"1").await.unwrap();
    upload.stage(&org("A"), &upload_name("a.part")).await.unwrap();
    rig.store.close().await;
    let (part, name) = (upload_name("a.part"), upload_name("a"));
    let refused = rig.store.accept_staged(&org("A"), &part, sender(), name.clone()).await;
    assert!(matches!(refused, Err(StoreError::Closed)));
    let image = rig.crash_image();
    let rig = Rig::open(image);
    let job = rig.store.accept_staged(&org("A"), &part, sender(), name).await.unwrap();
    assert_eq!(payload(&rig.store, &job), b"1");
}

/// Something is in the way of the response at one start and for as long as that process runs.
#[tokio::test]
async fn a_response_that_a_start_can_not_publish_is_published_later() {
    let rig = Rig::new();
    rig.accept("A", "march.hl7", b"1").await;
    let claim = rig.claim().await;
    rig.complete(&claim).await;
    let image = rig.crash_image();
    let response = rig.store.response_path(&claim.job);
    let response = image.path().join(response.strip_prefix(rig.path()).unwrap());
    fs::remove_dir_all(image.path().join("queue")).unwrap();
    fs::remove_dir_all(image.path().join("orgs/A/outbox")).unwrap();
    fs::rename(&response, image.path().join("aside")).unwrap();
    let image = Rig::open(image).closed().await;
    fs::rename(image.path().join("aside"), response).unwrap();
    assert_eq!(Rig::open(image).store.outbox(&org("A")).unwrap().len(), 2);
}

#[tokio::test]
async fn of_many_who_park_a_job_at_once_one_does() {
    let rig = Rig::new();
    let job = rig.accept("A", "1", b"1").await;
    let acts: Vec<_> = (0..50)
        .map(|_| {
            let (store, event) = (rig.store.clone(), JobEvent::Held { reason: "look".to_owned() });
            tokio::spawn(async move { store.act(job.id, event, "eve").await.is_ok() })
        })
        .collect();
    let mut done = 0;
    for act in acts {
        done += usize::from(act.await.unwrap());
    }
    assert_eq!(done, 1);
    assert_eq!(rig.store.history(job.id).unwrap().len(), 2);
    assert!(!*rig.store.failed().borrow());
}

/// The next segment can't be begun for a while: what is asked for meanwhile did not happen.
#[tokio::test]
async fn a_full_segment_is_followed_by_another_and_sealed() {
    let rig = Arc::new(Rig::new());
    rig.accept("B", "1", b"1").await;
    let accepted = 1 + fill_segment(&rig).await;
    let (journal, aside) = (rig.path().join("journal"), rig.path().join("uploads/aside"));
    fs::rename(&journal, &aside).unwrap();
    assert!(matches!(rig.try_accept("B", "2", b"2").await, Err(StoreError::Io { .. })));
    assert!(matches!(rig.store.claim(9).await, Err(StoreError::Io { .. })));
    assert_eq!(rig.files("orgs/B/incoming").len(), 1);
    fs::rename(&aside, &journal).unwrap();

    let claims = rig.store.claim(9).await.unwrap();
    assert_eq!(claims.len(), 2, "both lanes are still to be had");
    for _ in 0..2 {
        // Its sync waits in line behind the sealing.
        rig.store.checkpoint(&claims[0], vec![1], Counts::default()).await.unwrap();
    }
    assert!(segments(rig.path())[0].to_string_lossy().ends_with(".sealed"));
    assert_eq!(segments(rig.path()).len(), 2);
    let image = rig.crash_image();
    fs::remove_dir_all(image.path().join("queue")).unwrap();
    let after = Rig::open(image);
    assert_eq!(after.recovery.journal_holes, 0);
    assert_eq!(after.store.stats().unwrap().by_state[&JobState::Queued], accepted);
    assert!(after.store.verify().await.unwrap().findings.is_empty());
}

/// Uploads until the journal's first segment has no room left; how many.
async fn fill_segment(rig: &Arc<Rig>) -> u64 {
    let segment = segments(rig.path()).remove(0);
    let mut accepted = 0;
    loop {
        let room = (64_u64 << 20).saturating_sub(written_bytes(&segment));
        let at_once = match room {
            0 => return accepted,
            1..=0x40_0000 => 1,
            _ => 50,
        };
        let uploads: Vec<_> = (0..at_once)
            .map(|_| {
                let rig = Arc::clone(rig);
                tokio::spawn(async move { rig.accept("A", "large", &vec![b'x'; 64 << 10]).await })
            })
            .collect();
        for upload in uploads {
            upload.await.unwrap();
            accepted += 1;
        }
    }
}

#[tokio::test]
async fn a_clean_end_is_believed_once() {
    let rig = Rig::new();
    let job = rig.accept("A", "1", b"1").await;
    let rig = Rig::open(rig.closed().await);
    let image = rig.crash_image();
    fs::write(image.path().join("orgs/A/incoming/0000000000000001.hl7"), "never acknowledged").unwrap();
    let after = Rig::open(image);
    assert_eq!(after.recovery.strays_removed, 1);
    assert_eq!(after.files("orgs/A/incoming"), [format!("{}.hl7", job.id)]);
}
