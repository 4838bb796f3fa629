use crate::client::Client;
use crate::rig::Rig;

#[tokio::test]
async fn this_engine_does_not_go_on_with_uploads() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7.part", b"MSH").await.code, 226);
    assert_eq!(client.command("REST 2").await.code, 502);
    assert_eq!(client.upload("APPE a.hl7.part", b"more").await.code, 550);
}
