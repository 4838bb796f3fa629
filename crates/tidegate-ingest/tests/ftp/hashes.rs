use sha2::{Digest, Sha256};

use crate::client::Client;
use crate::outbox::answer;
use crate::rig::Rig;

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[tokio::test]
async fn what_arrived_can_be_checked_before_and_after_it_is_processed_by_its_sender_only() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 226);
    let expected = sha256(b"MSH");
    let mut other = Client::login(rig.address, "beta").await;
    for round in 0..2 {
        let hash = client.command("HASH a.hl7").await;
        assert_eq!(hash.text, format!("213 SHA-256 0-3 {expected} a.hl7\r\n"), "{round}");
        assert_eq!(client.command("XSHA256 \"inbox/a.hl7\"").await.text, format!("250 {expected}\r\n"));
        assert_eq!(other.command("HASH a.hl7").await.code, 550);
        if round == 0 {
            answer(&rig.store, b"MSA|AA").await;
        }
    }
    assert_eq!(client.fetch("RETR a.hl7").await.1.code, 550, "it is still not read back");
    assert_eq!(client.command("HASH b.hl7").await.code, 550);
    assert_eq!(client.command("HASH inbox").await.code, 550);
}

#[tokio::test]
async fn a_response_is_read_for_its_hash_and_what_is_not_submitted_has_none() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 226);
    let name = format!("outbox/a.hl7.{}.response", answer(&rig.store, b"MSA|AA").await.id);
    let hash = client.command(&format!("HASH {name}")).await;
    assert_eq!(hash.text, format!("213 SHA-256 0-6 {} {name}\r\n", sha256(b"MSA|AA")));
    let mut other = Client::login(rig.address, "beta").await;
    assert_eq!(other.command(&format!("HASH {name}")).await.code, 550);

    assert_eq!(client.store("a.hl7.part", b"MSH").await.code, 226);
    assert!(client.command("HASH a.hl7.part").await.text.starts_with("550 it is not submitted yet"));
}
