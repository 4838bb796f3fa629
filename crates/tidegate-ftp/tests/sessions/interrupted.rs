use std::io::ErrorKind;
use std::os::fd::AsFd;

use rustix::net::{SendFlags, send};
use tidegate_ftp::{Settings, Tls};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::client::{Client, PATIENCE, pair, settings};

/// What the backend learnt of an upload that is not there.
fn only_broken(client: &Client) -> Vec<ErrorKind> {
    assert!(client.memory.files.lock().unwrap().is_empty(), "an incomplete upload was kept");
    client.memory.broken.lock().unwrap().clone()
}

#[tokio::test]
async fn an_aborted_upload_is_an_error_and_the_session_goes_on() {
    let mut client = Client::login().await;
    let mut data = client.begin("STOR a").await;
    data.write_all(b"MSH").await.unwrap();
    client.expect(b"\xff\xf4\xff\xf2ABOR", 426).await;
    client.expect_reply(226).await;
    assert_eq!(only_broken(&client), [ErrorKind::ConnectionAborted]);
    client.upload("STOR b", b"MSH", 226).await;
}

#[tokio::test]
async fn an_abort_that_comes_with_the_end_of_the_data_counts() {
    let mut client = Client::login().await;
    let mut data = client.begin("STOR a").await;
    data.write_all(b"MSH").await.unwrap();
    client.send("ABOR").await;
    drop(data);
    client.expect_reply(426).await;
    client.expect_reply(226).await;
    assert_eq!(only_broken(&client), [ErrorKind::ConnectionAborted]);
}

#[tokio::test]
async fn an_abort_behind_a_command_that_waits_counts() {
    let mut client = Client::login().await;
    let mut data = client.begin("STOR a").await;
    data.write_all(b"MSH").await.unwrap();
    client.send(b"SIZE a\r\n\xff\xf4\xffABOR").await;
    drop(data);
    client.expect_reply(426).await;
    client.expect_reply(550).await;
    client.expect_reply(226).await;
    assert_eq!(only_broken(&client), [ErrorKind::ConnectionAborted]);
}

/// Python's ftplib sends ABOR as urgent data: the system takes its last byte out of the stream unless it is told not to.
#[tokio::test]
async fn an_abort_that_is_sent_as_urgent_data_counts() {
    let (stream, served) = pair("127.0.0.1").await;
    let urgent = stream.as_fd().try_clone_to_owned().unwrap();
    let mut client = Client::over(stream, served, settings(), Tls::Off).greeted().await.logged_in().await;
    let _data = client.begin("STOR a").await;
    send(&urgent, b"ABOR\r\n", SendFlags::OOB).unwrap();
    client.expect_reply(426).await;
    client.expect_reply(226).await;
    assert_eq!(only_broken(&client), [ErrorKind::ConnectionAborted]);
}

#[tokio::test]
async fn who_waits_for_a_data_connection_is_heard() {
    let mut client = Client::login().await;
    client.expect("EPSV", 229).await;
    client.send("STOR a").await;
    client.expect("NOOP", 200).await;
    client.expect("ABOR", 426).await;
    client.expect_reply(226).await;
    client.upload("STOR b", b"MSH", 226).await;
    client.expect("EPSV", 229).await;
    client.send("STOR a\r\nSIZE b\r\nABOR").await;
    client.expect_reply(426).await;
    assert_eq!(client.reply().await, "213 3\r\n");
    client.expect_reply(226).await;
    client.expect("EPSV", 229).await;
    client.expect("ABOR", 226).await;
    client.expect("STOR a", 425).await;
}

/// Its port would be missing to others.
#[tokio::test]
async fn who_leaves_instead_of_making_a_data_connection_is_not_waited_for() {
    let patient = Settings { connect_max: 2 * PATIENCE, ..settings() };
    let mut client = Client::connect(patient).await.logged_in().await;
    client.expect("EPSV", 229).await;
    client.send("STOR a").await;
    client.expect("NOOP", 200).await;
    let Client { control, session, .. } = client;
    drop(control);
    timeout(PATIENCE, session).await.expect("an end in time").unwrap().ok();
}

#[tokio::test]
async fn a_lost_control_connection_ends_the_transfer() {
    let mut client = Client::login().await;
    let mut data = client.begin("STOR a").await;
    data.write_all(b"MSH").await.unwrap();
    let Client { control, memory, session, .. } = client;
    drop(control);
    timeout(PATIENCE, session).await.expect("an end in time").unwrap().ok();
    assert_eq!(*memory.broken.lock().unwrap(), [ErrorKind::ConnectionAborted]);
    assert!(memory.files.lock().unwrap().is_empty());
    drop(data);
}

#[tokio::test]
async fn a_reset_is_an_error() {
    let mut client = Client::login().await;
    let mut data = client.begin("STOR a").await;
    data.write_all(b"MSH").await.unwrap();
    data.set_zero_linger().unwrap();
    drop(data);
    client.expect_reply(426).await;
    assert_eq!(only_broken(&client), [ErrorKind::ConnectionReset]);
}

#[tokio::test]
async fn commands_are_answered_while_a_transfer_runs() {
    let mut client = Client::login().await;
    let mut data = client.begin("STOR a").await;
    client.expect("NOOP", 200).await;
    client.expect("PWD", 257).await;
    assert!(client.expect("STAT", 211).await.contains("a transfer is running"));
    client.send("SIZE a").await;
    data.write_all(b"MSH").await.unwrap();
    drop(data);
    client.expect_reply(226).await;
    assert_eq!(client.reply().await, "213 3\r\n", "what needs the file waits for it");
}

/// Only the first lines are looked through for an ABOR; the rest is left with the client until it is its turn.
#[tokio::test]
async fn more_commands_than_are_kept_wait_for_the_transfer() {
    const COMMANDS: usize = 5_000;
    let mut client = Client::login().await;
    let mut data = client.begin("STOR a").await;
    client.send("SIZE a\r\n".repeat(COMMANDS).trim_end()).await;
    data.write_all(b"MSH").await.unwrap();
    drop(data);
    client.expect_reply(226).await;
    for _ in 0..COMMANDS {
        assert_eq!(client.reply().await, "213 3\r\n");
    }
}

#[tokio::test]
async fn nonsense_without_an_end_ends_the_transfer_and_the_session() {
    let mut client = Client::login().await;
    let mut data = client.begin("STOR a").await;
    data.write_all(b"MSH").await.unwrap();
    client.send("A".repeat(4_300)).await;
    client.expect_reply(426).await;
    assert_eq!(only_broken(&client), [ErrorKind::ConnectionAborted]);
    let ended = timeout(PATIENCE, client.session).await.expect("an end in time");
    ended.unwrap().ok();
}

#[tokio::test]
async fn quit_waits_for_the_transfer() {
    let mut client = Client::login().await;
    let mut data = client.begin("STOR a").await;
    client.send("QUIT").await;
    data.write_all(b"MSH").await.unwrap();
    drop(data);
    client.expect_reply(226).await;
    assert!(client.closed().await.starts_with("221"));
}

#[tokio::test]
async fn a_server_that_stops_lets_a_transfer_end() {
    let mut client = Client::login().await;
    let mut data = client.begin("STOR a").await;
    client.closing.send_replace(true);
    data.write_all(b"MSH").await.unwrap();
    drop(data);
    client.expect_reply(226).await;
    assert_eq!(client.file("/a").unwrap(), b"MSH");
    assert!(client.closed().await.starts_with("421"));
}
