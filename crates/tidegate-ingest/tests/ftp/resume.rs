//! Going on with an upload that broke off: RFC 3659, 5 and APPE of RFC 959.

use std::time::Duration;

use tidegate_domain::units::HumanDuration;
use tidegate_ingest::config::LimitsConfig;
use tokio::io::AsyncWriteExt;

use crate::client::Client;
use crate::rig::{Rig, Setup, ask_for, payload};

/// How much of the content arrives at first.
const PART: usize = 200_000;

/// More than fits into memory, and no two parts of it are alike.
fn content() -> Vec<u8> {
    (0..75_000_u32).flat_map(u32::to_le_bytes).collect()
}

async fn size(client: &mut Client, name: &str) -> usize {
    let reply = client.command(&format!("SIZE {name}")).await;
    assert_eq!(reply.code, 213, "{reply:?}");
    reply.text[4..].trim().parse().unwrap()
}

/// Sends the first part of an upload and then nothing: once the server gives it up, it has all of that part.
async fn break_off(rig: &Rig, name: &str, part: &[u8]) -> Client {
    let mut client = Client::login(rig.address, "acme").await;
    let mut data = client.begin(&format!("STOR {name}")).await;
    data.write_all(part).await.unwrap();
    assert_eq!(client.reply().await.code, 426);
    assert_eq!(size(&mut client, name).await, part.len());
    client
}

/// Sends the rest of `a.hl7`; REST comes right before STOR, as RFC 3659, 5.2 wants it.
async fn restart(client: &mut Client, from: usize, rest: &[u8]) -> u16 {
    let mut data = client.passive().await;
    assert_eq!(client.command(&format!("REST {from}")).await.code, 350);
    assert_eq!(client.command("STOR a.hl7").await.code, 150);
    // A server that refuses closes the connection; its reply says why.
    let _ = data.write_all(rest).await;
    drop(data);
    client.reply().await.code
}

async fn rig() -> Rig {
    let session_idle_max = HumanDuration(Duration::from_secs(3));
    let limits = LimitsConfig { session_idle_max, ..LimitsConfig::default() };
    Rig::with(Setup { limits, ..Setup::default() }).await
}

#[tokio::test]
async fn a_broken_upload_is_gone_on_with_by_rest_and_stor() {
    let (rig, content) = (rig().await, content());
    let mut client = break_off(&rig, "a.hl7", &content[..PART]).await;
    assert_eq!(client.names("inbox").await, Vec::<String>::new(), "it shows only to who asks for it");
    assert_eq!(rig.jobs(), []);

    let from = PART - 1_000;
    assert_eq!(restart(&mut client, from, &content[from..]).await, 226);
    let [job] = &rig.jobs()[..] else { panic!("one job") };
    assert!(payload(&rig.store, job) == content);
    assert_eq!(size(&mut client, "a.hl7").await, content.len(), "the accepted one");
    assert_eq!(client.upload("APPE a.hl7", b"more").await.code, 550);
}

#[tokio::test]
async fn a_broken_upload_is_gone_on_with_by_appe() {
    let (rig, content) = (rig().await, content());
    let mut client = break_off(&rig, "a.hl7", &content[..PART]).await;
    assert_eq!(client.upload("APPE a.hl7", &content[PART..]).await.code, 226);
    let [job] = &rig.jobs()[..] else { panic!("one job") };
    assert!(payload(&rig.store, job) == content);
    assert_eq!(client.upload("APPE b.hl7", b"MSH").await.code, 226, "where nothing is, all of it comes");
}

#[tokio::test]
async fn a_staged_upload_that_broke_off_is_not_submitted_before_its_rest() {
    let (rig, content) = (rig().await, content());
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7.part", b"an earlier one").await.code, 226);
    let mut client = break_off(&rig, "a.hl7.part", &content[..PART]).await;
    assert_eq!(client.command("RNFR a.hl7.part").await.code, 350);
    let refused = client.command("RNTO a.hl7").await;
    assert!(refused.code == 550 && refused.text.contains("broke off"), "{refused:?}");
    assert_eq!(client.upload("APPE a.hl7.part", &content[PART..]).await.code, 226);
    assert_eq!(client.command("RNFR a.hl7.part").await.code, 350);
    assert_eq!(client.command("RNTO a.hl7").await.code, 250);
    let [job] = &rig.jobs()[..] else { panic!("one job") };
    assert!(payload(&rig.store, job) == content);
}

#[tokio::test]
async fn a_staged_upload_is_appended_to() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7.part", b"MSH|").await.code, 226);
    assert_eq!(client.upload("APPE a.hl7.part", b"more").await.code, 226);
    assert_eq!(size(&mut client, "a.hl7.part").await, 8);
    assert_eq!(client.command("RNFR a.hl7.part").await.code, 350);
    assert_eq!(client.command("RNTO a.hl7").await.code, 250);
    assert_eq!(payload(&rig.store, &rig.jobs()[0]), b"MSH|more");
}

#[tokio::test]
async fn what_waits_for_its_rename_or_sidecar_is_gone_on_with() {
    let (rig, content) = (rig().await, content());
    ask_for(&rig.directory, "sidecar");
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", b"an earlier one").await.code, 226);
    let mut client = break_off(&rig, "a.hl7", &content[..PART]).await;
    let refused = client.store("a.hl7.done", b"").await;
    assert!(refused.code == 550 && refused.text.contains("broke off"), "{refused:?}");
    assert_eq!(client.upload("APPE a.hl7", &content[PART..PART + 10]).await.code, 226);
    assert_eq!(restart(&mut client, PART + 10, &content[PART + 10..]).await, 226);
    assert_eq!(rig.jobs(), []);
    assert_eq!(client.store("a.hl7.done", b"").await.code, 226);
    let [job] = &rig.jobs()[..] else { panic!("one job") };
    assert!(payload(&rig.store, job) == content);

    ask_for(&rig.directory, "rename");
    assert_eq!(client.store("b.hl7", b"MSH|").await.code, 226);
    assert_eq!(client.upload("APPE b.hl7", b"more").await.code, 226);
    assert_eq!(client.command("RNFR b.hl7").await.code, 350);
    assert_eq!(client.command("RNTO c.hl7").await.code, 250);
    assert_eq!(payload(&rig.store, &rig.jobs()[1]), b"MSH|more");
}

#[tokio::test]
async fn nothing_is_gone_on_with_that_is_not_there() {
    let rig = rig().await;
    let mut client = break_off(&rig, "a.hl7", &content()[..PART]).await;
    let mut other = Client::login(rig.address, "beta").await;
    assert_eq!(other.command("SIZE a.hl7").await.code, 550);
    for (client, offset) in [(&mut other, 1_000), (&mut client, PART + 1)] {
        assert_eq!(restart(client, offset, b"the rest").await, 550);
    }
    assert_eq!(client.command("DELE a.hl7").await.code, 250);
    assert_eq!(client.command("SIZE a.hl7").await.code, 550);
    assert_eq!(rig.jobs(), []);
}

#[tokio::test]
async fn what_broke_off_twice_is_gone_on_with_from_where_it_came_to() {
    let (rig, content) = (rig().await, content());
    let mut client = break_off(&rig, "a.hl7", &content[..100_000]).await;
    let mut data = client.begin("APPE a.hl7").await;
    data.write_all(&content[100_000..PART]).await.unwrap();
    assert_eq!(client.reply().await.code, 426);
    assert_eq!(client.upload("APPE a.hl7", &content[PART..]).await.code, 226);
    assert!(payload(&rig.store, &rig.jobs()[0]) == content);
}
