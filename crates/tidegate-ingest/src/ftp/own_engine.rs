//! The FTP engine of our own, `tidegate-ftp`, over the backend and the accounts that all doors share.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tidegate_ftp::{Engine, Settings, Tls as Encryption, Visit};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use super::accept::{Entrance, Shared};
use super::greeting::READY;
use crate::config::{FtpConfig, FtpsImplicitConfig, LimitsConfig, Tls};
use crate::session::{Session, SessionAuthenticator};
use crate::storage::InboxStorage;

/// The engine of a door.
pub(super) fn new(config: &FtpConfig, limits: &LimitsConfig) -> Engine {
    Engine::new(Settings {
        ready: READY.to_owned(),
        passive_ports: config.passive_ports.ports(),
        active_mode: config.active,
        idle_max: limits.session_idle_max.0,
        login_max: limits.login_max.0,
        ..Settings::default()
    })
}

/// Speaks FTP with one client until its session ends. Once the service stops, what runs may come to its
/// end within the grace time.
pub(super) async fn serve(
    stream: TcpStream,
    entrance: Entrance,
    shared: &Shared,
    closing: watch::Receiver<bool>,
    session: &Arc<Session>,
) {
    let Some(tls) = encryption(entrance, shared) else {
        return tracing::error!("session refused: it has to be encrypted and there is no certificate");
    };
    let storage = InboxStorage::new(Arc::clone(&shared.intake), Arc::clone(session));
    let visit = Visit {
        digests: Some(Arc::new(storage.clone())),
        remarks: storage.remarks(),
        storage,
        accounts: SessionAuthenticator::new(Arc::clone(&shared.intake), Arc::clone(session)),
        greeting: (shared.announcement)().unwrap_or_default(),
        tls,
        passive_host: passive_host(entrance, &shared.config, shared.implicit.as_ref()),
        closing: closing.clone(),
    };
    let conversation = shared.engine.serve(stream, visit);
    tokio::pin!(conversation);
    let ended = tokio::select! {
        ended = &mut conversation => ended,
        () = grace_over(closing, shared) => {
            tracing::warn!("transfer given up: the service stops");
            session.end();
            conversation.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "session broke off");
    }
}

/// Whether a session is encrypted; `None` if it has to be and can't.
fn encryption(entrance: Entrance, shared: &Shared) -> Option<Encryption> {
    let config = shared.tls.as_ref().map(|tls| tls.current());
    match (entrance, shared.config.tls) {
        (Entrance::Implicit, _) => config.map(Encryption::Implicit),
        (Entrance::Explicit, Tls::Required) => config.map(Encryption::Required),
        (Entrance::Explicit, Tls::Optional) => config.map(Encryption::Optional),
        (Entrance::Explicit, Tls::Off) => Some(Encryption::Off),
    }
}

/// What PASV announces at an entrance.
fn passive_host(
    entrance: Entrance,
    config: &FtpConfig,
    implicit: Option<&FtpsImplicitConfig>,
) -> Option<Ipv4Addr> {
    let own = implicit.filter(|_| entrance == Entrance::Implicit).and_then(|implicit| implicit.passive_host);
    own.or(config.passive_host)
}

async fn grace_over(mut closing: watch::Receiver<bool>, shared: &Shared) {
    // An error means that the accept loop is gone, which is a stop as well.
    let _ = closing.wait_for(|closing| *closing).await;
    sleep(shared.grace).await;
}
