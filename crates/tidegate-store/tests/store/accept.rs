//! Accepting uploads.

use sha2::{Digest, Sha256};
use tidegate_domain::job::{Counts, JobEvent, JobState, Outcome};
use tidegate_store::{Options, StoreError};

use crate::rig::{Rig, org, payload, sender, upload_name};

#[tokio::test]
async fn an_accepted_upload_survives_a_kill_with_its_bytes_and_name() {
    let rig = Rig::new();
    for size in [0, 1, 4096, 64 << 10, (64 << 10) + 1, 3 << 20] {
        let bytes = vec![b'x'; size];
        let job = rig.accept("ACME01", "a.hl7", &bytes).await;
        let after = rig.after_kill();
        let found = after.store.get(job.id).unwrap().unwrap();
        assert_eq!(found, job, "{size} bytes");
        assert_eq!(payload(&after.store, &found), bytes);
        assert_eq!(found.submission.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
        assert_eq!(found.state, JobState::Queued);
    }
}

#[tokio::test]
async fn many_senders_at_once_each_get_a_job_of_their_own() {
    let rig = std::sync::Arc::new(Rig::new());
    let uploads: Vec<_> = (0..200)
        .map(|n| {
            let rig = rig.clone();
            tokio::spawn(async move {
                rig.accept(&format!("ORG{}", n % 7), "same.hl7", format!("{n}").as_bytes()).await.id
            })
        })
        .collect();
    let mut ids = Vec::new();
    for upload in uploads {
        ids.push(upload.await.unwrap());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 200);
    assert_eq!(rig.after_kill().store.stats().unwrap().by_state[&JobState::Queued], 200);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_no_trace() {
    let rig = Rig::new();
    for size in [10, 2 << 20] {
        let mut upload = rig.store.upload().unwrap();
        upload.write(&vec![b'x'; size]).await.unwrap();
        drop(upload);
    }
    assert_eq!(rig.store.inbox(&org("ACME01")).unwrap(), []);
    assert_eq!(rig.after_kill().files("uploads"), Vec::<String>::new());
}

#[tokio::test]
async fn uploads_are_refused_below_the_floor_of_free_space() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::open_with(dir, Options { free_bytes_min: u64::MAX, ..Options::default() });
    assert!(matches!(rig.try_accept("ACME01", "a.hl7", b"x").await, Err(StoreError::NoSpace)));
}

#[tokio::test]
async fn the_same_name_twice_is_two_submissions() {
    let rig = Rig::new();
    let first = rig.accept("ACME01", "a.hl7", b"one").await;
    let second = rig.accept("ACME01", "a.hl7", b"second").await;
    assert_eq!(payload(&rig.store, &first), b"one");
    assert_eq!(payload(&rig.store, &second), b"second");
    let newest = rig.store.inbox_entry(&org("ACME01"), &upload_name("a.hl7")).unwrap().unwrap();
    assert_eq!(newest.size_bytes, 6);
    assert_eq!(rig.store.inbox(&org("ACME01")).unwrap().len(), 2);
}

#[tokio::test]
async fn what_was_handed_over_under_a_name_is_told_before_and_after_it_is_processed() {
    let rig = Rig::new();
    let sought = |code: &str, name: &str| {
        let found = rig.store.newest_submission(&org(code), &upload_name(name)).unwrap();
        found.map(|submission| submission.sha256)
    };
    let first = rig.accept("ACME01", "a.hl7", b"one").await.submission.sha256;
    let second = rig.accept("ACME01", "a.hl7", b"two").await.submission.sha256;
    rig.accept("ACME01", "b.hl7", b"another").await;
    assert_ne!(first, second);
    for _ in 0..2 {
        assert_eq!(sought("ACME01", "a.hl7"), Some(second));
        assert_eq!(sought("ACME01", "c.hl7"), None);
        assert_eq!(sought("BETA02", "a.hl7"), None);
        while let Some(claim) = rig.store.claim(1).await.unwrap().pop() {
            let completed = JobEvent::Completed { outcome: Outcome::Accepted, counts: Counts::default() };
            rig.store.finish(&claim, completed).await.unwrap();
        }
        assert_eq!(rig.store.inbox(&org("ACME01")).unwrap(), []);
    }
}

#[tokio::test]
async fn a_closed_store_takes_nothing() {
    let rig = Rig::new();
    let mut upload = rig.store.upload().unwrap();
    upload.write(b"x").await.unwrap();
    rig.store.close().await;
    let refused = upload.accept(&org("ACME01"), sender(), upload_name("a.hl7")).await;
    assert!(matches!(refused, Err(StoreError::Closed)));
}
