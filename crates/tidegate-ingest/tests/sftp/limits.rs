use russh::{ChannelMsg, client};
use russh_sftp::protocol::StatusCode;
use tidegate_domain::units::ByteSize;
use tidegate_ingest::config::LimitsConfig;
use tidegate_store::Options;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::client::{Client, NEW, Visitor, connect, connect_with, in_time, log_in, try_password};
use crate::rig::{PASSWORD, Rig, Setup};

async fn limited(limits: LimitsConfig) -> Rig {
    Rig::with(Setup { limits, ..Setup::default() }).await
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_at_the_write_that_makes_it_so() {
    let rig = limited(LimitsConfig { upload_bytes_max: ByteSize(1000), ..LimitsConfig::default() }).await;
    let client = Client::login(rig.address, "acme").await;
    client.store("fits.hl7", &[b'x'; 1000]).await.unwrap();
    let handle = client.open("a.hl7", NEW).await.unwrap();
    client.write(&handle, 0, &[b'x'; 1000]).await.unwrap();
    assert_eq!(client.write(&handle, 1000, b"x").await, Err(StatusCode::Failure));
    assert_eq!(client.close(&handle).await, Err(StatusCode::Failure));
    assert_eq!(rig.jobs().len(), 1);
}

#[tokio::test]
async fn a_full_disk_is_told_at_open() {
    let store = Options { free_bytes_min: u64::MAX, ..Options::default() };
    let rig = Rig::with(Setup { store, ..Setup::default() }).await;
    let client = Client::login(rig.address, "acme").await;
    assert_eq!(client.open("a.hl7", NEW).await, Err(StatusCode::Failure));
    assert_eq!(client.sftp.statvfs("/").await.unwrap().blocks_avail, 0);
    assert!(rig.jobs().is_empty());
}

#[tokio::test]
async fn one_connection_too_many_is_sent_away_in_words() {
    let limits = LimitsConfig { sessions_max: 1, sessions_per_org_max: 1, ..LimitsConfig::default() };
    let rig = limited(limits).await;
    let client = Client::login(rig.address, "acme").await;
    let mut words = String::new();
    let mut refused = TcpStream::connect(rig.address).await.unwrap();
    in_time(refused.read_to_string(&mut words)).await.unwrap();
    assert_eq!(words, "Too many sessions; try again later\r\n");
    client.store("a.hl7", b"MSH").await.unwrap();
}

#[tokio::test]
async fn an_organization_over_sftp_does_not_take_the_others_sessions() {
    let rig = limited(LimitsConfig { sessions_per_org_max: 1, ..LimitsConfig::default() }).await;
    let _first = Client::login(rig.address, "acme").await;
    let mut second = connect(rig.address).await;
    assert!(!try_password(&mut second, "acme", PASSWORD).await.success());
    assert!(try_password(&mut second, "beta", PASSWORD).await.success());
}

#[tokio::test]
async fn handles_and_channels_are_counted_over_the_session() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let mut others = Vec::new();
    while let Ok(channel) = in_time(client.ssh.channel_open_session()).await {
        others.push(channel);
    }
    assert_eq!(others.len(), 7);
    let mut handles = Vec::new();
    let refused = loop {
        match client.open("a.hl7", NEW).await {
            Ok(handle) => handles.push(handle),
            Err(status) => break status,
        }
    };
    assert_eq!((handles.len(), refused), (64, StatusCode::Failure));
    assert_eq!(client.names("/").await, Err(StatusCode::Failure));
    for handle in &handles[..7] {
        client.close(handle).await.unwrap();
    }
    assert_eq!(client.names("/").await, Err(StatusCode::Failure), "a directory counts for more");
    client.close(&handles[7]).await.unwrap();
    assert_eq!(client.names("/").await.unwrap(), ["inbox", "outbox"]);
}

/// A script may open one for each of its files, over one connection.
#[tokio::test]
async fn a_channel_that_was_closed_makes_room_for_another() {
    let rig = Rig::start().await;
    let ssh = log_in(rig.address, "acme").await;
    for count in 0..20 {
        let mut channel = in_time(ssh.channel_open_session()).await.unwrap();
        channel.request_subsystem(true, "sftp").await.unwrap();
        assert!(matches!(in_time(channel.wait()).await, Some(ChannelMsg::Success)));
        if count % 2 == 0 {
            channel.close().await.unwrap();
        } else {
            channel.eof().await.unwrap();
            while !matches!(in_time(channel.wait()).await, Some(ChannelMsg::Close)) {}
        }
    }
}

/// Else whoever closes them would make us keep as many replies as it likes.
#[tokio::test]
async fn a_channel_whose_replies_were_not_taken_counts_after_its_end() {
    let rig = Rig::start().await;
    let config = client::Config { window_size: 0, ..client::Config::default() };
    let mut ssh = connect_with(rig.address, config, Visitor::default()).await;
    assert!(try_password(&mut ssh, "acme", PASSWORD).await.success());
    let mut ended = 0;
    while let Ok(mut channel) = in_time(ssh.channel_open_session()).await {
        channel.request_subsystem(true, "sftp").await.unwrap();
        assert!(matches!(in_time(channel.wait()).await, Some(ChannelMsg::Success)));
        in_time(channel.data(&[0, 0, 0, 5, 1, 0, 0, 0, 3][..])).await.unwrap();
        channel.close().await.unwrap();
        ended += 1;
        assert!(ended <= 8, "closing is no way around the limit");
    }
    assert_eq!(ended, 8);
}

/// Each holds the names of all of its files.
#[tokio::test]
async fn eight_directories_are_open_at_once_and_no_more() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let mut open = Vec::new();
    while let Ok(handle) = client.sftp.opendir("/inbox").await {
        open.push(handle.handle);
    }
    assert_eq!(open.len(), 8);
    client.close(&open[0]).await.unwrap();
    assert_eq!(client.names("/").await.unwrap(), ["inbox", "outbox"]);
}
