use std::sync::Arc;

use russh::client::Config;
use russh_sftp::protocol::{OpenFlags, StatusCode};

use crate::client::{Client, Visitor, connect_with, pattern, status, try_password};
use crate::rig::{PASSWORD, Rig};

#[tokio::test]
async fn a_response_is_listed_read_and_removed_by_its_sender_only() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    client.store("a.hl7", b"MSH").await.unwrap();
    let job = rig.answer(b"MSA|AA").await;
    let name = format!("a.hl7.{}.response", job.id);
    let path = format!("outbox/{name}");
    assert_eq!(client.names("/outbox/").await.unwrap(), [name.as_str()]);
    assert_eq!(client.size(&path).await, Ok(6));
    let handle = client.open(&path, OpenFlags::READ).await.unwrap();
    assert_eq!(client.sftp.fstat(handle.as_str()).await.unwrap().attrs.size, Some(6));
    assert_eq!(client.sftp.read(handle.as_str(), 0, 100).await.unwrap().data, b"MSA|AA");
    assert_eq!(client.sftp.read(handle.as_str(), 4, 1).await.unwrap().data, b"A");
    assert_eq!(client.sftp.read(handle.as_str(), 6, 100).await.map_err(status).unwrap_err(), StatusCode::Eof);
    assert_eq!(client.write(&handle, 0, b"x").await, Err(StatusCode::PermissionDenied));
    client.close(&handle).await.unwrap();

    let other = Client::login(rig.address, "beta").await;
    assert_eq!(other.names("outbox").await.unwrap(), Vec::<String>::new());
    assert_eq!(other.open(&path, OpenFlags::READ).await, Err(StatusCode::NoSuchFile));
    assert_eq!(other.remove(&path).await, Err(StatusCode::NoSuchFile));

    assert_eq!(client.rename(&path, "inbox/b.hl7").await, Err(StatusCode::PermissionDenied));
    assert_eq!(client.open(&path, crate::client::NEW).await, Err(StatusCode::PermissionDenied));
    client.remove(&path).await.unwrap();
    assert_eq!(client.names("outbox").await.unwrap(), Vec::<String>::new());
    assert_eq!(client.remove(&path).await, Err(StatusCode::NoSuchFile));
}

/// Whoever lists a directory has it looked through once, and never gets more than a packet's worth.
#[tokio::test]
async fn ten_thousand_names_come_in_bounded_pieces_of_one_look() {
    const NAMES_AT_ONCE_MAX: usize = 100;
    let rig = Rig::start().await;
    let outbox = rig.outbox("ACME01");
    std::fs::create_dir_all(&outbox).unwrap();
    let expected: Vec<String> =
        (0..10_000).map(|number| format!("{number:05}.hl7.06H0ATRG5M2837QP.response")).collect();
    for name in &expected {
        std::fs::write(outbox.join(name), b"").unwrap();
    }
    let client = Client::login(rig.address, "acme").await;
    let handle = client.sftp.opendir("outbox").await.unwrap().handle;
    std::fs::remove_dir_all(&outbox).unwrap();
    let mut names = Vec::new();
    while let Ok(piece) = client.sftp.readdir(handle.as_str()).await {
        assert!(piece.files.len() <= NAMES_AT_ONCE_MAX);
        names.extend(piece.files.into_iter().map(|file| file.filename));
    }
    names.sort();
    assert!(names == expected, "{} names", names.len());
}

/// paramiko asks for a whole file at once: more than fits into the client's window, and more than we hold.
#[tokio::test]
async fn a_response_asked_for_all_at_once_comes_as_the_client_reads_it() {
    let rig = Rig::start().await;
    let mut ssh = {
        let config = Config { window_size: 64 << 10, ..Config::default() };
        connect_with(rig.address, config, Visitor::default()).await
    };
    assert!(try_password(&mut ssh, "acme", PASSWORD).await.success());
    let client = Arc::new(Client::over(ssh).await);
    client.store("a.hl7", b"MSH").await.unwrap();
    let response = pattern(10 << 20);
    let job = rig.answer(&response).await;
    let path = format!("outbox/a.hl7.{}.response", job.id);
    let handle = client.open(&path, OpenFlags::READ).await.unwrap();
    let reads = (0..response.len() as u64).step_by(32 << 10).map(|offset| {
        let (client, handle) = (Arc::clone(&client), handle.clone());
        tokio::spawn(async move { client.sftp.read(handle, offset, 32 << 10).await.unwrap().data })
    });
    let reads: Vec<_> = reads.collect();
    let mut read = Vec::new();
    for piece in reads {
        read.extend(piece.await.unwrap());
    }
    assert!(read == response);
}

#[tokio::test]
async fn a_staged_upload_is_its_senders_to_remove() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    client.store(".in.a.hl7.", b"MSH").await.unwrap();
    let other = Client::login(rig.address, "beta").await;
    assert_eq!(other.remove(".in.a.hl7.").await, Err(StatusCode::NoSuchFile));
    client.remove("inbox/.in.a.hl7.").await.unwrap();
    assert_eq!(client.names("inbox").await.unwrap(), Vec::<String>::new());
}
