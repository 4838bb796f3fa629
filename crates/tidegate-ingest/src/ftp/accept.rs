//! The FTP door and what its sessions share.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tidegate_ftp::Engine;
use tokio::net::{TcpListener, TcpStream};

use super::own_engine;
use super::passive_ports::PassivePorts;
use super::serve::serve;
use crate::accept::accept;
use crate::announcement::Announcement;
use crate::config::{FtpConfig, FtpsImplicitConfig};
use crate::intake::Intake;
use crate::tls::ServerTls;

/// What the door needs to serve.
#[derive(Clone)]
pub struct FtpDoor {
    /// Validated settings; `listen` is not looked at here.
    pub config: FtpConfig,
    /// Validated settings of the implicit entrance; `listen` is not looked at here.
    pub implicit: Option<FtpsImplicitConfig>,
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
    pub(super) implicit: Option<FtpsImplicitConfig>,
    pub(super) tls: Option<Arc<ServerTls>>,
    pub(super) intake: Arc<Intake>,
    pub(super) announcement: Announcement,
    pub(super) grace: Duration,
    pub(super) passive_ports: Arc<PassivePorts>,
    pub(super) engine: Engine,
}

impl From<FtpDoor> for Shared {
    fn from(door: FtpDoor) -> Self {
        let FtpDoor { config, implicit, tls, intake, announcement, grace } = door;
        let engine = own_engine::new(&config, intake.limits());
        Self { config, implicit, tls, intake, announcement, grace, passive_ports: Arc::default(), engine }
    }
}

/// Serves `listeners` until `shutdown`; returns when every session has ended or was given up.
pub async fn run(listeners: FtpListeners, door: FtpDoor, shutdown: impl Future<Output = ()>) {
    let grace = door.grace;
    let shared = Arc::new(Shared::from(door));
    let serve = |stream, entrance, closing| serve(stream, entrance, Arc::clone(&shared), closing);
    accept(async move || listeners.accept().await, grace, shutdown, serve).await;
}

impl FtpListeners {
    async fn accept(&self) -> io::Result<(TcpStream, Entrance)> {
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
        Ok((accepted?.0, entrance))
    }
}
