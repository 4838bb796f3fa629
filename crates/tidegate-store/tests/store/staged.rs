//! Uploads under temporary names.

use sha2::{Digest as _, Sha256};
use tidegate_store::StoreError;

use crate::rig::{Rig, org, payload, sender, upload_name};

async fn stage(rig: &Rig, name: &str, bytes: &[u8]) {
    let mut upload = rig.store.upload().unwrap();
    upload.write(bytes).await.unwrap();
    upload.stage(&org("A"), &upload_name(name)).await.unwrap();
}

#[tokio::test]
async fn a_staged_upload_is_no_job_until_it_is_renamed() {
    let rig = Rig::new();
    for size in [5, 1 << 20] {
        let bytes = vec![b'x'; size];
        stage(&rig, "a.part", &bytes).await;
        assert_eq!(
            rig.store.staged_entry(&org("A"), &upload_name("a.part")).unwrap().unwrap().size_bytes,
            size as u64
        );
        assert!(rig.store.claim(1).await.unwrap().is_empty());
        let job = rig
            .store
            .accept_staged(&org("A"), &upload_name("a.part"), sender(), upload_name("a.hl7"))
            .await
            .unwrap();
        assert_eq!(rig.store.staged(&org("A")).unwrap(), []);
        let after = rig.after_kill();
        assert_eq!(payload(&after.store, &job), bytes);
        let claim = rig.claim().await;
        rig.complete(&claim).await;
    }
}

#[tokio::test]
async fn a_staged_upload_survives_a_restart_and_can_be_renamed_and_dropped() {
    let rig = Rig::new();
    stage(&rig, "a.part", b"1").await;
    let rig = Rig::open(rig.closed().await);
    rig.store.rename_staged(&org("A"), &upload_name("a.part"), &upload_name("b.part")).unwrap();
    rig.store.remove_staged(&org("A"), &upload_name("b.part")).unwrap();
    let gone = rig.store.accept_staged(&org("A"), &upload_name("b.part"), sender(), upload_name("b")).await;
    assert!(matches!(gone, Err(StoreError::NotFound)));
}

#[tokio::test]
async fn a_staged_upload_is_accepted_only_with_the_checksum_that_was_asked_for() {
    let rig = Rig::new();
    let bytes = vec![b'x'; 100_000];
    stage(&rig, "a", &bytes).await;
    let name = upload_name("a");
    let other = Some(Sha256::digest(b"other").into());
    let refused = rig.store.accept_staged_if(&org("A"), &name, sender(), name.clone(), other).await;
    assert!(matches!(refused, Err(StoreError::OtherBytes)));
    assert_eq!(rig.store.staged_entry(&org("A"), &name).unwrap().unwrap().size_bytes, 100_000);
    assert!(rig.store.claim(1).await.unwrap().is_empty());

    let right = Some(Sha256::digest(&bytes).into());
    let job = rig.store.accept_staged_if(&org("A"), &name, sender(), name.clone(), right).await.unwrap();
    assert_eq!(rig.store.staged(&org("A")).unwrap(), []);
    assert_eq!(std::fs::read_dir(rig.path().join("uploads")).unwrap().count(), 0);
    let after = rig.after_kill();
    assert_eq!(payload(&after.store, &job), bytes);
}

/// "No such file" is for good, and a sender would not try again.
#[tokio::test]
async fn a_directory_that_is_missing_is_no_answer_about_the_senders_file() {
    let rig = Rig::new();
    stage(&rig, "a.part", b"1").await;
    let gone = |what: &str| std::fs::remove_dir_all(rig.path().join(what)).unwrap();
    let is_ours = |error: StoreError| matches!(error, StoreError::Io { .. });

    let large = vec![b'x'; 70 << 10];
    gone("uploads");
    assert!(is_ours(rig.try_accept("A", "large", &large).await.unwrap_err()));
    let (staged, name) = (upload_name("a.part"), upload_name("a.hl7"));
    let taken = rig.store.accept_staged(&org("A"), &staged, sender(), name.clone()).await;
    assert!(is_ours(taken.unwrap_err()));
    assert!(rig.store.staged_entry(&org("A"), &staged).unwrap().is_some());

    std::fs::create_dir(rig.path().join("uploads")).unwrap();
    // It would be made anew if nothing were in its place.
    let incoming = rig.path().join("orgs/A/incoming");
    gone("orgs/A/incoming");
    std::fs::write(&incoming, b"in the way").unwrap();
    assert!(is_ours(rig.try_accept("A", "large", &large).await.unwrap_err()));
    assert!(is_ours(rig.store.accept_staged(&org("A"), &staged, sender(), name).await.unwrap_err()));
    std::fs::remove_file(&incoming).unwrap();
    std::fs::create_dir(incoming).unwrap();

    gone("staged/A");
    let mut upload = rig.store.upload().unwrap();
    upload.write(b"1").await.unwrap();
    assert!(is_ours(upload.stage(&org("A"), &staged).await.unwrap_err()));
    assert_eq!(rig.store.stats().unwrap().by_state.values().sum::<u64>(), 0);
}
