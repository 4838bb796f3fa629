//! The accept loop of the FTP door.
//!
//! Invariant: it ends only when it is told to. A failing `accept` (out of file descriptors, say) is
//! waited out, and a session that panics takes nobody along.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tidegate_ftp::Engine;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use super::greeting::Announcement;
use super::own_engine;
use super::passive_ports::PassivePorts;
use super::serve::serve;
use crate::config::FtpConfig;
use crate::intake::Intake;
use crate::tls::ServerTls;

/// How long to wait after a failed `accept`.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long sessions get to close after the grace time.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// What the door needs to serve.
#[derive(Clone)]
pub struct FtpDoor {
    /// Validated settings; `listen` is not looked at here.
    pub config: FtpConfig,
    /// What the door proves itself with.
    pub tls: Option<Arc<ServerTls>>,
    /// The part shared with other doors.
    pub intake: Arc<Intake>,
    /// Asked for each connection.
    pub announcement: Announcement,
    /// How long running uploads may take after the shutdown signal.
    pub grace: Duration,
}

/// Where clients come in.
#[derive(Debug)]
pub struct FtpListeners {
    /// FTP, encrypted once the client has said AUTH TLS.
    pub explicit: TcpListener,
    /// FTP that is encrypted from the first byte on.
    pub implicit: Option<TcpListener>,
}

/// Which listener a client came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entrance {
    Explicit,
    Implicit,
}

/// What the sessions of a door share.
pub(super) struct Shared {
    pub(super) config: FtpConfig,
    pub(super) tls: Option<Arc<ServerTls>>,
    pub(super) intake: Arc<Intake>,
    pub(super) announcement: Announcement,
    pub(super) grace: Duration,
    pub(super) passive_ports: Arc<PassivePorts>,
    pub(super) engine: Engine,
}

impl From<FtpDoor> for Shared {
    fn from(door: FtpDoor) -> Self {
        let FtpDoor { config, tls, intake, announcement, grace } = door;
        let engine = own_engine::new(&config, intake.limits());
        Self { config, tls, intake, announcement, grace, passive_ports: Arc::default(), engine }
    }
}

/// Serves `listeners` until `shutdown`; returns when every session has ended or was given up.
pub async fn run(listeners: FtpListeners, door: FtpDoor, shutdown: impl Future<Output = ()>) {
    let shared = Arc::new(Shared::from(door));
    let (closing, _) = watch::channel(false);
    let mut sessions = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = sessions.join_next() => note(&ended),
            (accepted, entrance) = listeners.accept() => match accepted {
                Ok(stream) => {
                    sessions.spawn(serve(stream, entrance, Arc::clone(&shared), closing.subscribe()));
                }
                Err(error) => {
                    tracing::warn!(%error, "connection not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    drop(listeners);
    closing.send_replace(true);
    let closed = async {
        while let Some(ended) = sessions.join_next().await {
            note(&ended);
        }
    };
    if timeout(shared.grace + CLOSE_MAX, closed).await.is_err() {
        tracing::warn!("sessions given up: they did not end in time");
    }
}

impl FtpListeners {
    async fn accept(&self) -> (io::Result<TcpStream>, Entrance) {
        let implicit = async {
            match &self.implicit {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        let (accepted, entrance) = tokio::select! {
            accepted = self.explicit.accept() => (accepted, Entrance::Explicit),
            accepted = implicit => (accepted, Entrance::Implicit),
        };
        (accepted.map(|(stream, _)| stream), entrance)
    }
}

fn note(ended: &Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "session failed");
    }
}
