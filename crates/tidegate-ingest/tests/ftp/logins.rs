use tokio::io::AsyncWriteExt;

use crate::client::Client;
use crate::outbox::answer;
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
async fn an_account_that_is_shut_out_submits_and_fetches_nothing_more_in_sessions_that_are_open() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 226);
    let response = format!("outbox/a.hl7.{}.response", answer(&rig.store, b"MSA|AA").await.id);
    let mut slow = Client::login(rig.address, "acme").await;
    let mut data = slow.begin("STOR slow.hl7").await;
    data.write_all(b"MSH").await.unwrap();
    std::fs::write(rig.directory.path().join("ACME01.toml"), "code = 'ACME01'\ndisabled = true").unwrap();
    rig.directory.reload();
    assert_eq!(client.store("b.hl7", b"MSH").await.code, 550);
    assert_eq!(client.fetch(&format!("RETR {response}")).await.1.code, 550);
    assert_eq!(client.command(&format!("DELE {response}")).await.code, 550);
    assert_eq!(client.command(&format!("SIZE {response}")).await.code, 213, "it is there still");
    drop(data);
    assert_eq!(slow.reply().await.code, 550, "what had begun before");
    assert_eq!(rig.jobs().len(), 1);
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
