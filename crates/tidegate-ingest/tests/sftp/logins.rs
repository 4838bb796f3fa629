use std::sync::Arc;

use russh::client::AuthResult;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use russh::{MethodKind, MethodSet};

use crate::client::{Client, Ssh, Visitor, connect, connect_with, log_in, try_password};
use crate::rig::{PASSWORD, Rig, Setup, write_org};

fn generate(algorithm: Algorithm) -> Arc<PrivateKey> {
    Arc::new(PrivateKey::random(&mut rand::rng(), algorithm).unwrap())
}

async fn try_key(ssh: &mut Ssh, account: &str, key: &Arc<PrivateKey>, hash: Option<HashAlg>) -> bool {
    let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
    ssh.authenticate_publickey(account, key).await.unwrap().success()
}

/// Gives the account of an organization a key, and takes it up.
fn give_key(rig: &Rig, code: &str, account: &str, key: &PrivateKey, more: &str) {
    let line = key.public_key().to_openssh().unwrap();
    write_org(rig.directory.path(), code, account, &format!("authorized_keys = ['{line} comment']\n{more}"));
    assert_eq!(rig.directory.reload(), []);
}

#[tokio::test]
async fn whoever_is_refused_can_not_tell_why_and_may_try_again() {
    let rig = Rig::start().await;
    let wrong =
        [("acme", "wrong horse"), ("nobody", PASSWORD), ("gone", PASSWORD), ("far", PASSWORD), ("acme", "")];
    for (account, password) in wrong {
        let mut ssh = connect(rig.address).await;
        let AuthResult::Failure { remaining_methods, .. } = try_password(&mut ssh, account, password).await
        else {
            panic!("{account} got in")
        };
        let methods = [MethodKind::PublicKey, MethodKind::Password];
        assert_eq!(remaining_methods, MethodSet::from(&methods[..]), "{account}");
        assert!(try_password(&mut ssh, "acme", PASSWORD).await.success(), "{account}");
    }
}

#[tokio::test]
async fn five_wrong_passwords_are_the_last_of_a_connection() {
    let rig = Rig::start().await;
    let mut ssh = connect(rig.address).await;
    for _ in 0..5 {
        assert!(!try_password(&mut ssh, "acme", "wrong horse").await.success());
    }
    let sixth = ssh.authenticate_password("acme", PASSWORD).await;
    assert!(!sixth.is_ok_and(|answer| answer.success()));
    log_in(rig.address, "acme").await;
}

#[tokio::test]
async fn a_key_of_every_kind_gets_its_account_in_and_no_other() {
    let rig = Rig::start().await;
    let p256 = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };
    for algorithm in [Algorithm::Ed25519, p256, Algorithm::Rsa { hash: None }] {
        let key = generate(algorithm.clone());
        give_key(&rig, "ACME01", "acme", &key, "");
        let mut ssh = connect(rig.address).await;
        assert!(!try_key(&mut ssh, "beta", &key, Some(HashAlg::Sha256)).await, "{algorithm}");
        assert!(!try_key(&mut ssh, "nobody", &key, Some(HashAlg::Sha256)).await, "{algorithm}");
        assert!(!try_key(&mut ssh, "acme", &generate(Algorithm::Ed25519), None).await);
        assert!(try_key(&mut ssh, "acme", &key, Some(HashAlg::Sha256)).await, "{algorithm}");
        Client::over(ssh).await.store("a.hl7", b"MSH").await.unwrap();
    }
    assert_eq!(rig.jobs().len(), 3);
}

#[tokio::test]
async fn a_signature_with_sha1_is_refused() {
    let rig = Rig::start().await;
    let key = generate(Algorithm::Rsa { hash: None });
    give_key(&rig, "ACME01", "acme", &key, "");
    let mut ssh = connect(rig.address).await;
    assert!(!try_key(&mut ssh, "acme", &key, None).await);
    assert!(try_key(&mut ssh, "acme", &key, Some(HashAlg::Sha512)).await);
}

#[tokio::test]
async fn a_key_opens_no_account_that_is_shut_out() {
    let rig = Rig::start().await;
    let key = generate(Algorithm::Ed25519);
    for more in ["disabled = true", "allow_from = ['192.0.2.0/24']"] {
        give_key(&rig, "ACME01", "acme", &key, more);
        assert!(!try_key(&mut connect(rig.address).await, "acme", &key, None).await, "{more}");
    }
    give_key(&rig, "ACME01", "acme", &key, "");
    assert!(try_key(&mut connect(rig.address).await, "acme", &key, None).await);
}

/// Nobody could tell a sender why his key did not do: a key that is only offered left no trace.
#[tokio::test]
async fn who_goes_without_a_key_that_is_taken_is_noted_once_and_who_has_one_is_not() {
    let mut rig = Rig::start().await;
    let key = generate(Algorithm::Ed25519);
    for more in ["", "disabled = true", "allow_from = ['192.0.2.0/24']"] {
        give_key(&rig, "ACME01", "acme", &key, more);
        let mut ssh = connect(rig.address).await;
        for _ in 0..2 {
            assert!(!try_key(&mut ssh, "acme", &generate(Algorithm::Ed25519), None).await);
        }
        assert_eq!(try_key(&mut ssh, "acme", &key, None).await, more.is_empty());
    }
    assert!(!try_key(&mut connect(rig.address).await, "SECRETUSER", &key, None).await);
    let mut ssh = connect(rig.address).await;
    assert!(!try_key(&mut ssh, "acme", &key, None).await);
    assert!(!try_password(&mut ssh, "beta", "wrong horse").await.success());
    drop(ssh);
    rig.signal_stop();
    rig.ended().await;
    let log = rig.audit_log().await;
    let mut events: Vec<[String; 3]> = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| {
            ["event", "reason", "account"].map(|key| line[key].as_str().unwrap_or_default().to_owned())
        })
        .collect();
    events.sort();
    let refused = |reason: &str, account: &str| ["login_refused", reason, account].map(str::to_owned);
    let expected = [
        ["login", "", "acme"].map(str::to_owned),
        refused("address not allowed", "acme"),
        refused("disabled", "acme"),
        refused("unknown account", ""),
        refused("wrong password", "beta"),
    ];
    assert_eq!(events, expected, "{log}");
    assert!(!log.contains("SECRET"));
}

#[tokio::test]
async fn an_account_shut_out_since_its_login_submits_nothing_more_over_sftp() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    client.store("a.hl7.part", b"MSH").await.unwrap();
    std::fs::write(rig.directory.path().join("ACME01.toml"), "code = 'ACME01'\ndisabled = true").unwrap();
    rig.directory.reload();
    assert!(client.store("a.hl7", b"MSH").await.is_err());
    assert!(client.rename("a.hl7.part", "a.hl7").await.is_err());
    assert!(rig.jobs().is_empty());
}

#[tokio::test]
async fn the_banner_says_what_is_announced() {
    let announcement = Some("Maintenance until 05:00.\n\u{1b}[31mUploads go on.".to_owned());
    let rig = Rig::with(Setup { announcement, ..Setup::default() }).await;
    let visitor = Visitor::default();
    let mut ssh = connect_with(rig.address, russh::client::Config::default(), visitor.clone()).await;
    assert!(try_password(&mut ssh, "acme", PASSWORD).await.success());
    let text = "Maintenance until 05:00.\r\n[31mUploads go on.\r\n";
    assert_eq!(*visitor.banner.lock().unwrap(), text, "in words, without control characters");
}

/// SFTP knows no certificates: a password that leaked must not get around the one that FTPS asks for.
#[tokio::test]
async fn the_password_of_an_account_that_is_bound_to_a_certificate_does_not_do_and_its_key_does() {
    let rig = Rig::start().await;
    let key = generate(Algorithm::Ed25519);
    let bound = format!("client_certificates = ['{}']", "0F".repeat(32));
    give_key(&rig, "ACME01", "acme", &key, &bound);
    let mut ssh = connect(rig.address).await;
    assert!(!try_password(&mut ssh, "acme", PASSWORD).await.success());
    assert!(try_key(&mut ssh, "acme", &key, None).await);
}
