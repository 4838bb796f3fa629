use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::rig::{Rig, jobs};

#[tokio::test]
async fn an_upload_that_runs_when_the_service_stops_is_finished_and_acknowledged() {
    let mut rig = Rig::start().await;
    let mut busy = Client::login(rig.address, "acme").await;
    let idle = Client::login(rig.address, "acme").await;
    let mut data = busy.begin("STOR a.hl7").await;
    data.write_all(b"MS").await.unwrap();
    rig.signal_stop();
    idle.closed().await;
    assert!(TcpStream::connect(rig.address).await.is_err(), "nobody new is let in");
    data.write_all(b"H").await.unwrap();
    drop(data);
    assert_eq!(busy.reply().await.code, 226);
    busy.closed().await;
    let store = rig.stop().await;
    assert_eq!(jobs(&store).len(), 1);
}

#[tokio::test]
async fn a_door_without_sessions_stops_at_once() {
    let rig = Rig::start().await;
    rig.stop().await;
}
