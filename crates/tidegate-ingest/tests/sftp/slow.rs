//! Senders that bring little or nothing.

use std::time::Duration;

use russh_sftp::protocol::OpenFlags;

use crate::client::{Client, NEW, Visitor, connect_with, in_time, try_password};
use crate::clock::Clock;
use crate::rig::{PASSWORD, Rig, payload};

const MINUTE: Duration = Duration::from_mins(1);
/// `session_idle_max`.
const IDLE: Duration = Duration::from_mins(5);
/// Less than a session is left to be told that it has to go.
const MOMENT: Duration = Duration::from_secs(1);
/// What is kept of a broken upload is more than fits into memory.
const PART: usize = 100_000;
/// What is told at the end of an upload that was given up.
const STALLED: &str = "ConnectionLost: the transfer stalled; connect again and go on with it";

/// A session that keeps what it is told at its end.
async fn login(rig: &Rig) -> (Client, Visitor) {
    let visitor = Visitor::default();
    let mut ssh = connect_with(rig.address, russh::client::Config::default(), visitor.clone()).await;
    assert!(try_password(&mut ssh, "acme", PASSWORD).await.success());
    (Client::over(ssh).await, visitor)
}

/// Begins an upload whose beginning comes as quickly as any.
async fn begin(client: &Client, name: &str) -> String {
    let handle = client.open(name, NEW).await.unwrap();
    client.write(&handle, 0, &b"x".repeat(PART)).await.unwrap();
    handle
}

/// What a session was told that ends.
async fn goodbye(client: Client, visitor: &Visitor) -> Option<String> {
    // What the client makes of its end is its own affair.
    let _ = in_time(client.ssh).await;
    visitor.goodbye.lock().unwrap().take()
}

/// An upload was held for ever by a byte or a STAT every few minutes, or by keepalives alone.
#[tokio::test]
async fn an_upload_over_sftp_that_only_trickles_is_given_up_and_can_be_gone_on_with() {
    let rig = Rig::start().await;
    let clock = Clock::stop();
    let (client, visitor) = login(&rig).await;
    let handle = begin(&client, "SMITH.hl7").await;
    for offset in PART..PART + 4 {
        clock.advance(MINUTE).await;
        client.write(&handle, offset as u64, b"y").await.unwrap();
        client.size("/").await.unwrap();
        in_time(client.ssh.send_ping()).await.unwrap();
    }
    clock.advance(MINUTE + MOMENT).await;
    assert_eq!(goodbye(client, &visitor).await.as_deref(), Some(STALLED));
    let client = Client::login(rig.address, "acme").await;
    while !client.sftp.stat("SMITH.hl7").await.is_ok_and(|found| found.attrs.size == Some(PART as u64 + 4)) {
        tokio::task::yield_now().await;
    }
    let handle = client.open("SMITH.hl7", OpenFlags::WRITE).await.unwrap();
    client.write(&handle, PART as u64 + 4, b"z").await.unwrap();
    client.close(&handle).await.unwrap();
    assert!(payload(&rig.store, &rig.jobs()[0]) == [b"x".repeat(PART), b"yyyyz".to_vec()].concat());
    let log = rig.audit_log().await;
    assert_eq!(log.matches("\"event\":\"refused\",\"reason\":\"the transfer stalled\"").count(), 1, "{log}");
    assert!(!log.contains("was lost") && !log.contains("SMITH"), "{log}");
}

#[tokio::test]
async fn a_sender_that_falls_silent_in_an_upload_is_told() {
    let mut rig = Rig::start().await;
    let clock = Clock::stop();
    let (client, visitor) = login(&rig).await;
    begin(&client, "a.hl7").await;
    clock.advance(IDLE + MOMENT).await;
    assert_eq!(goodbye(client, &visitor).await.as_deref(), Some(STALLED));
    rig.signal_stop();
    rig.ended().await;
    assert!(rig.audit_log().await.contains("the transfer stalled"));
    assert_eq!(rig.jobs(), []);
}

#[tokio::test]
async fn an_upload_stays_open_while_its_sender_sends_others() {
    let rig = Rig::start().await;
    let clock = Clock::stop();
    let (first, _) = login(&rig).await;
    let waits = begin(&first, "waits.hl7").await;
    for count in 1..=20 {
        clock.advance(4 * MINUTE).await;
        first.store(&format!("{count}.hl7"), b"MSH").await.unwrap();
    }
    first.close(&waits).await.unwrap();
    assert_eq!(rig.jobs().len(), 21);
}

/// As by FTP with NOOP: how many sessions there may be bounds them.
#[tokio::test]
async fn a_session_without_an_upload_lasts_as_long_as_anything_comes() {
    let rig = Rig::start().await;
    let clock = Clock::stop();
    let (client, visitor) = login(&rig).await;
    let refused = begin(&client, "a.hl7").await;
    assert!(
        client.write(&refused, 0, b"again").await.is_err(),
        "there is nothing left of it to be slow with"
    );
    for _ in 0..10 {
        clock.advance(4 * MINUTE).await;
        in_time(client.ssh.send_ping()).await.unwrap();
        clock.advance(4 * MINUTE).await;
        client.size("/").await.unwrap();
    }
    clock.advance(IDLE + 3 * MOMENT).await;
    assert_eq!(goodbye(client, &visitor).await, None);
}
