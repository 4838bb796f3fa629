use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};

use crate::client::{Client, NEW, Raw, packet, status, string};
use crate::rig::Rig;

#[tokio::test]
async fn no_path_leads_out_of_the_senders_tree() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    for path in ["../../etc/cron.d/x", "/etc/passwd", "inbox/sub/x", "../BETA02/inbox/x", "outbox/x"] {
        assert!(client.store(path, b"MSH").await.is_err(), "{path}");
        assert_eq!(client.open(path, OpenFlags::READ).await, Err(StatusCode::NoSuchFile), "{path}");
        assert_eq!(client.remove(path).await, Err(StatusCode::NoSuchFile), "{path}");
        assert_eq!(client.size(path).await, Err(StatusCode::NoSuchFile), "{path}");
        assert_eq!(client.names(path).await, Err(StatusCode::NoSuchFile), "{path}");
    }
    for path in ["..", "/../..", "inbox/.."] {
        assert_eq!(client.names(path).await.unwrap(), ["inbox", "outbox"], "{path}");
    }
    assert!(rig.jobs().is_empty());
}

#[tokio::test]
async fn a_path_is_resolved_without_leaving_the_root() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    for (path, real) in [(".", "/"), ("inbox/./a.hl7", "/inbox/a.hl7"), ("/../../etc", "/etc"), ("", "/")] {
        let resolved = client.sftp.realpath(path).await.unwrap();
        assert_eq!(resolved.files[0].filename, real, "{path}");
    }
}

#[tokio::test]
async fn the_three_directories_stay_and_there_are_no_others() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let attrs = FileAttributes::empty();
    let refused = |made: Result<_, _>| made.map(drop).map_err(status).unwrap_err();
    // Clients that copy directories go on after this status only.
    assert_eq!(refused(client.sftp.mkdir("inbox", attrs.clone()).await), StatusCode::Failure);
    assert_eq!(refused(client.sftp.mkdir("/", attrs.clone()).await), StatusCode::Failure);
    assert_eq!(refused(client.sftp.mkdir("new", attrs).await), StatusCode::PermissionDenied);
    assert_eq!(refused(client.sftp.rmdir("inbox").await), StatusCode::PermissionDenied);
    assert_eq!(client.remove("outbox").await, Err(StatusCode::PermissionDenied));
    assert_eq!(client.rename("inbox", "new").await, Err(StatusCode::PermissionDenied));
    assert!(client.sftp.symlink("/inbox/a", "/etc/passwd").await.is_err());
    assert!(client.sftp.stat("/inbox").await.unwrap().attrs.is_dir());
}

#[tokio::test]
async fn names_that_no_file_may_have_are_refused_at_open() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let long = "x".repeat(201);
    for name in [long.as_str(), "a\u{1}b", "a\tb", "a\nb", "inbox", "/outbox", ".", ""] {
        assert_eq!(client.open(name, NEW).await, Err(StatusCode::Failure), "{name:?}");
    }
    let odd = ["a b  c.hl7", "-rf", "ä€.hl7", "a\\b", "*", "%2e%2e", "$(id)", "a;b"];
    for name in odd {
        client.store(&format!("inbox/{name}"), b"MSH").await.unwrap();
        assert_eq!(client.size(name).await, Ok(3), "{name:?}");
    }
    let stored: Vec<_> = rig.jobs().iter().map(|job| job.submission.name.to_text()).collect();
    assert_eq!(stored, odd);
}

/// A client with an old character set: its names are kept as they are, each a name of its own.
#[tokio::test]
async fn names_are_bytes() {
    let rig = Rig::start().await;
    let mut raw = Raw::login(rig.address).await;
    for (name, handle) in [(&b"caf\xe9.hl7"[..], b"1"), (b"caf\xe8.hl7", b"2")] {
        let new = 0x1a_u32.to_be_bytes();
        raw.send(&packet(3, 1, &[&string(name), &new, &[0; 4]])).await;
        assert_eq!(raw.reply().await.unwrap()[0], 102, "a handle");
        raw.send(&packet(4, 2, &[&string(handle)])).await;
        assert_eq!(raw.reply().await.unwrap()[8], 0, "success");
    }
    let jobs = rig.jobs();
    let names: Vec<&[u8]> = jobs.iter().map(|job| job.submission.name.as_bytes()).collect();
    assert_eq!(names, [&b"caf\xe9.hl7"[..], b"caf\xe8.hl7"]);
    raw.send(&packet(17, 3, &[&string(b"/inbox/caf\xe8.hl7")])).await;
    assert_eq!(raw.reply().await.unwrap()[0], 105, "its attributes");
    raw.send(&packet(11, 4, &[&string(b"/inbox")])).await;
    assert_eq!(raw.reply().await.unwrap()[0], 102);
    raw.send(&packet(12, 5, &[&string(b"3")])).await;
    let listed = raw.reply().await.unwrap();
    assert!(listed.windows(8).any(|bytes| bytes == b"caf\xe9.hl7"), "as they were sent");
}

#[tokio::test]
async fn a_long_directory_comes_in_pieces() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let mut names = Vec::new();
    for number in 0..250 {
        names.push(format!("{number:03}.part"));
        client.store(names.last().unwrap(), b"").await.unwrap();
    }
    assert_eq!(client.names("inbox").await.unwrap(), names);
}
