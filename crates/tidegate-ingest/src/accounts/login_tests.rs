use std::net::Ipv4Addr;
use std::path::Path;

use russh::keys::{Algorithm, PrivateKey};

use super::*;

const PASSWORD: &str = "correct horse";

fn write(folder: &Path, code: &str, account: &str, more: &str) {
    let hash = PasswordHashing::new(&AuthConfig::default()).unwrap().hash(PASSWORD).unwrap();
    let text =
        format!("code = '{code}'\n[[account]]\nname = '{account}'\npassword_hash = '{hash}'\n{more}\n");
    std::fs::write(folder.join(format!("{code}.toml")), text).unwrap();
}

fn logins(folder: &Path) -> Logins {
    let directory = Arc::new(Directory::open(folder).unwrap());
    Logins::new(directory, &AuthConfig::default()).unwrap()
}

async fn check(logins: &Logins, account: &str, password: &str) -> Result<Login, LoginRefused> {
    logins.check(account, Zeroizing::new(password.to_owned()), None, Ipv4Addr::LOCALHOST.into()).await
}

#[tokio::test(start_paused = true)]
async fn only_the_right_password_of_an_open_account_gets_in() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "A", "a", "");
    write(folder.path(), "B", "b", "disabled = true");
    write(folder.path(), "C", "c", "allow_from = ['192.0.2.0/24']");
    std::fs::write(folder.path().join("D.toml"), "code = 'D'\n[[account]]\nname = 'd'\n").unwrap();
    let logins = logins(folder.path());
    let login = check(&logins, "a", PASSWORD).await.unwrap();
    assert_eq!((login.org.as_str(), login.account.as_str()), ("A", "a"));
    assert_eq!(check(&logins, "a", "wrong horse").await, Err(LoginRefused::WrongPassword));
    assert_eq!(check(&logins, "A", PASSWORD).await, Err(LoginRefused::UnknownAccount));
    assert_eq!(check(&logins, "b", PASSWORD).await, Err(LoginRefused::Disabled));
    assert_eq!(check(&logins, "c", PASSWORD).await, Err(LoginRefused::AddressNotAllowed));
    assert_eq!(check(&logins, "d", "the password of nobody").await, Err(LoginRefused::WrongPassword));
}

#[tokio::test(start_paused = true)]
async fn every_refusal_takes_the_same_time_and_success_takes_none() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "A", "a", "");
    let logins = logins(folder.path());
    for account in ["a", "unknown"] {
        let started = Instant::now();
        check(&logins, account, "wrong horse").await.unwrap_err();
        assert_eq!(started.elapsed().as_secs(), 1, "{account}");
    }
    let started = Instant::now();
    check(&logins, "a", PASSWORD).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 0);
}

#[tokio::test]
async fn a_session_is_noticed_when_its_account_is_shut_out() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "A", "a", "");
    let logins = logins(folder.path());
    let login = check(&logins, "a", PASSWORD).await.unwrap();
    let peer = Ipv4Addr::LOCALHOST.into();
    assert_eq!(logins.still_admits(&login, peer), Ok(()));
    write(folder.path(), "A", "a", "disabled = true");
    logins.directory.reload();
    assert_eq!(logins.still_admits(&login, peer), Err(LoginRefused::Disabled));
    write(folder.path(), "A", "a", "allow_from = ['192.0.2.0/24']");
    logins.directory.reload();
    assert_eq!(logins.still_admits(&login, peer), Err(LoginRefused::AddressNotAllowed));
}

#[tokio::test]
async fn a_session_goes_on_neither_in_the_old_nor_in_the_new_organization_of_its_account() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "A", "a", "");
    let logins = logins(folder.path());
    let login = check(&logins, "a", PASSWORD).await.unwrap();
    std::fs::write(folder.path().join("A.toml"), "code = 'A'").unwrap();
    write(folder.path(), "B", "a", "");
    assert_eq!(logins.directory.reload(), []);
    let peer = Ipv4Addr::LOCALHOST.into();
    assert_eq!(logins.still_admits(&login, peer), Err(LoginRefused::UnknownAccount));
    assert_eq!(check(&logins, "a", PASSWORD).await.unwrap().org.as_str(), "B");
}

#[tokio::test(start_paused = true)]
async fn refusals_of_an_account_get_slower_whether_it_exists_or_not() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "A", "a", "");
    let logins = logins(folder.path());
    for expected in [1, 2, 4] {
        for account in ["a", "unknown"] {
            let started = Instant::now();
            check(&logins, account, "wrong horse").await.unwrap_err();
            assert_eq!(started.elapsed().as_secs(), expected, "{account}");
        }
    }
    let started = Instant::now();
    check(&logins, "a", PASSWORD).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 0, "nobody can slow down somebody else's login");
    check(&logins, "a", "wrong horse").await.unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 1, "whoever has logged in begins anew");
}

#[tokio::test(start_paused = true)]
async fn a_banned_address_is_refused_whatever_its_password_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "A", "a", "");
    let logins = logins(folder.path());
    let try_from = async |peer: &str, password: &str| {
        logins.check("a", Zeroizing::new(password.to_owned()), None, peer.parse().unwrap()).await
    };
    for _ in 0..10 {
        assert_eq!(try_from("192.0.2.1", "wrong horse").await, Err(LoginRefused::WrongPassword));
    }
    assert_eq!(try_from("192.0.2.1", PASSWORD).await, Err(LoginRefused::Banned));
    let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
    let key = SenderKey::of(key.public_key()).unwrap();
    let offer = |peer: &str| logins.look_up_key("a", &key, peer.parse().unwrap());
    assert_eq!(offer("192.0.2.1"), Err(LoginRefused::Banned), "nor by key, where it is connected already");
    assert_eq!(offer("192.0.2.2"), Err(LoginRefused::UnknownKey));
    assert!(try_from("192.0.2.2", PASSWORD).await.is_ok());
    tokio::time::advance(Duration::from_mins(15)).await;
    assert!(try_from("192.0.2.1", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_password_that_was_right_is_not_computed_again_until_it_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "A", "a", "");
    let logins = logins(folder.path());
    let hash = || logins.directory.current().account("a").unwrap().1.password_hash.clone().unwrap();
    assert!(!logins.remembered.knows("a", &hash(), PASSWORD));
    check(&logins, "a", PASSWORD).await.unwrap();
    assert!(logins.remembered.knows("a", &hash(), PASSWORD));
    // With no turn to be had only what is remembered gets in.
    let _all_turns = logins.checks.acquire_many(4).await.unwrap();
    check(&logins, "a", PASSWORD).await.unwrap();
    write(folder.path(), "A", "a", "disabled = true");
    logins.directory.reload();
    assert!(!logins.remembered.knows("a", &hash(), PASSWORD), "another hash, if of the same password");
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_opens_no_account_that_is_shut() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "A", "a", "");
    let logins = logins(folder.path());
    check(&logins, "a", PASSWORD).await.unwrap();
    let file = folder.path().join("A.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("disabled = true\n{text}")).unwrap();
    logins.directory.reload();
    assert_eq!(check(&logins, "a", PASSWORD).await, Err(LoginRefused::Disabled));
    for _ in 0..2 {
        assert_eq!(check(&logins, "a", "wrong horse").await, Err(LoginRefused::WrongPassword));
    }
}
