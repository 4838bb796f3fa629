//! The web service: CDC's SOAP service at `/soap`, and the same over plain HTTP at `/hl7`.
//!
//! Invariant: it is one more door. Logins, bans, limits and the audit log are those of the other doors. A message is
//! answered with its acknowledgment only after it was recorded and processed to its end; while the gate is closed the
//! answer is 503 at the level of HTTP, never a fault and never an acknowledgment, and nothing is recorded or passed on.

mod basic;
mod door;
mod hl7;
mod plain;
mod problem;
mod rates;
mod soap;
mod wsdl;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::{get, post};
use bytes::Bytes;
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::Directory;
use tidegate_worker::Calls;
use tokio::time::timeout;

use self::door::{Door, Turned};
use crate::control::Control;

/// Longest message, in bytes: what the door for messages takes of one.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Longest body of a request, in bytes: a message, what XML makes of its line ends, and an envelope.
const BODY_BYTES_MAX: usize = 2 << 20;

/// How long a body may take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// What the service works with.
#[derive(Clone)]
pub struct Service {
    /// The store and the gate.
    pub control: Control,
    /// Who may come in.
    pub intake: Arc<Intake>,
    /// The organizations.
    pub directory: Arc<Directory>,
    /// Where messages go.
    pub calls: Calls,
    /// The service's address for its description, such as `https://registry.example`, where that is not what requests
    /// say in `Host`.
    pub public_url: Option<String>,
    /// Whether connections are encrypted.
    pub is_encrypted: bool,
}

/// `/soap`, `/hl7` and what describes them. Requests must carry the address that they come from as
/// [`axum::extract::ConnectInfo`].
pub fn router(service: Service) -> Router {
    let door = Arc::new(Door::new(service));
    Router::new()
        .route("/soap", get(wsdl::describe).post(soap::answer))
        .route("/hl7", post(hl7::answer))
        .route("/hl7/openapi.json", get(hl7::describe))
        .with_state(door)
}

/// Why a body was not read.
enum Unread {
    TooLong,
    /// It broke off, or took too long.
    Broken,
}

/// A request's place and its body, or why that was not read; but the gate comes first, also if it shut while the body
/// was on its way.
async fn receive(
    door: &Door,
    peer: SocketAddr,
    body: Body,
) -> Result<(Visit, Result<Bytes, Unread>), Turned> {
    let visit = door.visit(peer)?;
    let body = read(body).await;
    door.refuses_everyone().map_or(Ok((visit, body)), |closed| Err(Turned::Closed(closed)))
}

async fn read(body: Body) -> Result<Bytes, Unread> {
    match timeout(BODY_TIME_MAX, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => Err(Unread::TooLong),
        _ => Err(Unread::Broken),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>)
}

/// One request's place among those of its address.
struct Visit {
    peer: SocketAddr,
    _place: door::Place,
}
