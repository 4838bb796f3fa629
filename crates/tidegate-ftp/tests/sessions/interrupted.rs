use std::io::ErrorKind;

use tokio::io::AsyncWriteExt;

use crate::client::Client;

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

#[tokio::test]
async fn a_lost_control_connection_ends_the_transfer() {
    let mut client = Client::login().await;
    let mut data = client.begin("STOR a").await;
    data.write_all(b"MSH").await.unwrap();
    let Client { control, memory, session, .. } = client;
    drop(control);
    session.await.unwrap().ok();
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
