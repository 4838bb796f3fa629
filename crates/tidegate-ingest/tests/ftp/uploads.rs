use sha2::{Digest, Sha256};
use tidegate_domain::job::{JobState, Protocol};

use crate::client::Client;
use crate::outbox::answer;
use crate::rig::{Rig, payload};

#[tokio::test]
async fn success_means_a_job_with_exactly_the_bytes() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    for (name, bytes) in [("a.hl7", &b"MSH|^~\\&|\r"[..]), ("inbox/large", &large), ("/empty", b"")] {
        assert_eq!(client.store(name, bytes).await.code, 226, "{name}");
        let job = rig.jobs().pop().unwrap();
        let submission = &job.submission;
        assert_eq!(submission.name.to_text(), name.rsplit('/').next().unwrap());
        assert_eq!((submission.org.as_str(), submission.account.as_str()), ("ACME01", "acme"));
        assert_eq!((submission.protocol, job.state), (Protocol::Ftp, JobState::Queued));
        assert_eq!(submission.size_bytes, bytes.len() as u64);
        assert_eq!(submission.sha256, <[u8; 32]>::from(Sha256::digest(bytes)));
        assert!(payload(&rig.store, &job) == bytes, "{name}");
    }
    assert_eq!(rig.jobs().len(), 3);
}

#[tokio::test]
async fn the_same_name_twice_is_two_submissions() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", b"one").await.code, 226);
    assert_eq!(client.store("a.hl7", b"three").await.code, 226);
    let payloads: Vec<_> = rig.jobs().iter().map(|job| payload(&rig.store, job)).collect();
    assert_eq!(payloads, [&b"one"[..], b"three"]);
    assert_eq!(client.names("inbox").await, ["a.hl7"]);
    assert_eq!(client.command("SIZE a.hl7").await.text, "213 5\r\n");
}

#[tokio::test]
async fn a_temporary_name_is_submitted_when_it_is_renamed() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7.filepart", b"MSH").await.code, 226);
    assert!(rig.jobs().is_empty());
    assert_eq!(client.names("inbox").await, ["a.hl7.filepart"]);
    assert_eq!(client.command("RNFR a.hl7.filepart").await.code, 350);
    assert_eq!(client.command("RNTO a.hl7.tmp").await.code, 250);
    assert!(rig.jobs().is_empty());
    assert_eq!(client.command("RNFR a.hl7.filepart").await.code, 550);
    assert_eq!(client.command("RNFR inbox/a.hl7.tmp").await.code, 350);
    assert_eq!(client.command("RNTO /inbox/a.hl7").await.code, 250);
    let [job] = &rig.jobs()[..] else { panic!("one job") };
    assert_eq!(job.submission.name.to_text(), "a.hl7");
    assert_eq!(payload(&rig.store, job), b"MSH");
    assert_eq!(client.names("inbox").await, ["a.hl7"]);
}

#[tokio::test]
async fn a_staged_upload_is_its_senders_to_delete() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store(".in.a.hl7.", b"MSH").await.code, 226);
    let mut other = Client::login(rig.address, "beta").await;
    assert_eq!(other.command("DELE .in.a.hl7.").await.code, 550);
    assert_eq!(client.command("DELE .in.a.hl7.").await.code, 250);
    assert_eq!(client.command("RNFR .in.a.hl7.").await.code, 550);
}

#[tokio::test]
async fn an_accepted_file_shows_but_is_out_of_its_senders_hands() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 226);
    assert_eq!(client.command("SIZE /inbox/a.hl7").await.text, "213 3\r\n");
    assert_eq!(client.command("MDTM a.hl7").await.code, 213);
    let (listing, _) = client.fetch("LIST inbox").await;
    assert!(String::from_utf8(listing).unwrap().ends_with(" a.hl7\r\n"));
    assert_eq!(client.fetch("RETR a.hl7").await.1.code, 550);
    assert_eq!(client.command("DELE a.hl7").await.code, 550);
    assert_eq!(client.command("RNFR a.hl7").await.code, 350);
    assert_eq!(client.command("RNTO b.hl7").await.code, 550);
    assert_eq!(client.upload("APPE a.hl7", b"more").await.code, 550);
    let [job] = &rig.jobs()[..] else { panic!("one job") };
    assert_eq!(payload(&rig.store, job), b"MSH");
}

/// Clients look at what they have just sent, which may be processed by then.
#[tokio::test]
async fn a_session_sees_what_it_has_sent_even_after_it_was_processed() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 226);
    assert_eq!(client.store("b.tmp", b"MSH|2").await.code, 226);
    assert_eq!(client.command("RNFR b.tmp").await.code, 350);
    assert_eq!(client.command("RNTO b.hl7").await.code, 250);
    for _ in 0..2 {
        answer(&rig.store, b"MSA|AA").await;
    }
    assert_eq!(client.names("inbox").await, Vec::<String>::new());
    assert_eq!(client.command("SIZE a.hl7").await.text, "213 3\r\n");
    assert_eq!(client.command("SIZE b.hl7").await.text, "213 5\r\n");
    assert_eq!(client.command("SIZE b.tmp").await.code, 550);
    assert_eq!(client.command("DELE a.hl7").await.code, 550);
    let mut other = Client::login(rig.address, "acme").await;
    assert_eq!(other.command("SIZE a.hl7").await.code, 550);
}
