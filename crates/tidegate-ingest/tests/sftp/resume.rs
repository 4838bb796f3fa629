//! Going on with an upload that broke off, as clients do it: look how long it is, open it without truncating,
//! write from there on.

use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};

use crate::client::{Client, NEW};
use crate::rig::{Rig, payload};

const APPEND: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE).union(OpenFlags::APPEND);
/// How much of the content arrives at first: more than fits into memory.
const PART: usize = 200_000;

fn content() -> Vec<u8> {
    (0..75_000_u32).flat_map(u32::to_le_bytes).collect()
}

async fn write(client: &Client, handle: &str, content: &[u8], from: usize, to: usize) {
    for offset in (from..to).step_by(32 << 10) {
        let end = to.min(offset + (32 << 10));
        client.write(handle, offset as u64, &content[offset..end]).await.unwrap();
    }
}

/// Loses its connection in the middle of an upload; a client that finds what came of it.
async fn after_a_break(rig: &Rig, name: &str) -> Client {
    let client = Client::login(rig.address, "acme").await;
    let handle = client.open(name, NEW).await.unwrap();
    write(&client, &handle, &content(), 0, PART).await;
    drop(client);
    let client = Client::login(rig.address, "acme").await;
    // Not by `size`, which asks twice and wants the same answer: it may appear in between.
    while !client.sftp.stat(name).await.is_ok_and(|found| found.attrs.size == Some(PART as u64)) {
        tokio::task::yield_now().await;
    }
    client
}

#[tokio::test]
async fn a_broken_upload_is_gone_on_with_however_it_is_opened() {
    let rig = Rig::start().await;
    for (count, flags) in [(1, APPEND), (2, OpenFlags::WRITE)] {
        let client = after_a_break(&rig, "a.hl7").await;
        assert_eq!(client.names("inbox").await.unwrap().len(), count - 1, "it shows only to who asks for it");
        let handle = client.open("a.hl7", flags).await.unwrap();
        write(&client, &handle, &content(), PART, content().len()).await;
        client.close(&handle).await.unwrap();
        assert_eq!(rig.jobs().len(), count);
        assert!(payload(&rig.store, rig.jobs().last().unwrap()) == content());
        assert_eq!(client.size("a.hl7").await, Ok(content().len() as u64));
    }
}

#[tokio::test]
async fn a_staged_upload_over_sftp_is_appended_to() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    client.store("a.hl7.part", b"MSH|").await.unwrap();
    let handle = client.open("a.hl7.part", APPEND).await.unwrap();
    client.write(&handle, 4, b"more").await.unwrap();
    client.close(&handle).await.unwrap();
    client.rename("a.hl7.part", "a.hl7").await.unwrap();
    assert_eq!(payload(&rig.store, &rig.jobs()[0]), b"MSH|more");
}

#[tokio::test]
async fn a_broken_upload_that_is_written_from_its_beginning_is_a_new_one() {
    let rig = Rig::start().await;
    let client = after_a_break(&rig, "a.hl7.part").await;
    assert_eq!(client.rename("a.hl7.part", "a.hl7").await, Err(StatusCode::PermissionDenied));
    let handle = client.open("a.hl7.part", OpenFlags::WRITE).await.unwrap();
    client.write(&handle, 0, b"MSH").await.unwrap();
    client.close(&handle).await.unwrap();
    client.rename("a.hl7.part", "a.hl7").await.unwrap();
    assert_eq!(payload(&rig.store, &rig.jobs()[0]), b"MSH");
}

/// libssh2, and so `curl --append`, counts from 0 what it writes to the end of a file.
#[tokio::test]
async fn what_is_appended_goes_to_the_end_wherever_its_client_counts_from() {
    let rig = Rig::start().await;
    let client = after_a_break(&rig, "a.hl7").await;
    let handle = client.open("a.hl7", APPEND).await.unwrap();
    write(&client, &handle, &content()[PART..], 0, content().len() - PART).await;
    assert_eq!(client.size("a.hl7").await, Ok(content().len() as u64));
    client.close(&handle).await.unwrap();
    assert!(payload(&rig.store, &rig.jobs()[0]) == content());
    client.store("b.part", b"MSH|").await.unwrap();
    let handle = client.open("b.part", APPEND.union(OpenFlags::TRUNCATE)).await.unwrap();
    client.write(&handle, 0, b"PID|").await.unwrap();
    client.close(&handle).await.unwrap();
    assert_eq!(client.size("b.part").await, Ok(4), "nothing is left of what is truncated");
}

/// paramiko and `psftp` ask an open file how long it is, and go on from there.
#[tokio::test]
async fn a_file_that_is_opened_without_being_truncated_is_as_long_as_before() {
    let rig = Rig::start().await;
    let client = after_a_break(&rig, "a.hl7").await;
    let size = |bytes: usize| FileAttributes { size: Some(bytes as u64), ..FileAttributes::empty() };
    for flags in [APPEND, OpenFlags::WRITE] {
        let handle = client.open("a.hl7", flags).await.unwrap();
        assert_eq!(client.sftp.fstat(handle.as_str()).await.unwrap().attrs.size, size(PART).size);
        assert_eq!(client.size("a.hl7").await, Ok(PART as u64));
        client.sftp.fsetstat(handle.as_str(), size(PART)).await.unwrap();
        assert!(client.sftp.fsetstat(handle.as_str(), size(1)).await.is_err());
    }
    let handle = client.open("b.hl7.part", NEW).await.unwrap();
    client.write(&handle, 0, b"MSH|").await.unwrap();
    client.close(&handle).await.unwrap();
    let handle = client.open("b.hl7.part", OpenFlags::WRITE).await.unwrap();
    client.sftp.fsetstat(handle.as_str(), size(0)).await.unwrap();
    assert_eq!(client.size("b.hl7.part").await, Ok(0));
    client.close(&handle).await.unwrap();
    assert_eq!(client.size("b.hl7.part").await, Ok(0), "that is how an open file is truncated");
}

/// As `touch` does, and a client whose last try was cut off behind its last byte.
#[tokio::test]
async fn what_is_closed_without_a_write_is_what_was_there() {
    let rig = Rig::start().await;
    let client = after_a_break(&rig, "a.hl7").await;
    client.store("b.hl7.part", b"MSH|").await.unwrap();
    for flags in [APPEND, OpenFlags::WRITE] {
        let handle = client.open("b.hl7.part", flags).await.unwrap();
        client.write(&handle, 0, b"").await.unwrap();
        client.close(&handle).await.unwrap();
        assert_eq!(client.size("b.hl7.part").await, Ok(4));
    }
    client.rename("b.hl7.part", "b.hl7").await.unwrap();
    assert_eq!(payload(&rig.store, &rig.jobs()[0]), b"MSH|");
    let handle = client.open("a.hl7", OpenFlags::WRITE).await.unwrap();
    client.close(&handle).await.unwrap();
    let [_, job] = &rig.jobs()[..] else { panic!("two jobs") };
    assert!(payload(&rig.store, job) == content()[..PART]);
}

#[tokio::test]
async fn a_gap_behind_what_is_there_is_refused() {
    let rig = Rig::start().await;
    let client = after_a_break(&rig, "a.hl7").await;
    let handle = client.open("a.hl7", APPEND).await.unwrap();
    assert_eq!(client.write(&handle, PART as u64 + 1, b"x").await, Err(StatusCode::Failure));
    assert_eq!(client.close(&handle).await, Err(StatusCode::Failure));
    assert_eq!(rig.jobs(), []);
}
