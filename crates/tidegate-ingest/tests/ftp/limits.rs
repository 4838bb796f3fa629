use tidegate_domain::units::ByteSize;
use tidegate_ingest::config::LimitsConfig;
use tidegate_store::Options;

use crate::client::Client;
use crate::rig::{PASSWORD, Rig, Setup};

async fn limited(limits: LimitsConfig) -> Rig {
    Rig::with(Setup { limits, ..Setup::default() }).await
}

#[tokio::test]
async fn an_upload_that_is_too_large_is_refused_and_the_session_goes_on() {
    let rig = limited(LimitsConfig { upload_bytes_max: ByteSize(1000), ..LimitsConfig::default() }).await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", &[b'x'; 1001]).await.code, 552);
    assert_eq!(client.store("a.hl7", &vec![b'x'; 5_000_000]).await.code, 552);
    assert_eq!(client.store("a.hl7", &[b'x'; 1000]).await.code, 226);
    assert_eq!(rig.jobs().len(), 1);
}

#[tokio::test]
async fn a_full_disk_is_a_passing_failure() {
    let store = Options { free_bytes_min: u64::MAX, ..Options::default() };
    let rig = Rig::with(Setup { store, ..Setup::default() }).await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 452);
    assert!(rig.jobs().is_empty());
}

/// "No such file" would be for good, and is nothing that a sender of one could understand.
#[tokio::test]
async fn a_store_that_lacks_a_directory_is_a_passing_failure() {
    let rig = Rig::start().await;
    std::fs::remove_dir_all(rig.data().join("uploads")).unwrap();
    let mut client = Client::login(rig.address, "acme").await;
    for name in ["a.hl7", "a.hl7.part"] {
        assert_eq!(client.store(name, &vec![b'x'; 70 << 10]).await.code, 451, "{name}");
    }
    assert!(rig.jobs().is_empty());
}

#[tokio::test]
async fn one_session_too_many_hears_so_and_the_others_go_on() {
    let limits = LimitsConfig { sessions_max: 1, sessions_per_org_max: 1, ..LimitsConfig::default() };
    let rig = limited(limits).await;
    let mut client = Client::login(rig.address, "acme").await;
    let refused = Client::connect(rig.address).await;
    assert_eq!(refused.greeting.code, 421);
    assert_eq!(refused.closed().await, "");
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 226);
}

#[tokio::test]
async fn an_organization_does_not_take_the_others_sessions() {
    let rig = limited(LimitsConfig { sessions_per_org_max: 1, ..LimitsConfig::default() }).await;
    let _first = Client::login(rig.address, "acme").await;
    let mut second = Client::connect(rig.address).await;
    assert_eq!(second.try_login("acme", PASSWORD).await.code, 530);
    assert_eq!(second.try_login("beta", PASSWORD).await.code, 230);
}
