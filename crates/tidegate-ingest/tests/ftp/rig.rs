//! An FTP door with a store behind it, in a directory of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tidegate_domain::job::Job;
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::Directory;
use tidegate_ingest::config::{AuthConfig, FtpConfig, FtpsImplicitConfig, LimitsConfig, PortRange, Tls};
use tidegate_ingest::ftp::{FtpDoor, FtpListeners, run};
use tidegate_ingest::tls::{ServerTls, TlsFiles};
use tidegate_store::{Options, Store};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::site::{self, Site};
pub(crate) use crate::site::{PASSWORD, ask_for, jobs, payload};

/// What a test wants different.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) limits: LimitsConfig,
    pub(crate) auth: AuthConfig,
    pub(crate) store: Options,
    pub(crate) announcement: Option<String>,
    /// What the door proves itself with; without it, nothing is encrypted.
    pub(crate) tls: Option<TlsFiles>,
}

#[allow(dead_code, reason = "libunftp is not encrypted")]
pub(crate) struct Rig {
    folder: TempDir,
    pub(crate) store: Store,
    pub(crate) intake: Arc<Intake>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) address: SocketAddr,
    /// Where TLS is spoken from the first byte on.
    pub(crate) implicit: SocketAddr,
    pub(crate) tls: Option<Arc<ServerTls>>,
    stop: Option<oneshot::Sender<()>>,
    door: JoinHandle<()>,
}

impl Rig {
    /// A door with the organizations `ACME01` (account `acme`) and `BETA02` (account `beta`), and
    /// accounts that are shut out.
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let Setup { limits, auth, store, announcement, tls } = setup;
        let site = Site::new(site::Setup { limits, auth, store, announcement });
        let Site { folder, store, directory, intake, announcement } = site;
        let config = FtpConfig {
            engine: crate::ENGINE,
            tls: if tls.is_some() { Tls::Required } else { Tls::Off },
            passive_ports: PortRange::ANY,
            ..FtpConfig::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let implicit_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let implicit = implicit_listener.local_addr().unwrap();
        let listeners = FtpListeners { explicit: listener, implicit: Some(implicit_listener) };
        let tls = tls.map(|files| Arc::new(ServerTls::open(files).unwrap()));
        let (stop, stopped) = oneshot::channel();
        let (intake_of_door, grace) = (Arc::clone(&intake), Duration::from_secs(30));
        let implicit_config = FtpsImplicitConfig {
            passive_host: Some(Ipv4Addr::new(203, 0, 113, 5)),
            ..FtpsImplicitConfig::default()
        };
        let door = FtpDoor {
            config,
            implicit: Some(implicit_config),
            tls: tls.clone(),
            intake: intake_of_door,
            announcement,
            grace,
        };
        let door = tokio::spawn(run(listeners, door, async move { _ = stopped.await }));
        Self { folder, store, intake, directory, address, implicit, tls, stop: Some(stop), door }
    }

    /// The store's directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The audit log so far, as text.
    pub(crate) async fn audit_log(&self) -> String {
        self.intake.audit().flushed().await;
        std::fs::read_to_string(self.folder.path().join("audit.log")).unwrap()
    }

    pub(crate) fn signal_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Stops the door; afterwards none of its uploads runs, and the store shows what became of them.
    pub(crate) async fn stop(mut self) -> Store {
        if self.stop.is_some() {
            self.signal_stop();
        }
        timeout(Duration::from_mins(1), self.door).await.expect("an end in time").unwrap();
        self.store
    }

    pub(crate) fn jobs(&self) -> Vec<Job> {
        jobs(&self.store)
    }
}
