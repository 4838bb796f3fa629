//! Opens what the server consists of, in order: store, organizations, listeners, control socket.
//!
//! Invariant: whatever can't be opened stops the start with words that say what to do, before
//! anybody is answered.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, Utc};
use tidegate_domain::SystemClock;
use tidegate_domain::job::Protocol;
use tidegate_ingest::accounts::Directory;
use tidegate_ingest::config::{FtpConfig, SftpConfig};
use tidegate_ingest::folder::Trouble;
use tidegate_ingest::ftp::FtpListeners;
use tidegate_ingest::sftp::HostKeys;
use tidegate_ingest::tls::ServerTls;
use tidegate_store::{Options, Recovery, Store};
use tidegate_web::api::Listener;
use tidegate_web::config::{MetricsConfig, PortalMode};
use tidegate_web::control::{ControlSocket, SocketError};
use tidegate_worker::Targets;
use tokio::net::TcpListener;

use super::open_failure;
use crate::config::{Config, Loaded};
use crate::environment::foreign_owner;
use crate::failure::Failure;

/// Everything that is open before anything runs.
pub(super) struct Parts {
    pub(super) loaded: Loaded,
    pub(super) store: Store,
    /// When the newest job came that there was before the start.
    pub(super) newest_job_at: Option<DateTime<Utc>>,
    pub(super) directory: Arc<Directory>,
    pub(super) targets: Targets,
    pub(super) tls: Option<Arc<ServerTls>>,
    pub(super) ftp: Option<FtpListeners>,
    pub(super) sftp: Option<(TcpListener, HostKeys)>,
    /// What is wrong with each watched folder, in the order of the configuration.
    pub(super) folder_trouble: Vec<Arc<Trouble>>,
    pub(super) web: Option<WebParts>,
    pub(super) metrics: Option<TcpListener>,
    pub(super) control: ControlSocket,
}

/// Where browsers ask, and what it proves itself with.
pub(super) struct WebParts {
    pub(super) listener: TcpListener,
    pub(super) tls: Option<Arc<ServerTls>>,
    pub(super) portal: PortalMode,
}

impl Parts {
    pub(super) async fn open(loaded: Loaded) -> Result<Self, Failure> {
        let (store, recovery) = open_store(&loaded).await?;
        store.set_calendar(loaded.calendar.clone());
        let directory = Arc::new(open_directory(&loaded)?);
        let targets = open_targets(&loaded)?;
        let tls = open_tls(&loaded)?;
        let ftp = open_ftp(&loaded.config).await?;
        let sftp = open_sftp(loaded.config.sftp.as_ref()).await?;
        let web = open_web(&loaded).await?;
        let metrics = open_metrics(loaded.config.metrics.as_ref()).await?;
        let control = ControlSocket::bind(&loaded.control_socket()).map_err(socket_failure)?;
        let folder_trouble = loaded.config.folder.iter().map(|_| Arc::default()).collect();
        Ok(Self {
            loaded,
            store,
            newest_job_at: recovery.newest_job_at,
            directory,
            targets,
            tls,
            ftp,
            sftp,
            folder_trouble,
            web,
            metrics,
            control,
        })
    }

    /// Where the server listens, as bound.
    pub(super) fn listeners(&self) -> Vec<Listener> {
        let ftp = self.ftp.as_ref();
        let doors = [
            ("ftp", ftp.map(|ftp| &ftp.explicit)),
            ("ftps", ftp.and_then(|ftp| ftp.implicit.as_ref())),
            ("sftp", self.sftp.as_ref().map(|(listener, _)| listener)),
            ("web", self.web.as_ref().map(|web| &web.listener)),
            ("metrics", self.metrics.as_ref()),
        ];
        let bound =
            doors.into_iter().filter_map(|(protocol, door)| Some((protocol, door?.local_addr().ok()?)));
        let bound = bound.map(|(protocol, address)| (protocol.to_owned(), address.to_string()));
        let folders = self.loaded.config.folder.iter();
        let folders = folders.map(|folder| (Protocol::Folder.to_string(), folder.path.display().to_string()));
        bound.chain(folders).map(|(protocol, address)| Listener { protocol, address }).collect()
    }
}

async fn open_store(loaded: &Loaded) -> Result<(Store, Recovery), Failure> {
    let data_dir = loaded.config.data_dir.clone();
    if let Some(finding) = foreign_owner(&data_dir) {
        return Err(anyhow!("{}\n{}", finding.what, finding.advice.unwrap_or_default()).into());
    }
    let options = Options { free_bytes_min: loaded.config.limits.free_bytes_min.0, ..Options::default() };
    let opened = tokio::task::spawn_blocking(move || Store::open(&data_dir, options, Arc::new(SystemClock)));
    let (store, recovery) = opened.await.context("while opening the store")?.map_err(open_failure)?;
    tell(&recovery);
    Ok((store, recovery))
}

fn tell(recovery: &Recovery) {
    if recovery.journal_holes > 0 {
        tracing::error!(
            holes = recovery.journal_holes,
            "the journal is damaged: acknowledged changes may be missing; keep a copy of the data directory"
        );
    }
    tracing::info!(
        index_rebuilt = recovery.index_rebuilt,
        changes_replayed = recovery.changes_replayed,
        jobs_interrupted = recovery.jobs_interrupted,
        strays_removed = recovery.strays_removed,
        "store opened"
    );
}

fn open_directory(loaded: &Loaded) -> Result<Directory, Failure> {
    Directory::open(loaded.orgs_dir()).map_err(|problems| Failure::Configuration(problems.to_string()))
}

async fn open_sftp(config: Option<&SftpConfig>) -> Result<Option<(TcpListener, HostKeys)>, Failure> {
    let Some(config) = config else { return Ok(None) };
    let host_keys = HostKeys::load(&config.host_keys)
        .map_err(|error| Failure::Configuration(format!("sftp.host_keys: {error}")))?;
    Ok(Some((listen("sftp", config.listen).await?, host_keys)))
}

async fn open_web(loaded: &Loaded) -> Result<Option<WebParts>, Failure> {
    let Some(web) = &loaded.config.web else { return Ok(None) };
    let opened = web.tls_files(loaded.config.ftp.as_ref()).map(ServerTls::open).transpose();
    let tls = opened.map_err(|settings| Failure::Configuration(loaded.problems_of("web", settings)))?;
    let listener = listen("web", web.listen).await?;
    Ok(Some(WebParts { listener, tls: tls.map(Arc::new), portal: web.portal }))
}

async fn open_metrics(config: Option<&MetricsConfig>) -> Result<Option<TcpListener>, Failure> {
    match config {
        Some(config) => listen("metrics", config.listen).await.map(Some),
        None => Ok(None),
    }
}

fn open_targets(loaded: &Loaded) -> Result<Targets, Failure> {
    let targets = Targets::open(&loaded.config.delivery, &loaded.config.data_dir);
    Ok(targets.context("while opening the target for delivered messages")?)
}

/// What the doors prove themselves with.
fn open_tls(loaded: &Loaded) -> Result<Option<Arc<ServerTls>>, Failure> {
    let files = loaded.config.ftp.as_ref().and_then(FtpConfig::tls_files);
    let opened = files.map(ServerTls::open).transpose();
    let tls = opened.map_err(|settings| Failure::Configuration(loaded.problems_of("ftp", settings)))?;
    Ok(tls.map(Arc::new))
}

async fn open_ftp(config: &Config) -> Result<Option<FtpListeners>, Failure> {
    let Some(ftp) = &config.ftp else { return Ok(None) };
    let explicit = listen("ftp", ftp.listen).await?;
    let implicit = match &config.ftps_implicit {
        Some(implicit) => Some(listen("ftps_implicit", implicit.listen).await?),
        None => None,
    };
    Ok(Some(FtpListeners { explicit, implicit }))
}

async fn listen(section: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            std::io::ErrorKind::AddrInUse => "Another program listens there: stop it, or change the address",
            std::io::ErrorKind::PermissionDenied => {
                "Ports below 1024 need the right CAP_NET_BIND_SERVICE: grant it, or use a higher port"
            }
            _ => "Is it an address of this host?",
        };
        anyhow!("can't listen on {address} ({section}.listen): {error}\n{advice}").into()
    })
}

fn socket_failure(error: SocketError) -> Failure {
    match error {
        SocketError::InUse(_) => Failure::Locked(error.to_string()),
        other => anyhow::Error::new(other).context("while opening the control socket").into(),
    }
}
