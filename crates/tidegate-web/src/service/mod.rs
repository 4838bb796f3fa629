//! The web service: CDC's SOAP service at `/soap`, and the same over plain HTTP at `/hl7`.
//!
//! Invariant: it is one more door. Logins, bans, limits and the audit log are those of the other doors. A message is
//! answered with its acknowledgment only after it was recorded and processed to its end; while the gate is closed the
//! answer is 503 at the level of HTTP, never a fault and never an acknowledgment, and nothing is recorded or passed on.

mod basic;
mod door;
mod hl7;
mod places;
mod plain;
mod problem;
mod rates;
mod receive;
mod soap;
mod wsdl;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::Directory;
use tidegate_worker::Calls;

use self::door::Door;
use crate::control::Control;

/// Longest message, in bytes: what the door for messages takes of one.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

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
