//! What submits an upload, where its organization asks for more than its end.

use russh_sftp::protocol::{OpenFlags, StatusCode};
use sha2::{Digest as _, Sha256};
use tidegate_domain::job::Job;

use crate::client::{Client, NEW};
use crate::rig::{Rig, ask_for, payload};

const APPEND: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE).union(OpenFlags::APPEND);

async fn asking_for(completion: &str) -> (Rig, Client) {
    let rig = Rig::start().await;
    ask_for(&rig.directory, completion);
    let client = Client::login(rig.address, "acme").await;
    (rig, client)
}

fn names(jobs: &[Job]) -> Vec<String> {
    jobs.iter().map(|job| job.submission.name.to_text()).collect()
}

fn sum(bytes: &[u8]) -> String {
    let digits = |text: String, byte: &u8| text + &format!("{byte:02X}");
    Sha256::digest(bytes).iter().fold(String::new(), digits)
}

#[tokio::test]
async fn closing_stages_and_a_rename_submits_where_that_is_asked_for() {
    let (rig, client) = asking_for("rename").await;
    client.store("a.hl7", b"MSH").await.unwrap();
    client.store("a.hl7", b"MSH|").await.unwrap();
    let handle = client.open("a.hl7", APPEND).await.unwrap();
    client.write(&handle, 4, b"more").await.unwrap();
    client.close(&handle).await.unwrap();
    assert_eq!((rig.jobs(), client.names("inbox").await), (Vec::new(), Ok(vec!["a.hl7".to_owned()])));
    assert_eq!(client.size("a.hl7").await, Ok(8));
    assert_eq!(client.rename("a.hl7", "inbox/a.hl7").await, Err(StatusCode::PermissionDenied));
    client.rename("a.hl7", "a.hl7.part").await.unwrap();
    assert_eq!(rig.jobs(), []);
    client.rename("a.hl7.part", "a.hl7").await.unwrap();
    client.store("b.hl7", b"MSH|2").await.unwrap();
    client.rename("b.hl7", "a.hl7").await.unwrap();
    assert_eq!(names(&rig.jobs()), ["a.hl7", "a.hl7"]);
    assert_eq!(payload(&rig.store, &rig.jobs()[0]), b"MSH|more");
    client.store("c.hl7", b"MSH").await.unwrap();
    client.remove("c.hl7").await.unwrap();
    assert_eq!(client.size("c.hl7").await, Err(StatusCode::NoSuchFile));
}

#[tokio::test]
async fn closing_a_sidecar_submits_the_file_beside_it() {
    let (rig, client) = asking_for("sidecar").await;
    client.store("a.hl7", b"MSH").await.unwrap();
    client.store("b.hl7", b"MSH|2").await.unwrap();
    assert_eq!(rig.jobs(), []);
    client.store("a.hl7.done", b"").await.unwrap();
    client.store("b.sha256.part", format!("{}  b.hl7", sum(b"MSH|2")).as_bytes()).await.unwrap();
    client.rename("b.sha256.part", "b.sha256").await.unwrap();
    assert_eq!(names(&rig.jobs()), ["a.hl7", "b.hl7"]);
    assert_eq!(client.names("inbox").await.unwrap(), ["a.hl7", "b.hl7"]);
    // paramiko compares the length of what it has just sent.
    rig.answer(b"MSA|AA").await;
    for (name, size) in [("a.hl7", 3), ("a.hl7.done", 0), ("b.hl7", 5), ("b.sha256", 71)] {
        assert_eq!(client.size(name).await, Ok(size), "{name}");
    }
}

#[tokio::test]
async fn a_sidecar_that_does_not_fit_fails_and_its_file_stays() {
    let (rig, client) = asking_for("sidecar").await;
    assert_eq!(client.open("a.hl7.done", NEW).await, Err(StatusCode::Failure), "it comes too early");
    client.store("a.hl7", b"MSH").await.unwrap();
    client.store("sum.part", sum(b"other").as_bytes()).await.unwrap();
    assert_eq!(client.rename("sum.part", "a.hl7.sha256").await, Err(StatusCode::Failure));
    assert_eq!(client.store("a.hl7.sha256", sum(b"other").as_bytes()).await, Err(StatusCode::Failure));
    assert!(client.is_over().await, "as after any upload that was refused");

    let client = Client::login(rig.address, "acme").await;
    assert_eq!((rig.jobs(), client.size("a.hl7").await), (Vec::new(), Ok(3)));
    client.store("a.hl7.sha256", sum(b"MSH").as_bytes()).await.unwrap();
    assert_eq!(names(&rig.jobs()), ["a.hl7"]);
}

#[tokio::test]
async fn nothing_submits_an_upload_whose_connection_was_lost() {
    const PART: usize = 100_000;
    for completion in ["rename", "sidecar"] {
        let (rig, client) = asking_for(completion).await;
        let handle = client.open("a.hl7", NEW).await.unwrap();
        client.write(&handle, 0, &vec![b'x'; PART]).await.unwrap();
        drop(client);
        let client = Client::login(rig.address, "acme").await;
        // Not by `size`, which asks twice and wants the same answer: it may appear in between.
        while !client.sftp.stat("a.hl7").await.is_ok_and(|found| found.attrs.size == Some(PART as u64)) {
            tokio::task::yield_now().await;
        }
        assert_eq!(client.rename("a.hl7", "b.hl7").await, Err(StatusCode::PermissionDenied));
        if completion == "sidecar" {
            assert_eq!(client.store("a.hl7.done", b"").await, Err(StatusCode::PermissionDenied));
        }
        assert_eq!(rig.jobs(), []);
    }
}
