//! Logins that fail, connections that say nothing, and what is noted of it.

use std::time::Duration;

use russh_sftp::protocol::{OpenFlags, StatusCode};
use serde_json::Value;
use tidegate_domain::units::HumanDuration;
use tidegate_ingest::config::{AuthConfig, LimitsConfig};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Client, NEW, connect, in_time, log_in, try_password};
use crate::rig::{PASSWORD, Rig, Setup};

#[tokio::test]
async fn an_address_that_guesses_over_sftp_is_turned_away_until_the_ban_is_lifted() {
    let auth = AuthConfig { exempt_addresses: Vec::new(), failures_max: 4, ..AuthConfig::default() };
    let rig = Rig::with(Setup { auth, ..Setup::default() }).await;
    let mut open = connect(rig.address).await;
    let mut guesser = connect(rig.address).await;
    for account in ["acme", "nobody", "acme", "nobody"] {
        assert!(!try_password(&mut guesser, account, "wrong horse").await.success());
    }
    let mut words = String::new();
    let mut refused = TcpStream::connect(rig.address).await.unwrap();
    in_time(refused.read_to_string(&mut words)).await.unwrap();
    assert_eq!(words, "Too many failed logins from your address; try again later\r\n");
    assert!(!try_password(&mut open, "acme", PASSWORD).await.success(), "in an open connection neither");
    assert_eq!(rig.intake.bans().lift(None, "jo").len(), 1);
    log_in(rig.address, "acme").await;
}

#[tokio::test]
async fn who_says_nothing_over_sftp_is_disconnected_and_who_has_logged_in_stays() {
    let login_max = HumanDuration(Duration::from_secs(3));
    let limits = LimitsConfig { login_max, ..LimitsConfig::default() };
    let rig = Rig::with(Setup { limits, ..Setup::default() }).await;
    let client = Client::login(rig.address, "acme").await;
    let mut silent = TcpStream::connect(rig.address).await.unwrap();
    let mut said = Vec::new();
    // However it ends, it does.
    let end = timeout(Duration::from_mins(1), silent.read_to_end(&mut said)).await;
    let _ = end.expect("an end in time");
    assert!(said.starts_with(b"SSH-2.0-"));
    client.store("a.hl7", b"MSH").await.unwrap();
}

#[tokio::test]
async fn an_organizations_own_limits_hold_over_sftp() {
    let rig = Rig::start().await;
    let path = rig.directory.path().join("ACME01.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let limits = "[limits]\nupload_bytes_max = '10B'\nfiles_waiting_max = 1\n";
    std::fs::write(&path, format!("{text}\n{limits}")).unwrap();
    assert_eq!(rig.directory.reload(), []);
    let client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", &[b'x'; 11]).await, Err(StatusCode::Failure));
    client.store("a.hl7", &[b'x'; 10]).await.unwrap();
    assert_eq!(client.open("b.hl7", NEW).await, Err(StatusCode::Failure), "before a byte is taken");
    Client::login(rig.address, "beta").await.store("b.hl7", &[b'x'; 11]).await.unwrap();
    assert_eq!(rig.jobs().len(), 2);
}

#[tokio::test]
async fn what_senders_do_over_sftp_is_noted_once() {
    let rig = Rig::start().await;
    let mut ssh = connect(rig.address).await;
    assert!(!try_password(&mut ssh, "SECRETUSER", PASSWORD).await.success());
    assert!(try_password(&mut ssh, "acme", PASSWORD).await.success());
    let client = Client::over(ssh).await;
    client.store("SMITH.hl7", b"MSH|SECRET").await.unwrap();
    let job = rig.answer(b"MSA|AA").await.id;
    let path = format!("outbox/SMITH.hl7.{job}.response");
    let handle = client.open(&path, OpenFlags::READ).await.unwrap();
    client.close(&handle).await.unwrap();
    client.remove(&path).await.unwrap();
    assert!(client.open("outbox/SMITH", NEW).await.is_err());
    let handle = client.open("SMITH.hl7", NEW).await.unwrap();
    client.write(&handle, 0, b"MSH").await.unwrap();
    client.write(&handle, 10, b"MSH").await.unwrap();
    assert!(client.close(&handle).await.is_err(), "it has a hole");

    let log = rig.audit_log().await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    let expected = ["login_refused", "login", "accepted", "fetched", "deleted", "refused", "refused"];
    assert_eq!(events, expected, "{log}");
    assert!(lines[2..5].iter().all(|line| line["job"] == job.to_string()), "{log}");
    assert!(lines[1..].iter().all(|line| line["account"] == "acme" && line["protocol"] == "sftp"), "{log}");
    for secret in ["SMITH", "SECRET", PASSWORD] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}
