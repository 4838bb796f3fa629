//! An upload that was not closed is no upload.

use russh::{ChannelMsg, Disconnect};

use crate::client::{Client, NEW, Raw};
use crate::rig::{Rig, jobs};

async fn half_an_upload(rig: &Rig, name: &str) -> Client {
    let client = Client::login(rig.address, "acme").await;
    let handle = client.open(name, NEW).await.unwrap();
    client.write(&handle, 0, &vec![b'x'; 100_000]).await.unwrap();
    client
}

async fn nothing_was_accepted(rig: Rig) {
    let client = Client::login(rig.address, "acme").await;
    assert_eq!(client.names("inbox").await.unwrap(), Vec::<String>::new());
    drop(client);
    let store = rig.stop().await;
    assert!(jobs(&store).is_empty());
}

#[tokio::test]
async fn a_connection_lost_before_close_has_submitted_nothing() {
    let rig = Rig::start().await;
    drop(half_an_upload(&rig, "a.hl7").await);
    drop(half_an_upload(&rig, "a.hl7.part").await);
    nothing_was_accepted(rig).await;
}

#[tokio::test]
async fn an_upload_that_was_lost_is_noted_once_and_one_that_was_refused_is_not_noted_again() {
    let mut rig = Rig::start().await;
    let client = half_an_upload(&rig, "SMITH.hl7").await;
    let handle = client.open("JONES.hl7", NEW).await.unwrap();
    client.write(&handle, 0, b"MSH").await.unwrap();
    assert!(client.write(&handle, 1, b"MSH").await.is_err());
    client.ssh.disconnect(Disconnect::ByApplication, "", "").await.unwrap();
    rig.signal_stop();
    rig.ended().await;
    let log = rig.audit_log().await;
    for reason in ["the control connection was lost", "this write is out of order"] {
        let entry = format!("\"event\":\"refused\",\"reason\":\"{reason}");
        assert_eq!(log.matches(&entry).count(), 1, "{log}");
    }
    assert!(!log.contains("SMITH") && !log.contains("JONES"), "{log}");
}

#[tokio::test]
async fn a_goodbye_before_close_has_submitted_nothing() {
    let rig = Rig::start().await;
    let client = half_an_upload(&rig, "a.hl7").await;
    client.ssh.disconnect(Disconnect::ByApplication, "", "").await.unwrap();
    nothing_was_accepted(rig).await;
}

#[tokio::test]
async fn a_channel_closed_before_its_files_has_submitted_nothing() {
    let rig = Rig::start().await;
    let client = half_an_upload(&rig, "a.hl7").await;
    client.sftp.close_session().unwrap();
    let again = Client::over(client.ssh).await;
    again.store("b.hl7", b"MSH").await.unwrap();
    assert_eq!(again.names("inbox").await.unwrap(), ["b.hl7"]);
}

/// OpenSSH's scp takes a channel that ends without a status for a failure.
#[tokio::test]
async fn the_end_of_requests_is_answered_with_a_good_exit_status() {
    let rig = Rig::start().await;
    let mut raw = Raw::login(rig.address).await;
    raw.channel.eof().await.unwrap();
    let mut told = Vec::new();
    while let Some(message) = raw.channel.wait().await {
        match message {
            ChannelMsg::ExitStatus { exit_status } => told.push(format!("status {exit_status}")),
            ChannelMsg::Eof => told.push("end".to_owned()),
            ChannelMsg::Close => break,
            _ => {}
        }
    }
    assert_eq!(told, ["status 0", "end"]);
}
