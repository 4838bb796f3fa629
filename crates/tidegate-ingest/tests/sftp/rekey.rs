use std::sync::Arc;

use crate::client::{Client, NEW, pattern};
use crate::rig::{Rig, payload};

/// Keys are exchanged anew in the middle of pipelined writes, whose replies have to wait for it.
#[tokio::test]
async fn keys_exchanged_under_load_hold_nothing_up() {
    const PIECE_BYTES: usize = 32 << 10;
    let rig = Rig::start().await;
    let client = Arc::new(Client::login(rig.address, "acme").await);
    let handle = client.open("a.hl7", NEW).await.unwrap();
    let bytes = pattern(8 << 20);
    let mut writes = tokio::task::JoinSet::new();
    for (number, piece) in bytes.chunks(PIECE_BYTES).enumerate() {
        if number % 16 == 15 {
            client.ssh.rekey_soon().await.unwrap();
        }
        let (client, handle, piece) = (Arc::clone(&client), handle.clone(), piece.to_vec());
        let offset = (number * PIECE_BYTES) as u64;
        writes.spawn(async move { client.write(&handle, offset, &piece).await });
        if writes.len() > 64 {
            writes.join_next().await.unwrap().unwrap().unwrap();
        }
    }
    while let Some(written) = writes.join_next().await {
        written.unwrap().unwrap();
    }
    client.close(&handle).await.unwrap();
    let [job] = &rig.jobs()[..] else { panic!("one job") };
    assert!(payload(&rig.store, job) == bytes);
}
