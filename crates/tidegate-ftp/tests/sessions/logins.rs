use std::time::Duration;

use tidegate_ftp::Settings;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::client::{Client, PATIENCE, settings};

#[tokio::test]
async fn nothing_but_the_login_works_before_it() {
    let mut client = Client::connect(settings()).await;
    for line in ["PWD", "EPSV", "STOR a", "LIST", "SIZE a", "SITE CHMOD 644 a", "REST 5"] {
        client.expect(line, 530).await;
    }
    client.expect("PASS secret", 503).await;
    client.expect("NOOP", 200).await;
    client.expect("SYST", 215).await;
    client.expect("USER ann", 331).await;
    client.expect("PASS secret", 230).await;
    client.expect("USER bob", 530).await;
    client.expect("PWD", 257).await;
}

#[tokio::test]
async fn who_is_shut_out_or_has_no_directory_sounds_like_anybody() {
    let mut client = Client::connect(settings()).await;
    for name in ["locked", "homeless", "nobody"] {
        client.expect(format!("USER {name}"), 331).await;
        assert_eq!(client.expect("PASS secret", 530).await, "530 User name or password is wrong\r\n");
    }
    client.expect("PWD", 530).await;
}

#[tokio::test]
async fn guessing_ends_the_session() {
    let mut client = Client::connect(settings()).await;
    for _ in 0..4 {
        client.expect("USER ann", 331).await;
        client.expect("PASS guess", 530).await;
        client.expect("PASS secret", 503).await;
    }
    client.expect("USER nobody", 331).await;
    client.expect("PASS secret", 530).await;
    assert_eq!(client.closed().await, "");
}

#[tokio::test]
async fn who_says_nothing_is_sent_away() {
    let hasty = || Settings { login_max: Duration::from_millis(20), ..settings() };
    assert!(Client::connect(hasty()).await.closed().await.starts_with("421"));
    let hasty = || Settings { idle_max: Duration::from_millis(20), ..settings() };
    let mut client = Client::connect(hasty()).await;
    client.expect("USER ann", 331).await;
    client.send("PASS secret").await;
    assert!(client.closed().await.contains("\r\n421"));
}

#[tokio::test]
async fn who_talks_and_does_not_log_in_is_sent_away() {
    // Long enough for the next word, also on a busy machine.
    let hasty = Settings { login_max: Duration::from_secs(1), ..settings() };
    let mut client = Client::connect(hasty).await;
    let talking = async {
        loop {
            let mut reply = String::new();
            // The server may close before it has read all of them.
            let said = client.control.write_all(b"NOOP\r\n").await;
            let heard = client.control.read_line(&mut reply).await;
            if said.is_err() || heard.unwrap_or(0) == 0 || reply.starts_with("421") {
                return;
            }
        }
    };
    timeout(PATIENCE, talking).await.expect("an end in time");
}

#[tokio::test]
async fn garbage_is_answered_and_endless_lines_are_not() {
    let mut client = Client::connect(settings()).await;
    client.expect(b"\x16\x03\x01\x02\x00", 500).await;
    client.expect("", 500).await;
    client.expect("NONSENSE x", 500).await;
    client.expect(b"USER a\0b", 501).await;
    client.expect("MODE Z", 530).await;
    client.send("A".repeat(4_300)).await;
    assert!(client.closed().await.starts_with("500"));
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let client = Client::connect(settings()).await;
    client.closing.send_replace(true);
    assert!(client.closed().await.starts_with("421"));
}

#[tokio::test]
async fn who_has_to_wait_hears_why_and_who_is_wrong_does_not() {
    let mut client = Client::connect(settings()).await;
    client.expect("USER late", 331).await;
    assert_eq!(client.expect("PASS guess", 530).await, "530 User name or password is wrong\r\n");
    client.expect("USER late", 331).await;
    assert_eq!(client.expect("PASS secret", 421).await, "421 Too many of you\r\n");
    assert_eq!(client.closed().await, "");
}
