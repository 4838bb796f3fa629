//! The FTP engine on libunftp: the only module that names its types.
//!
//! Invariant: libunftp gets a server of its own for each connection, so that backend and
//! authenticator know whose they are, and a logger that discards, because it logs file paths.
//!
//! What no backend can mend in libunftp 0.24, and what this engine therefore does not promise: an
//! upload that a client aborts with ABOR while it keeps its control connection is accepted; a command
//! line may be of any length; replies have fixed texts, so only their codes are ours. Resuming is
//! not offered (a REST offset would survive a failed STOR), neither is active mode.

use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;
use libunftp::ServerBuilder;
use libunftp::notification::{DataEvent, DataListener, EventMeta};
use libunftp::options::{Binder, PassiveHost};
use tokio::net::{TcpSocket, TcpStream};

use super::greeting::READY;
use super::passive_ports::PassivePorts;
use crate::config::FtpConfig;
use crate::intake::Intake;
use crate::session::{Session, SessionAuthenticator};
use crate::storage::InboxStorage;

/// Speaks FTP with one client until its control connection ends.
pub(super) async fn serve(
    stream: TcpStream,
    config: &FtpConfig,
    ports: Arc<PassivePorts>,
    intake: Arc<Intake>,
    session: Arc<Session>,
) -> Result<(), String> {
    let idle_s = intake.limits().session_idle_max.0.as_secs();
    let authenticator = Arc::new(SessionAuthenticator::new(Arc::clone(&intake), Arc::clone(&session)));
    // An offset that REST gave survives a STOR that failed there, and would be taken for the next file's.
    let storage = InboxStorage::new(intake, Arc::clone(&session)).without_resuming();
    let builder = ServerBuilder::<InboxStorage, _>::with_user_detail_provider(
        Box::new(move || storage.clone()),
        Arc::clone(&authenticator) as _,
    );
    let server = builder
        .authenticator(authenticator)
        .greeting(READY)
        .idle_session_timeout(idle_s)
        .passive_ports(config.passive_ports.ports())
        .passive_host(config.passive_host.map_or(PassiveHost::FromConnection, PassiveHost::Ip))
        .binder(Ports(ports))
        .notify_data(Answers(session))
        .logger(slog::Logger::root(slog::Discard, slog::o!()))
        .build()
        .map_err(|error| error.to_string())?;
    server.service(stream).await.map_err(|error| error.to_string())
}

/// Takes passive ports from the door's range.
#[derive(Debug)]
struct Ports(Arc<PassivePorts>);

#[async_trait]
impl Binder for Ports {
    async fn bind(
        &mut self,
        local_addr: IpAddr,
        passive_ports: RangeInclusive<u16>,
    ) -> io::Result<TcpSocket> {
        self.0.bind(local_addr, passive_ports)
    }
}

/// Notes that a success reply is about to be sent: libunftp tells its listeners in the task that
/// writes the replies, right before it writes this one.
#[derive(Debug)]
struct Answers(Arc<Session>);

#[async_trait]
impl DataListener for Answers {
    async fn receive_data_event(&self, event: DataEvent, _meta: EventMeta) {
        if matches!(event, DataEvent::Put { .. } | DataEvent::Renamed { .. }) {
            self.0.activity().answered();
        }
    }
}
