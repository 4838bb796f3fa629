use std::time::Duration;

use tidegate_ftp::Settings;
use tokio::time::timeout;

use crate::client::{Client, PATIENCE, settings};

/// Of "abc": FIPS 180-2, appendix B.1.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[tokio::test]
async fn a_file_has_a_hash_in_both_ways_of_asking() {
    let mut client = Client::login().await;
    client.upload("STOR a b.hl7", b"abc", 226).await;
    assert_eq!(client.expect("HASH a b.hl7", 213).await, format!("213 SHA-256 0-3 {ABC} a b.hl7\r\n"));
    for line in ["XSHA256 a b.hl7", "XSHA256 \"a b.hl7\"", "xsha256 \"/sub/../a b.hl7\""] {
        assert_eq!(client.expect(line, 250).await, format!("250 {ABC}\r\n"));
    }
    client.expect("XSHA256 \"a b.hl7\" 0 1", 504).await;
    for verb in ["HASH", "XSHA256"] {
        client.expect(format!("{verb} none"), 550).await;
        client.expect(format!("{verb} sub"), 550).await;
        client.expect(verb, 501).await;
    }
}

#[tokio::test]
async fn a_long_file_is_hashed_in_pieces() {
    let mut client = Client::login().await;
    let bytes = vec![b'a'; 1_000_000];
    client.upload("STOR a", &bytes, 226).await;
    // FIPS 180-2, appendix B.3.
    let hash = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    assert_eq!(client.expect("HASH a", 213).await, format!("213 SHA-256 0-1000000 {hash} a\r\n"));
}

#[tokio::test]
async fn what_the_storage_knows_of_a_file_is_told_without_reading_it() {
    let mut client = Client::login().await;
    client.expect("CWD sub", 250).await;
    let known = "a7".repeat(32);
    assert_eq!(client.expect("HASH known", 213).await, format!("213 SHA-256 0-70000 {known} known\r\n"));
    assert_eq!(client.expect("XSHA256 \"known\"", 250).await, format!("250 {known}\r\n"));
    assert_eq!(client.expect("HASH secret", 550).await, "550 that is nobody's business\r\n");
}

#[tokio::test]
async fn there_is_sha_256_alone_and_only_for_who_has_logged_in() {
    let mut client = Client::connect(settings()).await;
    client.expect("HASH a", 530).await;
    client.expect("XSHA256 a", 530).await;
    let features = client.expect("FEAT", 211).await;
    assert!(
        features.contains("\r\n HASH SHA-256*\r\n") && features.contains("\r\n XSHA256\r\n"),
        "{features}"
    );
    for line in ["OPTS HASH", "OPTS HASH sha-256"] {
        assert_eq!(client.expect(line, 200).await, "200 SHA-256\r\n");
    }
    client.expect("OPTS HASH MD5", 501).await;
}

#[tokio::test]
async fn a_file_that_takes_too_long_is_given_up() {
    let hasty = Settings { hash_max: Duration::from_millis(50), ..settings() };
    let mut client = Client::connect(hasty).await.logged_in().await;
    client.expect("HASH endless", 450).await;
    client.expect("NOOP", 200).await;
}

#[tokio::test]
async fn who_leaves_ends_the_hashing() {
    let patient = Settings { hash_max: Duration::from_hours(1), ..settings() };
    let mut client = Client::connect(patient).await.logged_in().await;
    client.send("HASH endless").await;
    timeout(PATIENCE, client.memory.begun.notified()).await.expect("a beginning in time");
    drop(client.control);
    // It may end with an error: nobody is there to read the reply.
    let _ = timeout(PATIENCE, client.session).await.expect("an end in time").unwrap();
}
