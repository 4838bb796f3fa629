//! What the doors write to the log. A process of its own, so that the log is that of all threads.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

// Other tests use the rest of them.
#[allow(dead_code)]
#[path = "../ftp/client.rs"]
mod client;
#[allow(dead_code, unused_imports)]
#[path = "../ftp/rig.rs"]
mod rig;
#[allow(dead_code)]
#[path = "../sftp/client.rs"]
mod sftp_client;
#[allow(dead_code, unused_imports)]
#[path = "../sftp/rig.rs"]
mod sftp_rig;
#[path = "../site/mod.rs"]
mod site;

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use tidegate_ingest::config::FtpEngine;

use crate::client::Client;
use crate::rig::{PASSWORD, Rig};

/// The engine that has words of its own for the log.
const ENGINE: FtpEngine = FtpEngine::Libunftp;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Names of files hold names of patients; a log is read by people who have no business with them.
#[tokio::test]
async fn no_log_names_a_file_or_repeats_what_was_typed_as_an_account() {
    let log = Log::default();
    let writer = log.clone();
    let ours = Targets::new()
        .with_target("tidegate_ingest", LevelFilter::TRACE)
        .with_target("tidegate_store", LevelFilter::TRACE);
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone());
    tracing_subscriber::registry().with(layer.with_filter(ours)).init();

    let rig = Rig::start().await;
    let mut client = Client::connect(rig.address).await;
    client.try_login("SECRETUSER", "SECRETPASS").await;
    client.try_login("acme", PASSWORD).await;
    client.store("SMITH_JOHN.hl7", b"SECRETBODY").await;
    client.store("SMITH_JOHN.tmp", b"SECRETBODY").await;
    client.store("SMITH_JOHN/x", b"SECRETBODY").await;
    client.store(&"SMITH_JOHN".repeat(30), b"SECRETBODY").await;
    client.upload("APPE SMITH_JOHN.hl7", b"SECRETBODY").await;
    client.command("RNFR SMITH_JOHN.tmp").await;
    client.command("RNTO SMITH_JOHN.final").await;
    client.command("DELE SMITH_JOHN.hl7").await;
    client.fetch("RETR outbox/SMITH_JOHN").await;
    client.fetch("LIST inbox").await;
    let mut data = client.begin("STOR SMITH_JOHN.hl7").await;
    data.write_all(b"SECRETBODY").await.unwrap();
    drop(client);
    drop(data);
    let audit = rig.audit_log().await;
    rig.stop().await;
    speak_sftp().await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("protocol=\"sftp\""), "{text}");
    for fact in ["session opened", "login refused", "login accepted", "upload accepted", "upload staged"] {
        assert!(text.contains(fact), "{fact} is missing in {text}");
    }
    assert!(text.contains("org=\"ACME01\""), "{text}");
    for secret in ["SMITH", "SECRET", PASSWORD, "argon2id"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
        assert!(!audit.contains(secret), "{secret} is in {audit}");
    }
}

async fn speak_sftp() {
    let rig = sftp_rig::Rig::start().await;
    let mut ssh = sftp_client::connect(rig.address).await;
    sftp_client::try_password(&mut ssh, "SECRETUSER", "SECRETPASS").await;
    sftp_client::try_password(&mut ssh, "acme", PASSWORD).await;
    let client = sftp_client::Client::over(ssh).await;
    client.store("SMITH_JOHN.hl7", b"SECRETBODY").await.unwrap();
    client.store("SMITH_JOHN.tmp", b"SECRETBODY").await.unwrap();
    client.rename("SMITH_JOHN.tmp", "SMITH_JOHN.final").await.unwrap();
    client.store("SMITH_JOHN/x", b"SECRETBODY").await.unwrap_err();
    client.remove("SMITH_JOHN.hl7").await.unwrap_err();
    client.size("outbox/SMITH_JOHN").await.unwrap_err();
    let handle = client.open("SMITH_JOHN.hole", sftp_client::NEW).await.unwrap();
    client.write(&handle, 5, b"SECRETBODY").await.unwrap();
    client.close(&handle).await.unwrap_err();
    drop(client);
    rig.stop().await;
}
