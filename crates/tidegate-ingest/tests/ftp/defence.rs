//! Logins that fail, and connections that say nothing.

use std::net::SocketAddr;
use std::time::Duration;

use tidegate_domain::units::HumanDuration;
use tidegate_ingest::config::{AuthConfig, LimitsConfig};
use tokio::net::{TcpSocket, TcpStream};

use crate::client::{Client, Reply};
use crate::rig::{PASSWORD, Rig, Setup};

/// Nobody is exempt, so that addresses of loopback count like others.
fn strict() -> AuthConfig {
    AuthConfig { exempt_addresses: Vec::new(), ..AuthConfig::default() }
}

async fn strict_rig(limits: LimitsConfig) -> Rig {
    Rig::with(Setup { auth: strict(), limits, ..Setup::default() }).await
}

/// A connection from another address of this host.
async fn connect_from(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

async fn fail(rig: &Rig, account: &str) -> Reply {
    Client::connect(rig.address).await.try_login(account, "wrong horse").await
}

#[tokio::test]
async fn an_address_that_fails_ten_times_is_turned_away_at_the_door_and_others_are_not() {
    let rig = strict_rig(LimitsConfig::default()).await;
    for number in 0..10 {
        // Names that nobody has count like those that somebody has.
        let account = if number % 2 == 0 { "acme" } else { "nobody" };
        assert_eq!(fail(&rig, account).await.code, 530);
    }
    let refused = Client::connect(rig.address).await;
    assert_eq!(refused.greeting.text, "421 Too many failed logins from your address; try again later\r\n");
    assert_eq!(refused.closed().await, "");
    let mut other = Client::over(connect_from("127.0.0.2", rig.address).await).await;
    assert_eq!(other.try_login("acme", PASSWORD).await.code, 230, "the account itself is never shut out");
    assert_eq!(rig.intake.bans().lift(None, "jo").len(), 1);
    Client::login(rig.address, "acme").await;
    let log = rig.audit_log().await;
    for entry in [
        r#""event":"banned","address":"127.0.0.1","for_s":900}"#,
        r#""event":"ban_lifted","address":"127.0.0.1","actor":"jo"}"#,
    ] {
        assert_eq!(log.matches(entry).count(), 1, "{entry}: {log}");
    }
}

#[tokio::test]
async fn a_ban_ends_guessing_in_sessions_that_are_open_and_leaves_those_that_are_logged_in() {
    let rig = strict_rig(LimitsConfig::default()).await;
    let mut inside = Client::login(rig.address, "beta").await;
    let mut open = Client::connect(rig.address).await;
    for _ in 0..10 {
        fail(&rig, "acme").await;
    }
    assert_eq!(open.try_login("acme", PASSWORD).await.code, 530);
    assert_eq!(inside.store("a.hl7", b"MSH").await.code, 226);
}

#[tokio::test]
async fn an_exempt_address_is_not_banned() {
    let rig = Rig::start().await;
    for _ in 0..12 {
        assert_eq!(fail(&rig, "acme").await.code, 530);
    }
    Client::login(rig.address, "acme").await;
}

#[tokio::test]
async fn an_address_has_so_many_sessions_and_no_more() {
    let rig = strict_rig(LimitsConfig { sessions_per_address_max: 2, ..LimitsConfig::default() }).await;
    let first = Client::login(rig.address, "acme").await;
    let _second = Client::connect(rig.address).await;
    let refused = Client::connect(rig.address).await;
    assert_eq!(refused.greeting.text, "421 Too many sessions from your address; try again later\r\n");
    Client::over(connect_from("127.0.0.2", rig.address).await).await;
    first.quit().await;
}

#[tokio::test]
async fn silent_connections_do_not_keep_an_honest_sender_out() {
    let limits = LimitsConfig { logins_pending_max: 20, sessions_max: 20, ..LimitsConfig::default() };
    let rig = strict_rig(limits).await;
    let mut silent = Vec::new();
    let mut honest = Client::login(rig.address, "acme").await;
    for number in 0..100_u8 {
        silent.push(connect_from(&format!("127.0.1.{number}"), rig.address).await);
        if number % 10 == 0 {
            let mut newcomer = Client::connect(rig.address).await;
            assert_eq!(newcomer.try_login("beta", PASSWORD).await.code, 230);
            assert_eq!(newcomer.store("b.hl7", b"MSH").await.code, 226);
            newcomer.quit().await;
        }
    }
    assert_eq!(honest.store("a.hl7", b"MSH").await.code, 226);
    assert_eq!(rig.jobs().len(), 11);
    let first = Client::over(silent.remove(0)).await;
    assert_eq!(first.closed().await, "", "those that came first have made room");
}

#[tokio::test]
async fn who_does_not_log_in_is_disconnected_and_who_has_stays() {
    let login_max = HumanDuration(Duration::from_secs(2));
    let rig = strict_rig(LimitsConfig { login_max, ..LimitsConfig::default() }).await;
    let mut inside = Client::login(rig.address, "acme").await;
    let silent = Client::connect(rig.address).await;
    let mut halfway = Client::connect(rig.address).await;
    assert_eq!(halfway.command("USER acme").await.code, 331);
    silent.closed().await;
    halfway.closed().await;
    assert_eq!(inside.store("a.hl7", b"MSH").await.code, 226);
}
