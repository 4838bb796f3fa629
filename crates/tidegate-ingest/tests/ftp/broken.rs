//! An upload that did not come to its end is no upload: RFC 959, 4.1.1.

use std::time::Duration;

use tidegate_domain::units::HumanDuration;
use tidegate_ingest::config::LimitsConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::rig::{Rig, Setup, jobs};

/// An upload whose first part is on its way.
async fn half_an_upload(rig: &Rig) -> (Client, TcpStream) {
    let mut client = Client::login(rig.address, "acme").await;
    let mut data = client.begin("STOR a.hl7").await;
    data.write_all(&vec![b'x'; 100_000]).await.unwrap();
    (client, data)
}

async fn nothing_was_accepted(rig: Rig) {
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.names("inbox").await, Vec::<String>::new());
    drop(client);
    let store = rig.stop().await;
    assert!(jobs(&store).is_empty());
}

/// A killed client: the kernel closes both sockets with a FIN, so that the data connection ends as if
/// the file were whole. Linux closes it first, other systems last.
#[tokio::test]
async fn a_client_that_is_killed_has_submitted_nothing() {
    let rig = Rig::start().await;
    let (client, data) = half_an_upload(&rig).await;
    drop(data);
    drop(client);
    let (client, data) = half_an_upload(&rig).await;
    drop(client);
    drop(data);
    nothing_was_accepted(rig).await;
}

#[tokio::test]
async fn commands_sent_ahead_do_not_hide_that_the_client_is_gone() {
    let rig = Rig::start().await;
    let (mut client, data) = half_an_upload(&rig).await;
    client.send("PWD").await;
    client.send("SYST").await;
    drop(client);
    drop(data);
    nothing_was_accepted(rig).await;
}

#[tokio::test]
async fn an_upload_ends_with_its_control_connection() {
    let rig = Rig::start().await;
    let (client, mut data) = half_an_upload(&rig).await;
    drop(client);
    let ended = tokio::time::timeout(Duration::from_secs(30), data.read(&mut [0; 1])).await;
    assert!(ended.is_ok(), "the server keeps a data connection that nobody can answer for");
    nothing_was_accepted(rig).await;
}

#[tokio::test]
async fn a_reset_data_connection_is_a_failed_upload() {
    let rig = Rig::start().await;
    let (mut client, data) = half_an_upload(&rig).await;
    data.set_zero_linger().unwrap();
    drop(data);
    assert_eq!(client.reply().await.code, 426);
    assert_eq!(client.store("b.hl7", b"MSH").await.code, 226, "the session goes on");
    assert_eq!(client.names("inbox").await, ["b.hl7"]);
}

#[tokio::test]
async fn a_client_that_vanishes_is_given_up() {
    let session_idle_max = HumanDuration(Duration::from_secs(1));
    let limits = LimitsConfig { session_idle_max, ..LimitsConfig::default() };
    let rig = Rig::with(Setup { limits, ..Setup::default() }).await;
    let (mut client, _data) = half_an_upload(&rig).await;
    assert_eq!(client.reply().await.code, 426);
    assert!(client.closed().await.starts_with(crate::IDLE), "an idle session ends");
    nothing_was_accepted(rig).await;
}

#[tokio::test]
async fn a_broken_upload_under_a_temporary_name_is_not_kept_either() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    let mut data = client.begin("STOR a.hl7.part").await;
    data.write_all(b"MSH").await.unwrap();
    drop(client);
    drop(data);
    nothing_was_accepted(rig).await;
}
