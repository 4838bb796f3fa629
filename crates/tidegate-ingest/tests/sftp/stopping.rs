use russh_sftp::protocol::StatusCode;
use tokio::net::TcpStream;

use crate::client::{Client, NEW};
use crate::rig::{Rig, jobs};

#[tokio::test]
async fn an_upload_open_when_the_service_stops_is_finished_and_acknowledged() {
    let mut rig = Rig::start().await;
    let busy = Client::login(rig.address, "acme").await;
    let idle = Client::login(rig.address, "acme").await;
    let handle = busy.open("a.hl7", NEW).await.unwrap();
    busy.write(&handle, 0, b"MS").await.unwrap();
    rig.signal_stop();
    assert!(idle.is_over().await);
    assert!(TcpStream::connect(rig.address).await.is_err(), "nobody new is let in");
    assert_eq!(busy.open("b.hl7", NEW).await, Err(StatusCode::Failure), "nothing new is begun");
    busy.write(&handle, 2, b"H").await.unwrap();
    busy.close(&handle).await.unwrap();
    assert!(busy.is_over().await);
    let store = rig.stop().await;
    assert_eq!(jobs(&store).len(), 1);
}

#[tokio::test]
async fn a_client_that_says_nothing_does_not_hold_up_the_end() {
    let rig = Rig::start().await;
    let _silent = TcpStream::connect(rig.address).await.unwrap();
    drop(Client::login(rig.address, "acme").await);
    rig.stop().await;
}
