//! Writes come as clients send them: several at once, not always in order.

use russh_sftp::protocol::StatusCode;

use crate::client::{Client, NEW, pattern};
use crate::rig::{Rig, payload};

const PIECE_BYTES: usize = 32 << 10;

#[tokio::test]
async fn writes_in_any_order_make_the_same_file() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let bytes = pattern(20 * PIECE_BYTES + 7);
    let handle = client.open("a.hl7", NEW).await.unwrap();
    let mut pieces: Vec<(usize, &[u8])> = bytes.chunks(PIECE_BYTES).enumerate().collect();
    pieces.reverse();
    pieces.swap(3, 11);
    for (number, piece) in pieces {
        client.write(&handle, (number * PIECE_BYTES) as u64, piece).await.unwrap();
    }
    client.close(&handle).await.unwrap();
    let [job] = &rig.jobs()[..] else { panic!("one job") };
    assert!(payload(&rig.store, job) == bytes);
}

#[tokio::test]
async fn a_file_with_a_hole_is_refused_and_ends_the_channel() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let handle = client.open("a.hl7", NEW).await.unwrap();
    client.write(&handle, 0, b"MSH").await.unwrap();
    client.write(&handle, 4, b"PID").await.unwrap();
    assert_eq!(client.close(&handle).await, Err(StatusCode::Failure));
    assert!(client.is_over().await, "a client that does not look at the status must notice");
    assert!(rig.jobs().is_empty());
    let again = Client::over(client.ssh).await;
    again.store("a.hl7", b"MSH").await.unwrap();
}

#[tokio::test]
async fn a_write_that_can_not_be_put_in_its_place_is_refused_at_once() {
    let rig = Rig::start().await;
    let far = 1 << 30;
    for (name, offset, bytes) in [("changes.hl7", 1, &b"X"[..]), ("overlaps.hl7", 2, b"XX")] {
        let client = Client::login(rig.address, "acme").await;
        let handle = client.open(name, NEW).await.unwrap();
        client.write(&handle, 0, b"MSH").await.unwrap();
        assert_eq!(client.write(&handle, offset, bytes).await, Err(StatusCode::Failure), "{name}");
        assert_eq!(client.write(&handle, 3, b"more").await, Err(StatusCode::Failure), "it stays refused");
        assert_eq!(client.close(&handle).await, Err(StatusCode::Failure));
    }
    let client = Client::login(rig.address, "acme").await;
    let handle = client.open("early.hl7", NEW).await.unwrap();
    client.write(&handle, far, b"X").await.unwrap();
    assert_eq!(client.write(&handle, far, b"X").await, Err(StatusCode::Failure), "the same bytes twice");
    assert!(rig.jobs().is_empty());
}

#[tokio::test]
async fn a_write_that_reaches_into_one_that_came_early_is_refused() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let handle = client.open("a.hl7", NEW).await.unwrap();
    client.write(&handle, 4, b"EVN|").await.unwrap();
    assert_eq!(client.write(&handle, 0, b"MSH|^~").await, Err(StatusCode::Failure));
    assert_eq!(client.close(&handle).await, Err(StatusCode::Failure));
    assert!(rig.jobs().is_empty());
}

/// Keeping one costs more than its bytes.
#[tokio::test]
async fn small_writes_that_come_too_early_are_bounded_in_number() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let handle = client.open("a.hl7", NEW).await.unwrap();
    let mut taken = 0;
    while taken <= 4096 && client.write(&handle, 2 * (taken + 1), b"x").await.is_ok() {
        taken += 1;
    }
    assert_eq!(taken, 4096);
}

#[tokio::test]
async fn bytes_that_come_too_early_are_bounded_over_all_handles() {
    let rig = Rig::start().await;
    let client = Client::login(rig.address, "acme").await;
    let (one, other) = (client.open("a", NEW).await.unwrap(), client.open("b", NEW).await.unwrap());
    let piece = vec![b'x'; PIECE_BYTES];
    let mut taken = 0;
    for number in 1.. {
        let handle = if number % 2 == 0 { &one } else { &other };
        if client.write(handle, number * PIECE_BYTES as u64, &piece).await.is_err() {
            break;
        }
        taken += 1;
    }
    assert_eq!(taken, (4 << 20) / PIECE_BYTES);
    let small = client.open("c", NEW).await.unwrap();
    assert!(client.write(&small, 1, b"x").await.is_ok(), "what was refused has given its room back");
}
