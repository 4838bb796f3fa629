//! Clients that ask for what there is not, or do not keep to the protocol.

use russh::ChannelMsg;
use russh_sftp::protocol::StatusCode;

use crate::client::{Client, Raw, Visitor, connect_with, in_time, log_in, packet, string, try_password};
use crate::rig::{PASSWORD, Rig};

#[tokio::test]
async fn there_is_nothing_but_sftp() {
    let rig = Rig::start().await;
    let ssh = log_in(rig.address, "acme").await;
    let mut channel = in_time(ssh.channel_open_session()).await.unwrap();
    channel.request_shell(true).await.unwrap();
    assert!(matches!(in_time(channel.wait()).await, Some(ChannelMsg::Failure)));
    for command in ["id", "scp -t /", "/usr/lib/openssh/sftp-server"] {
        channel.exec(true, command).await.unwrap();
        assert!(matches!(in_time(channel.wait()).await, Some(ChannelMsg::Failure)), "{command}");
    }
    channel.request_pty(true, "xterm", 80, 24, 0, 0, &[]).await.unwrap();
    assert!(matches!(in_time(channel.wait()).await, Some(ChannelMsg::Failure)));
    channel.set_env(true, "LD_PRELOAD", "x").await.unwrap();
    assert!(matches!(in_time(channel.wait()).await, Some(ChannelMsg::Failure)));
    channel.request_subsystem(true, "netconf").await.unwrap();
    assert!(matches!(in_time(channel.wait()).await, Some(ChannelMsg::Failure)));
    assert!(in_time(ssh.channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 1)).await.is_err());
    assert!(in_time(ssh.channel_open_direct_streamlocal("/run/x")).await.is_err());
    assert!(in_time(ssh.tcpip_forward("127.0.0.1", 0)).await.is_err());
    channel.request_subsystem(true, "sftp").await.unwrap();
    assert!(matches!(in_time(channel.wait()).await, Some(ChannelMsg::Success)));
    channel.request_subsystem(true, "sftp").await.unwrap();
    assert!(matches!(in_time(channel.wait()).await, Some(ChannelMsg::Failure)), "once");
}

#[tokio::test]
async fn a_packet_that_is_too_long_or_malformed_ends_the_session() {
    let rig = Rig::start().await;
    let too_long = u32::to_be_bytes((1 << 20) + 1).to_vec();
    let cut_off = packet(17, 1, &[&[0, 0, 0, 9], b"a.hl7"]);
    for bytes in [too_long, cut_off, vec![0, 0, 0, 0]] {
        let mut raw = Raw::login(rig.address).await;
        raw.send(&bytes).await;
        assert_eq!(raw.reply().await, None, "{bytes:?}");
        assert!(in_time(raw.ssh.channel_open_session()).await.is_err(), "the session has ended");
    }
}

#[tokio::test]
async fn what_is_not_offered_is_answered() {
    let rig = Rig::start().await;
    let mut raw = Raw::login(rig.address).await;
    for (id, kind) in [(7_u8, 19), (8, 20), (9, 99)] {
        raw.send(&packet(kind, id.into(), &[&string(b"/a"), &string(b"/b")])).await;
        let reply = raw.reply().await.unwrap();
        assert_eq!(reply[..9], [101, 0, 0, 0, id, 0, 0, 0, StatusCode::OpUnsupported as u8]);
    }
}

/// A client with a window that is given, and a request for 32 KiB of a response that it has opened.
async fn reader(rig: &Rig, window_bytes: u32) -> (Raw, Vec<u8>) {
    let client = Client::login(rig.address, "acme").await;
    client.store("a.hl7", b"MSH").await.unwrap();
    let job = rig.answer(&vec![b'x'; 100 << 10]).await;
    let name = format!("/outbox/a.hl7.{}.response", job.id);
    let config = russh::client::Config { window_size: window_bytes, ..russh::client::Config::default() };
    let mut ssh = connect_with(rig.address, config, Visitor::default()).await;
    assert!(try_password(&mut ssh, "acme", PASSWORD).await.success());
    let raw = Raw::over(ssh).await;
    raw.send(&packet(3, 1, &[&string(name.as_bytes()), &1_u32.to_be_bytes(), &0_u32.to_be_bytes()])).await;
    (raw, packet(5, 2, &[&string(b"1"), &0_u64.to_be_bytes(), &(32_u32 << 10).to_be_bytes()]))
}

/// A client may ask for much and read nothing: what it asks for waits, and only so much of it.
#[tokio::test]
async fn requests_whose_answers_nobody_reads_are_bounded() {
    let rig = Rig::start().await;
    let (raw, read) = reader(&rig, 1000).await;
    let many = read.repeat(1000);
    // russh's client keeps to the window, which is given anew as soon as half of it is used up.
    let mut sent_bytes = 0;
    while in_time(raw.channel.data(&many[..])).await.is_ok() {
        sent_bytes += many.len();
        assert!(sent_bytes < 64 << 20, "requests pile up");
    }
    Client::login(rig.address, "acme").await.store("b.hl7", b"MSH").await.unwrap();
}

/// A client that had named a large window got the answers to all requests of a packet made before the first of them was
/// sent, and to all that waited, gigabytes.
#[tokio::test]
async fn answers_that_are_made_at_once_are_bounded_whatever_the_window() {
    let rig = Rig::start().await;
    let (mut raw, read) = reader(&rig, 1 << 30).await;
    assert_eq!(raw.reply().await.unwrap()[0], 102, "a handle");
    in_time(raw.channel.data_bytes(read.repeat(300))).await.unwrap();
    for _ in 0..300 {
        assert_eq!(raw.reply().await.unwrap().len(), 9 + (32 << 10), "so much may be asked for");
    }
    // As one packet of SSH.
    in_time(raw.channel.data_bytes(read.repeat(1000))).await.unwrap();
    let mut answers = 0;
    while answers < 1000 && raw.reply().await.is_some() {
        answers += 1;
    }
    assert!(answers < 1000, "31 MiB at once");
    Client::login(rig.address, "acme").await.store("b.hl7", b"MSH").await.unwrap();
}
