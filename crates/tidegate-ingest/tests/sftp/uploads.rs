use russh_sftp::extensions::STATVFS;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use sha2::{Digest, Sha256};
use tidegate_domain::job::{JobState, Protocol};

use crate::client::{Client, NEW, string};
use crate::rig::{Rig, payload};

#[tokio::test]
async fn success_of_close_means_a_job_with_exactly_the_bytes() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    for (name, bytes) in [("a.hl7", &b"MSH|^~\\&|\r"[..]), ("inbox/large", &large), ("/empty", b"")] {
        assert_eq!(client.store(name, bytes).await, Ok(()), "{name}");
        let job = rig.jobs().pop().unwrap();
        let submission = &job.submission;
        assert_eq!(submission.name.to_text(), name.rsplit('/').next().unwrap());
        assert_eq!((submission.org.as_str(), submission.account.as_str()), ("ACME01", "acme"));
        assert_eq!((submission.protocol, job.state), (Protocol::Sftp, JobState::Queued));
        assert_eq!(submission.size_bytes, bytes.len() as u64);
        assert_eq!(submission.sha256, <[u8; 32]>::from(Sha256::digest(bytes)));
        assert!(payload(&rig.store, &job) == bytes, "{name}");
    }
    assert_eq!(rig.jobs().len(), 3);
}

#[tokio::test]
async fn nothing_is_submitted_before_close() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let handle = client.open("a.hl7", NEW).await.unwrap();
    client.write(&handle, 0, b"MSH").await.unwrap();
    client.sftp.fsync(handle.as_str()).await.unwrap();
    assert_eq!(client.sftp.fstat(handle.as_str()).await.unwrap().attrs.size, Some(3));
    assert!(rig.jobs().is_empty());
    client.close(&handle).await.unwrap();
    assert_eq!(rig.jobs().len(), 1);
    assert_eq!(client.close(&handle).await, Err(StatusCode::Failure), "a handle is closed once");
}

#[tokio::test]
async fn the_same_name_twice_over_sftp_is_two_submissions() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    client.store("a.hl7", b"one").await.unwrap();
    client.store("a.hl7", b"three").await.unwrap();
    let payloads: Vec<_> = rig.jobs().iter().map(|job| payload(&rig.store, job)).collect();
    assert_eq!(payloads, [&b"one"[..], b"three"]);
    assert_eq!(client.names("inbox").await.unwrap(), ["a.hl7"]);
    assert_eq!(client.size("a.hl7").await, Ok(5));
    let exclusive = NEW | OpenFlags::EXCLUDE;
    assert_eq!(client.open("a.hl7", exclusive).await, Err(StatusCode::PermissionDenied));
    assert!(client.open("b.hl7", exclusive).await.is_ok());
}

#[tokio::test]
async fn a_rename_of_either_kind_to_a_final_name_submits() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    client.store("a.hl7.filepart", b"MSH").await.unwrap();
    assert_eq!(client.names("inbox").await.unwrap(), ["a.hl7.filepart"]);
    assert_eq!(client.rename("a.hl7.filepart", "a.hl7.tmp").await, Ok(()));
    assert!(rig.jobs().is_empty());
    assert_eq!(client.rename("a.hl7.filepart", "a.hl7").await, Err(StatusCode::NoSuchFile));
    assert_eq!(client.rename("inbox/a.hl7.tmp", "/inbox/a.hl7").await, Ok(()));
    client.store(".in.b.hl7.", b"second").await.unwrap();
    let names = [string(b"/.in.b.hl7."), string(b"/b.hl7")].concat();
    client.sftp.extended("posix-rename@openssh.com", names).await.unwrap();
    let submitted = rig.jobs();
    let names: Vec<_> = submitted.iter().map(|job| job.submission.name.to_text()).collect();
    assert_eq!(names, ["a.hl7", "b.hl7"]);
    assert_eq!(payload(&rig.store, &submitted[1]), b"second");
}

#[tokio::test]
async fn an_accepted_file_can_be_looked_at_and_nothing_else() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    client.store("a.hl7", b"MSH").await.unwrap();
    let attrs = client.sftp.stat("/inbox/a.hl7").await.unwrap().attrs;
    assert!(attrs.is_regular() && attrs.size == Some(3) && attrs.mtime.unwrap() > 1_700_000_000, "{attrs:?}");
    assert_eq!(client.open("a.hl7", OpenFlags::READ).await, Err(StatusCode::PermissionDenied));
    assert_eq!(client.remove("a.hl7").await, Err(StatusCode::PermissionDenied));
    assert_eq!(client.rename("a.hl7", "b.hl7").await, Err(StatusCode::PermissionDenied));
    let [job] = &rig.jobs()[..] else { panic!("one job") };
    assert_eq!(payload(&rig.store, job), b"MSH");
}

/// OpenSSH's `put -p`, rclone and `WinSCP` set times and modes of what they have uploaded, or are about to.
#[tokio::test]
async fn attributes_that_clients_set_by_habit_are_taken_and_forgotten() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let handle = client.open("a.hl7", NEW).await.unwrap();
    client.write(&handle, 0, b"MSH").await.unwrap();
    let habits = FileAttributes { mtime: Some(5), atime: Some(5), uid: Some(1), ..FileAttributes::empty() };
    client.sftp.fsetstat(handle.as_str(), habits.clone()).await.unwrap();
    client.close(&handle).await.unwrap();
    client.sftp.setstat("a.hl7", habits.clone()).await.unwrap();
    assert!(client.sftp.stat("a.hl7").await.unwrap().attrs.mtime.unwrap() > 5);
    assert!(client.sftp.setstat("b.hl7", habits).await.is_err());
    let shorter = FileAttributes { size: Some(1), ..FileAttributes::empty() };
    assert!(client.sftp.setstat("a.hl7", shorter).await.is_err(), "a length is no habit");
}

/// sshfs looks for a file as soon as it has opened it, and gives up without.
#[tokio::test]
async fn what_a_client_is_writing_is_there_for_it_alone() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let handle = client.open("inbox/a.hl7", NEW).await.unwrap();
    client.write(&handle, 0, b"MSH").await.unwrap();
    assert_eq!(client.size("a.hl7").await, Ok(3));
    assert_eq!(client.size("b.hl7").await, Err(StatusCode::NoSuchFile));
    assert_eq!(client.size("outbox/a.hl7").await, Err(StatusCode::NoSuchFile));
    let times = FileAttributes { mtime: Some(5), atime: Some(5), ..FileAttributes::empty() };
    client.sftp.setstat("a.hl7", times).await.unwrap();
    let shorter = FileAttributes { size: Some(1), ..FileAttributes::empty() };
    assert!(client.sftp.setstat("a.hl7", shorter).await.is_err(), "a length is no habit");
    let other = Client::login(rig.address, "acme").await;
    assert_eq!(other.size("a.hl7").await, Err(StatusCode::NoSuchFile));
    drop((client, handle));
    assert_eq!(rig.jobs().len(), 0);
}

/// paramiko and rclone look at what they have just uploaded, and take its absence for a failure.
#[tokio::test]
async fn what_was_submitted_is_seen_by_its_session_after_it_was_processed() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    client.store("a.hl7", b"MSH").await.unwrap();
    client.store("b.hl7.part", b"MSH|b").await.unwrap();
    client.rename("b.hl7.part", "b.hl7").await.unwrap();
    rig.answer(b"MSA|AA").await;
    rig.answer(b"MSA|AA").await;
    assert_eq!(client.names("inbox").await.unwrap(), Vec::<String>::new());
    assert_eq!(client.size("a.hl7").await, Ok(3));
    assert_eq!(client.size("inbox/b.hl7").await, Ok(5));
    assert_eq!(client.size("b.hl7.part").await, Err(StatusCode::NoSuchFile));
    client.sftp.setstat("b.hl7", FileAttributes::empty()).await.unwrap();
    let other = Client::login(rig.address, "acme").await;
    assert_eq!(other.size("a.hl7").await, Err(StatusCode::NoSuchFile));
}

#[tokio::test]
async fn an_accepted_file_can_not_be_gone_on_with() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    client.store("b.hl7", b"MSH").await.unwrap();
    for flags in
        [OpenFlags::WRITE, OpenFlags::WRITE | OpenFlags::CREATE, OpenFlags::WRITE | OpenFlags::APPEND]
    {
        assert_eq!(client.open("b.hl7", flags).await, Err(StatusCode::PermissionDenied), "{flags:?}");
    }
    assert_eq!(client.open("new.hl7", OpenFlags::WRITE).await, Err(StatusCode::NoSuchFile));
    assert!(client.open("new.hl7", OpenFlags::WRITE | OpenFlags::CREATE).await.is_ok());
    assert_eq!(rig.jobs().len(), 1);
}

#[tokio::test]
async fn limits_and_space_are_told() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let version = {
        let channel = client.ssh.channel_open_session().await.unwrap();
        channel.request_subsystem(true, "sftp").await.unwrap();
        russh_sftp::client::RawSftpSession::new(channel.into_stream()).init().await.unwrap()
    };
    for name in ["posix-rename@openssh.com", "fsync@openssh.com", "limits@openssh.com", STATVFS] {
        assert!(version.extensions.contains_key(name), "{name}");
    }
    assert_eq!(version.version, 3);
    assert_eq!(client.sftp.limits().await.unwrap().max_write_len, 255 << 10);
    let space = client.sftp.statvfs("/").await.unwrap();
    assert!(space.blocks_avail > 0 && space.block_size == 4096, "{space:?}");
}
