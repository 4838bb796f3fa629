//! A door with a store behind it, in a directory of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tidegate_domain::SystemClock;
use tidegate_domain::job::Job;
use tidegate_domain::units::HumanDuration;
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::{Directory, PasswordHashing};
use tidegate_ingest::audit::Audit;
use tidegate_ingest::config::{AuthConfig, FtpConfig, LimitsConfig, PortRange, Tls, UploadsConfig};
use tidegate_ingest::ftp::{FtpDoor, FtpListeners, run};
use tidegate_ingest::tls::{ServerTls, TlsFiles};
use tidegate_store::{Filter, Options, Store};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(crate) const PASSWORD: &str = "correct horse";

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
        let folder = tempfile::tempdir().unwrap();
        let orgs = folder.path().join("orgs.d");
        std::fs::create_dir(&orgs).unwrap();
        write_org(&orgs, "ACME01", "acme", "");
        write_org(&orgs, "BETA02", "beta", "");
        write_org(&orgs, "GONE03", "gone", "disabled = true");
        write_org(&orgs, "FAR04", "far", "allow_from = ['192.0.2.0/24']");
        let directory = Arc::new(Directory::open(&orgs).unwrap());
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let (store, _) = Store::open(&data, setup.store, Arc::new(SystemClock)).unwrap();
        let auth = AuthConfig { refusal_delay: HumanDuration(Duration::ZERO), ..setup.auth };
        let uploads = UploadsConfig::default();
        let intake =
            Intake::new(store.clone(), Arc::clone(&directory), setup.limits, &auth, &uploads).unwrap();
        let audit = Audit::open(&folder.path().join("audit.log"), Arc::new(SystemClock)).unwrap();
        let intake = Arc::new(intake.audited(audit));
        let config = FtpConfig {
            engine: crate::ENGINE,
            tls: if setup.tls.is_some() { Tls::Required } else { Tls::Off },
            passive_ports: PortRange::ANY,
            ..FtpConfig::default()
        };
        let announcement = setup.announcement;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let implicit_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let implicit = implicit_listener.local_addr().unwrap();
        let listeners = FtpListeners { explicit: listener, implicit: Some(implicit_listener) };
        let tls = setup.tls.map(|files| Arc::new(ServerTls::open(files).unwrap()));
        let (stop, stopped) = oneshot::channel();
        let door = FtpDoor {
            config,
            tls: tls.clone(),
            intake: Arc::clone(&intake),
            announcement: Arc::new(move || announcement.clone()),
            grace: Duration::from_secs(30),
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

/// All jobs, the oldest first.
pub(crate) fn jobs(store: &Store) -> Vec<Job> {
    let mut jobs = store.list(&Filter { limit: 100, ..Filter::default() }).unwrap();
    jobs.reverse();
    jobs
}

/// The bytes that a job was made of.
pub(crate) fn payload(store: &Store, job: &Job) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut store.open_payload(job).unwrap(), &mut bytes).unwrap();
    bytes
}

fn write_org(folder: &Path, code: &str, account: &str, more: &str) {
    let hash = PasswordHashing::new(&AuthConfig::default()).unwrap().hash(PASSWORD).unwrap();
    let text =
        format!("code = '{code}'\n[[account]]\nname = '{account}'\npassword_hash = '{hash}'\n{more}\n");
    std::fs::write(folder.join(format!("{code}.toml")), text).unwrap();
}
