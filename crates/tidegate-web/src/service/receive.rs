//! The body of a request, or why it is not looked at.
//!
//! Invariant: a place comes before the first byte, and the gate before everything else that may be wrong, also if it shut
//! while the body was on its way.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use tokio::time::timeout;

use super::door::Door;
use super::places::Place;
use super::plain::Closed;

/// Longest body of a request, in bytes: a message, what XML makes of its line ends, and an envelope.
pub(super) const BODY_BYTES_MAX: usize = 2 << 20;

/// How long a body may take to arrive.
pub(super) const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// Why a request is not looked at.
pub(super) enum Unread {
    /// The gate is closed for everyone.
    Closed(Closed),
    /// There is too much at once.
    TooMany(&'static str),
    TooLong,
    /// It broke off, or took too long.
    Broken,
}

/// A request's place and its body.
pub(super) async fn receive(door: &Door, peer: SocketAddr, body: Body) -> Result<(Place, Bytes), Unread> {
    let received = async {
        let place = door.place(peer).map_err(Unread::TooMany)?;
        Ok((place, read(body).await?))
    };
    let received = received.await;
    door.refuses_everyone().map_or(received, |closed| Err(Unread::Closed(closed)))
}

async fn read(body: Body) -> Result<Bytes, Unread> {
    match timeout(BODY_TIME_MAX, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => Err(Unread::TooLong),
        _ => Err(Unread::Broken),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    error.source().is_some_and(<dyn Error>::is::<http_body_util::LengthLimitError>)
}
