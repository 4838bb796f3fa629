//! Uploads under temporary names.

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
