//! What a day of a sender leaves in the audit log.

use serde_json::Value;
use tidegate_domain::UploadName;

use crate::client::Client;
use crate::outbox::answer;
use crate::rig::{PASSWORD, Rig};

/// The named values of each entry, those that there are.
fn entries(log: &str, keys: &[&str]) -> Vec<String> {
    let entry = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        let of_key = |key: &&str| value[*key].as_str().map(str::to_owned);
        keys.iter().filter_map(of_key).collect::<Vec<_>>().join(" ")
    };
    log.lines().map(entry).collect()
}

#[tokio::test]
async fn everything_that_senders_do_is_noted_and_nothing_of_their_files() {
    let rig = Rig::start().await;
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.try_login("SECRETUSER", "SECRETPASS").await.code, 530);
    assert_eq!(client.try_login("acme", "SECRETPASS").await.code, 530);
    assert_eq!(client.try_login("acme", PASSWORD).await.code, 230);
    assert_eq!(client.store("SMITH.hl7", b"MSH|SECRET").await.code, 226);
    let job = answer(&rig.store, b"MSA|AA").await.id;
    assert_eq!(client.store("SMITH.tmp", b"MSH|SECRET").await.code, 226);
    assert_eq!(client.store(&"SMITH".repeat(60), b"MSH").await.code, 553);
    assert_eq!(client.command("RNFR SMITH.tmp").await.code, 350);
    assert_eq!(client.command("RNTO SMITH2.hl7").await.code, 250);
    assert_eq!(client.fetch("RETR SMITH2.hl7").await.1.code, 550);
    assert_eq!(client.command("DELE SMITH2.hl7").await.code, 550);
    assert_eq!(client.command("DELE SMITH3.hl7").await.code, 550, "nothing that was there");
    assert_eq!(client.store("SMITH.tmp", b"MSH").await.code, 226);
    assert_eq!(client.command("DELE SMITH.tmp").await.code, 250);
    let response = format!("outbox/SMITH.hl7.{job}.response");
    assert_eq!(client.fetch(&format!("RETR {response}")).await.1.code, 226);
    assert_eq!(client.command(&format!("DELE {response}")).await.code, 250);

    let log = rig.audit_log().await;
    let (staged, job) = (rig.jobs()[1].id.to_string(), job.to_string());
    let by = "ACME01 acme";
    let expected = [
        "login_refused unknown account".to_owned(),
        format!("login_refused {by} wrong password"),
        format!("login {by}"),
        format!("accepted {by} {job}"),
        format!("staged {by}"),
        format!("refused {by} the file name is longer than {} bytes", UploadName::BYTES_MAX),
        format!("accepted {by} {staged}"),
        format!("refused {by} accepted files can't be read back"),
        format!("refused {by} accepted files can't be changed or deleted"),
        format!("staged {by}"),
        format!("staged_deleted {by}"),
        format!("fetched {by} {job}"),
        format!("deleted {by} {job}"),
    ];
    assert_eq!(entries(&log, &["event", "org", "account", "job", "reason"]), expected);
    for line in log.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&value["protocol"], &value["session"]), (&"ftp".into(), &1.into()));
        assert!(value["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
    }
    for secret in ["SMITH", "SECRET", PASSWORD] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_noted_with_the_reason() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    let data = client.begin("STOR a.hl7").await;
    data.set_zero_linger().unwrap();
    drop(data);
    assert_eq!(client.reply().await.code, 426);
    let log = rig.audit_log().await;
    let last = entries(&log, &["event", "reason"]).pop().unwrap();
    assert!(last.starts_with("refused the data connection was lost"), "{log}");
}
