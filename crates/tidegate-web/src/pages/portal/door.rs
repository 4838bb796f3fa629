//! Who may come in, and whether the portal is open.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tidegate_domain::job::Protocol;
use tidegate_domain::maintenance::{GateState, UNAVAILABLE};
use tidegate_ingest::accounts::LoginRefused;
use tidegate_ingest::session::{ControlLink, Session, SessionUser};
use tidegate_ingest::storage::InboxStorage;
use tidegate_ingest::{Intake, TurnedAway};
use zeroize::Zeroizing;

use super::{COOKIE, html};
use crate::api::GateView;
use crate::config::PortalMode;
use crate::control::Control;
use crate::pages::Names;
use crate::pages::refusal::Refusal;
use crate::pages::session::{Rules, Secret, Sessions};

/// When to come again if nobody knows when the gate opens, in seconds.
const RETRY_AFTER_S: u64 = 15 * 60;

/// The portal.
pub(in crate::pages) struct Door {
    pub(super) control: Control,
    pub(super) names: Names,
    pub(super) sessions: Arc<Sessions<Visitor>>,
    intake: Arc<Intake>,
    mode: PortalMode,
}

/// A sender who has logged in.
pub(super) struct Visitor {
    pub(super) storage: InboxStorage,
    pub(super) user: SessionUser,
    session: Arc<Session>,
}

/// Why a login was refused.
pub(super) enum Refused {
    /// There is no place for one more, or its address is turned away.
    Away(TurnedAway),
    /// What was said is wrong. Nobody hears what.
    Wrong,
}

impl Door {
    pub(super) fn new(
        control: Control,
        intake: Arc<Intake>,
        names: Names,
        mode: PortalMode,
        rules: Rules,
    ) -> Self {
        Self { control, names, sessions: Sessions::new(rules), intake, mode }
    }

    /// Checks a password as at every other door.
    pub(super) async fn log_in(
        &self,
        peer: SocketAddr,
        account: &str,
        password: Zeroizing<String>,
    ) -> Result<Visitor, Refused> {
        let session =
            self.intake.admit(Protocol::Web, peer, ControlLink::detached()).map_err(Refused::Away)?;
        let session = Arc::new(session);
        match self.intake.log_in(&session, account, password, None).await {
            Ok(user) => {
                let storage = InboxStorage::new(Arc::clone(&self.intake), Arc::clone(&session));
                Ok(Visitor { storage, user, session })
            }
            Err(LoginRefused::TooManySessions) => Err(Refused::Away(TurnedAway::Full)),
            Err(LoginRefused::Banned) => Err(Refused::Away(TurnedAway::Banned)),
            Err(_) => Err(Refused::Wrong),
        }
    }

    /// The gate of an organization, or of everyone, if the portal is shut by it.
    fn shut_by(&self, gate: GateView) -> Option<GateView> {
        let is_shut =
            self.mode == PortalMode::UnavailableInMaintenance && gate.gate.state == GateState::Closed;
        is_shut.then_some(gate)
    }
}

/// What ends with the browser's session ends at the door, too.
impl Drop for Visitor {
    fn drop(&mut self) {
        self.session.end();
    }
}

/// Shuts the portal during maintenance, where it is to be shut.
pub(super) async fn unless_unavailable(
    State(door): State<Arc<Door>>,
    request: Request,
    next: Next,
) -> Response {
    match door.shut_by(door.control.gate(None)) {
        Some(gate) => unavailable(&gate).into_response(),
        None => next.run(request).await,
    }
}

fn unavailable(gate: &GateView) -> Refusal {
    let left = gate.gate.until.map(|until| (until - gate.at).num_seconds().max(1));
    let seconds = left.and_then(|left| u64::try_from(left).ok()).unwrap_or(RETRY_AFTER_S);
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE).retry_after(seconds)
}

/// The sender whose session a request belongs to.
pub(super) struct Inside {
    pub(super) visitor: Arc<Visitor>,
    pub(super) form_key: Secret,
}

impl FromRequestParts<Arc<Door>> for Inside {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Response> {
        let Some((found, name)) = door.sessions.of(COOKIE, &parts.headers) else {
            return Err(html::login(&door.names, None).into_response());
        };
        let visitor = found.who;
        // The account may have been shut out since it logged in.
        if door.intake.still_admits(&visitor.session, visitor.user.login()).is_err() {
            door.sessions.end(&name);
            return Err(html::login(&door.names, None).into_response());
        }
        if let Some(gate) = door.shut_by(door.control.gate(Some(visitor.user.org()))) {
            return Err(unavailable(&gate).into_response());
        }
        Ok(Self { visitor, form_key: found.form_key })
    }
}
