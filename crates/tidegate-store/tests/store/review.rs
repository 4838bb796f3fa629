//! Odd moments: what went wrong before, or could.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_domain::SystemClock;
use tidegate_domain::job::{Counts, JobEvent, JobState};
use tidegate_store::{Filter, OpenError, Options, Store, StoreError};

use crate::rig::{Rig, copy, files_in, org, payload, sender, upload_name};

const SEGMENT_HEADER: u64 = 28;

fn segments(data_dir: &Path) -> Vec<PathBuf> {
    let journal = data_dir.join("journal");
    files_in(&journal).into_iter().map(|name| journal.join(name)).collect()
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
    let image = rig.crash_image();
    let newest = segments(image.path()).pop().unwrap();
    let mut bytes = fs::read(&newest).unwrap();
    let store_id: [u8; 8] = bytes[8..16].try_into().unwrap();
    bytes.extend_from_slice(&batch(store_id, b"\x03\0\0\0\0\0\0\0???"));
    fs::write(&newest, &bytes).unwrap();
    let refused = Store::open(image.path(), Options::default(), Arc::new(SystemClock));
    assert!(refused.is_err());
    assert_eq!(fs::read(newest).unwrap(), bytes);
}

fn batch(store_id: [u8; 8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    let covered = [&store_id[..], &length, body].concat();
    let crc = crc32c::crc32c(&covered).to_le_bytes();
    [b"TGB1", &store_id[..], &length, &crc, body].concat()
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

    let mut upload = rig.store.upload().unwrap();
    upload.write(&vec![b'x'; 1 << 20]).await.unwrap();
    let blocks = vec![b'x'; 4 << 20];
    tokio::select! {
        biased;
        _ = upload.write(&blocks) => unreachable!("blocks are written one after the other"),
        () = std::future::ready(()) => {}
    }
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
async fn damage_to_the_index_after_a_clean_end_is_noticed_too() {
    let rig = Rig::new();
    for n in 0..60_u8 {
        rig.accept(&format!("ORG{}", n % 3), &format!("{n}.hl7"), &[n; 100]).await;
    }
    let jobs = rig.store.list(&Filter { limit: 1000, ..Filter::default() }).unwrap();
    let dir = rig.closed().await;
    let db = fs::read(dir.path().join("queue/db")).unwrap();
    let used = db.iter().rposition(|byte| *byte != 0).unwrap_or(0).max(40);
    for variant in 0..20 {
        let image = tempfile::tempdir().unwrap();
        copy(dir.path(), image.path());
        let mut damaged = db.clone();
        for byte in damaged.iter_mut().skip(used * variant / 20).take(1 + variant % 9) {
            *byte ^= 0x5a;
        }
        fs::write(image.path().join("queue/db"), damaged).unwrap();
        let rig = Rig::open(image);
        let found = rig.store.list(&Filter { limit: 1000, ..Filter::default() }).unwrap();
        assert_eq!(found, jobs, "variant {variant}");
        assert!(rig.store.verify().await.unwrap().findings.is_empty(), "variant {variant}");
    }
}
