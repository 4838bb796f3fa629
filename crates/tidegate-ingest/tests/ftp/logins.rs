use crate::client::Client;
use crate::rig::{PASSWORD, Rig, Setup};

#[tokio::test]
async fn only_an_open_account_with_its_password_gets_in() {
    let rig = Rig::start().await;
    let mut refusals = Vec::new();
    for (account, password) in
        [("acme", "wrong horse"), ("nobody", PASSWORD), ("gone", PASSWORD), ("far", PASSWORD), ("acme", "")]
    {
        let mut client = Client::connect(rig.address).await;
        refusals.push(client.try_login(account, password).await);
    }
    assert!(refusals.iter().all(|reply| *reply == refusals[0]), "{refusals:?}");
    assert_eq!(refusals[0].code, 530);
    Client::login(rig.address, "acme").await;
}

#[tokio::test]
async fn nothing_but_the_login_works_before_it() {
    let rig = Rig::start().await;
    let mut client = Client::connect(rig.address).await;
    for command in ["PASV", "STOR a.hl7", "LIST", "CWD inbox", "SIZE a.hl7", "RNFR a.hl7"] {
        assert_eq!(client.command(command).await.code, 530, "{command}");
    }
}

#[tokio::test]
async fn a_refused_client_may_try_again() {
    let rig = Rig::start().await;
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.try_login("acme", "wrong horse").await.code, 530);
    assert_eq!(client.try_login("acme", PASSWORD).await.code, 230);
}

#[tokio::test]
async fn an_account_that_is_shut_out_submits_nothing_more_in_a_session_that_is_open() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    std::fs::write(rig.directory.path().join("ACME01.toml"), "code = 'ACME01'\ndisabled = true").unwrap();
    rig.directory.reload();
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 550);
    assert!(rig.jobs().is_empty());
}

#[tokio::test]
async fn the_greeting_says_what_is_announced() {
    let announcement = Some("Maintenance until 05:00.\nUploads go on.".to_owned());
    let rig = Rig::with(Setup { announcement, ..Setup::default() }).await;
    let mut client = Client::connect(rig.address).await;
    let text = "220-Maintenance until 05:00.\r\n220-Uploads go on.\r\n220 tidegate ready\r\n";
    assert_eq!(client.greeting.text, text);
    assert_eq!(client.try_login("acme", PASSWORD).await.code, 230);
    let quiet = Rig::start().await;
    assert_eq!(Client::connect(quiet.address).await.greeting.text, "220 tidegate ready\r\n");
}
