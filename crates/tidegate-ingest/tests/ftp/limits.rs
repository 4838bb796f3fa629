use tidegate_domain::units::ByteSize;
use tidegate_ingest::config::{FtpEngine, LimitsConfig};
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
    refused_as_too_many(&rig).await;
    Client::login(rig.address, "beta").await;
}

/// A right password is not called wrong; a wrong one is told nothing of the sessions there are.
async fn refused_as_too_many(rig: &Rig) {
    let mut guessing = Client::connect(rig.address).await;
    let wrong = guessing.try_login("acme", "wrong horse").await;
    assert_eq!(wrong, guessing.try_login("nobody", "wrong horse").await);
    assert_eq!(wrong.code, 530);
    let mut client = Client::connect(rig.address).await;
    let refused = client.try_login("acme", PASSWORD).await;
    if crate::ENGINE == FtpEngine::Tidegate {
        assert_eq!(refused.text, "421 Too many sessions; try again later\r\n");
        assert_eq!(client.closed().await, "");
    } else {
        assert_eq!(refused.code, 530);
    }
}

/// A door whose ACME01 has limits of its own.
async fn limited_org(limits: &str) -> Rig {
    let rig = Rig::start().await;
    set_limits(&rig, limits);
    rig
}

fn set_limits(rig: &Rig, limits: &str) {
    let path = rig.directory.path().join("ACME01.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let accounts = text.split("\n[limits]\n").next().unwrap();
    std::fs::write(path, format!("{accounts}\n[limits]\n{limits}\n")).unwrap();
    assert_eq!(rig.directory.reload(), []);
}

#[tokio::test]
async fn an_organizations_own_limit_of_sessions_counts_and_is_taken_up_at_once() {
    let rig = limited_org("sessions_max = 1").await;
    let _first = Client::login(rig.address, "acme").await;
    refused_as_too_many(&rig).await;
    set_limits(&rig, "sessions_max = 2");
    Client::login(rig.address, "acme").await;
}

#[tokio::test]
async fn an_organizations_own_limit_of_size_is_not_the_others() {
    let rig = limited_org("upload_bytes_max = '1000B'").await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", &[b'x'; 1001]).await.code, 552);
    assert_eq!(client.store("a.hl7", &[b'x'; 1000]).await.code, 226);
    let mut other = Client::login(rig.address, "beta").await;
    assert_eq!(other.store("b.hl7", &[b'x'; 1001]).await.code, 226);
}

#[tokio::test]
async fn with_as_many_files_waiting_as_may_no_more_are_taken_until_one_has_gone() {
    let rig = limited_org("files_waiting_max = 2").await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 226);
    assert_eq!(client.store("b.tmp", b"MSH").await.code, 226);
    assert_eq!(client.store("c.hl7", b"MSH").await.code, 226);
    let refused = client.store("d.hl7", b"MSH").await;
    assert_eq!(refused.code, 452);
    if crate::ENGINE == FtpEngine::Tidegate {
        assert!(refused.text.contains("too many of your files wait"), "{refused:?}");
    }
    assert_eq!(client.command("RNFR b.tmp").await.code, 350);
    assert_eq!(client.command("RNTO b.hl7").await.code, 452, "a rename submits a file, too");
    let mut other = Client::login(rig.address, "beta").await;
    assert_eq!(other.store("b.hl7", b"MSH").await.code, 226);

    let job = rig.jobs().remove(0);
    let cancel = tidegate_domain::job::JobEvent::Cancelled { reason: "test".to_owned() };
    rig.store.act(job.id, cancel, "jo").await.unwrap();
    assert_eq!(client.store("d.hl7", b"MSH").await.code, 226);
    assert_eq!(rig.jobs().len(), 4);
}

#[tokio::test]
async fn with_as_many_uploads_in_a_minute_as_may_the_next_one_has_to_wait() {
    let rig = limited_org("uploads_per_minute_max = 2").await;
    let mut client = Client::login(rig.address, "acme").await;
    for (name, code) in [("a.hl7", 226), ("b.hl7", 226), ("c.hl7", 452)] {
        assert_eq!(client.store(name, b"MSH").await.code, code, "{name}");
    }
    set_limits(&rig, "uploads_per_minute_max = 3");
    assert_eq!(client.store("c.hl7", b"MSH").await.code, 226);
    assert_eq!(rig.jobs().len(), 3);
}
