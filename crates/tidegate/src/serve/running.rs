//! The server while it runs, and how it stops.
//!
//! Invariant: the store closes last, after everything that uses it, and at the latest when the time
//! for stopping is up. A part that ends by itself ends the server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use chrono_tz::Tz;
use sd_notify::NotifyState;
use tidegate_domain::maintenance::announcement;
use tidegate_domain::{Clock as _, SystemClock};
use tidegate_ingest::accounts::{Directory, OrgEditor, watch as watch_accounts};
use tidegate_ingest::audit::Audit;
use tidegate_ingest::config::{FtpConfig, FtpsImplicitConfig};
use tidegate_ingest::folder::{self, FolderDoor};
use tidegate_ingest::ftp::{self, FtpDoor, FtpListeners};
use tidegate_ingest::sftp::{self, HostKeys, SftpDoor};
use tidegate_ingest::tls::{ServerTls, watch as watch_certificate};
use tidegate_ingest::{Announcement, Intake};
use tidegate_notices::alerts::AlertsConfig;
use tidegate_store::{Abandoned, Store};
use tidegate_web::control::{self, Control, ControlSocket, Site as _};
use tidegate_web::pages::{self, Names, Pages};
use tidegate_web::service::{self, Service};
use tidegate_web::{listener, metrics};
use tidegate_worker::{Calls, Retention, Targets, Worker};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::alerts::Alerts;
use super::manager::{self, Pulse};
use super::parts::{Parts, WebParts};
use super::reports::Reports;
use super::signals::{Signals, Told};
use super::site::{LastRead, RunningSite, beside_store, taken_names};
use crate::config::Loaded;
use crate::failure::Failure;
use crate::render::Screen;

/// How long uploads that run may go on once the server stops.
const UPLOAD_GRACE: Duration = Duration::from_secs(30);

/// How long stopping may take altogether.
const STOP_MAX: Duration = Duration::from_secs(45);

/// How long stopping may take once the store has failed: nothing that runs can come to a good end, but
/// senders and staff are still told so.
const FAILED_STOP_MAX: Duration = Duration::from_secs(3);

/// How long the last entries of the audit log may take.
const AUDIT_MAX: Duration = Duration::from_secs(2);

/// Changes of organization files and of the certificate are looked for at least this often.
const RESCAN: Duration = Duration::from_secs(30);

/// The name of a part that ended, or why it failed.
type Ended = Result<&'static str, anyhow::Error>;

/// The server with all its parts at work.
pub(super) struct Running {
    store: Store,
    site: Arc<RunningSite>,
    ready: String,
    tasks: JoinSet<Ended>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Puts every part to work.
    pub(super) fn start(parts: Parts, mut problems: Vec<String>) -> Result<Self, Failure> {
        // Both close the gate until somebody mends it.
        problems.extend(taken_names(&parts.store, &parts.loaded.calendar));
        let intake = intake(&parts.store, Arc::clone(&parts.directory), &parts.loaded)?;
        let retention = retention(&parts, intake.audit().clone());
        let site = Arc::new(RunningSite {
            store: parts.store.clone(),
            directory: Arc::clone(&parts.directory),
            tls: parts.tls.clone(),
            web_tls: parts.web.as_ref().and_then(|web| web.tls.clone()),
            folder_trouble: parts.folder_trouble.clone(),
            intake: Arc::clone(&intake),
            listeners: parts.listeners(),
            beside_store: beside_store(&parts.loaded),
            last_read: Mutex::new(LastRead::at_start(&parts.loaded, problems)),
            started_with: parts.loaded.clone(),
        });
        let ready = ready_line(&parts);
        let (tasks, stop) = (JoinSet::new(), watch::Sender::new(false));
        let mut running = Self { store: parts.store, site, ready, tasks, stop };
        running.watch_organizations(&parts.directory);
        let (turns, calls) = running.work(&parts.directory, parts.targets, &parts.loaded);
        running.tell_manager(turns, parts.loaded.zone());
        let web_tls = parts.web.as_ref().and_then(|web| web.tls.as_ref());
        for tls in parts.tls.iter().chain(web_tls) {
            running.watch_certificate(tls);
        }
        for (folder, trouble) in parts.loaded.config.folder.iter().zip(&parts.folder_trouble) {
            running.watch_folder(FolderDoor {
                config: folder.clone(),
                intake: Arc::clone(&intake),
                organizations: parts.directory.subscribe(),
                trouble: Arc::clone(trouble),
            });
        }
        if let Some((listeners, config)) = parts.ftp.zip(parts.loaded.config.ftp.clone()) {
            let implicit = parts.loaded.config.ftps_implicit.clone();
            running.open_ftp(listeners, config, implicit, parts.tls, Arc::clone(&intake));
        }
        if let Some((listener, host_keys)) = parts.sftp {
            running.open_sftp(listener, host_keys, Arc::clone(&intake));
        }
        running.tidy(retention.clone());
        if let Some(config) = &parts.loaded.config.alerts {
            running.alert(config);
        }
        if parts.loaded.config.notices.report {
            running.report(Reports::new(running.store.clone(), &parts.loaded));
        }
        let site = Arc::clone(&running.site) as _;
        let clock = Arc::new(SystemClock);
        let control = Control::new(running.store.clone(), retention, clock, site);
        if let Some(web) = parts.web {
            let notices = &parts.loaded.config.notices;
            let names = Names { registry: notices.registry.clone(), channels: parts.loaded.channels() };
            let service = Service {
                control: control.clone(),
                intake: Arc::clone(&intake),
                directory: Arc::clone(&parts.directory),
                calls,
                public_url: parts.loaded.config.web.as_ref().and_then(|web| web.public_url.clone()),
                is_encrypted: web.tls.is_some(),
            };
            let pages = Pages {
                control: control.clone(),
                intake,
                names,
                portal: web.portal,
                directory: Arc::clone(&parts.directory),
                editor: OrgEditor::new(parts.loaded.orgs_dir(), parts.loaded.watched()),
                announcing: parts.loaded.announcing(),
                staff: parts.loaded.staff(),
                audit_log: parts.loaded.audit_log(),
            };
            running.open_web(web, pages, service);
        }
        if let Some(listener) = parts.metrics {
            running.tell_numbers(listener, control.clone());
        }
        running.take_orders(parts.control, control);
        Ok(running)
    }

    /// Tells people, and whoever waits for it, that the server answers.
    pub(super) fn say_ready(&self) -> Result<(), Failure> {
        tracing::info!("ready");
        Screen::print(&self.ready)?;
        manager::tell(&[NotifyState::Ready]);
        Ok(())
    }

    /// Runs until somebody says stop, the store fails, or a part ends by itself; then stops.
    pub(super) async fn until_stopped(mut self, mut signals: Signals) -> Result<(), Failure> {
        let why = self.until_told(&mut signals).await;
        manager::tell(&[NotifyState::Stopping, NotifyState::Status("stopping: waits for what runs")]);
        self.stop.send_replace(true);
        let time = if *self.store.failed().borrow() { FAILED_STOP_MAX } else { STOP_MAX };
        let stopped = tokio::select! {
            stopped = self.drain(time) => stopped,
            () = second(&mut signals) => Err(anyhow!("told twice to stop: did not wait for what was running")),
        };
        // A disk that takes nothing any more is not waited for.
        let _ = tokio::time::timeout(AUDIT_MAX, self.site.intake.audit().flushed()).await;
        self.store.close().await;
        why?;
        stopped?;
        tracing::info!("stopped");
        Ok(())
    }

    async fn until_told(&mut self, signals: &mut Signals) -> Result<(), Failure> {
        let mut failed = self.store.failed();
        loop {
            tokio::select! {
                told = signals.next() => match told {
                    Told::Stop => {
                        tracing::info!("stopping: told by a signal");
                        return Ok(());
                    }
                    Told::Reload => self.reload().await,
                },
                Ok(_) = failed.wait_for(|failed| *failed) => {
                    return Err(anyhow!(
                        "the store failed: nothing more can be promised, so the server ends\n\
                         The log says what failed. What was acknowledged is safe; start the server again"
                    ).into());
                }
                Some(ended) = self.tasks.join_next() => {
                    let part = ended.context("while running")??;
                    return Err(anyhow!("the {part} ended by itself; see the log").into());
                }
            }
        }
    }

    async fn reload(&self) {
        manager::tell_reloading();
        let site = Arc::clone(&self.site);
        if tokio::task::spawn_blocking(move || site.reload()).await.is_err() {
            tracing::error!("reload failed");
        }
        manager::tell(&[NotifyState::Ready]);
    }

    /// Waits for every part to end, one that fails included, but not for ever.
    async fn drain(&mut self, time: Duration) -> Result<(), anyhow::Error> {
        let all = async {
            let mut stopped = Ok(());
            while let Some(ended) = self.tasks.join_next().await {
                let ended = ended.context("while stopping").and_then(|ended| ended.map(drop));
                stopped = stopped.and(ended);
            }
            stopped
        };
        tokio::time::timeout(time, all)
            .await
            .unwrap_or_else(|_| Err(anyhow!("stopping took longer than {} s; gave up", time.as_secs())))
    }

    fn watch_organizations(&mut self, directory: &Arc<Directory>) {
        let (directory, stopping) = (Arc::clone(directory), self.stopping());
        self.tasks.spawn(async move {
            watch_accounts(directory, RESCAN, stopping).await;
            Ok("watch on the organizations")
        });
    }

    fn watch_certificate(&mut self, tls: &Arc<ServerTls>) {
        let (tls, stopping) = (Arc::clone(tls), self.stopping());
        self.tasks.spawn(async move {
            watch_certificate(tls, RESCAN, stopping).await;
            Ok("watch on the certificate")
        });
    }

    fn open_ftp(
        &mut self,
        listeners: FtpListeners,
        config: FtpConfig,
        implicit: Option<FtpsImplicitConfig>,
        tls: Option<Arc<ServerTls>>,
        intake: Arc<Intake>,
    ) {
        let announcement = announce(&self.store);
        let door = FtpDoor { config, implicit, tls, intake, announcement, grace: UPLOAD_GRACE };
        let stopping = self.stopping();
        self.tasks.spawn(async move {
            ftp::run(listeners, door, stopping).await;
            Ok("FTP door")
        });
    }

    fn open_sftp(&mut self, listener: TcpListener, host_keys: HostKeys, intake: Arc<Intake>) {
        let announcement = announce(&self.store);
        let door = SftpDoor { host_keys, intake, announcement, grace: UPLOAD_GRACE };
        let stopping = self.stopping();
        self.tasks.spawn(async move {
            sftp::run(listener, door, stopping).await;
            Ok("SFTP door")
        });
    }

    fn watch_folder(&mut self, door: FolderDoor) {
        let stop = self.stop.subscribe();
        self.tasks.spawn(async move {
            folder::run(door, stop).await;
            Ok("watch on a folder")
        });
    }

    /// What changes with each turn of the worker, and the way in for calls.
    fn work(
        &mut self,
        directory: &Directory,
        targets: Targets,
        loaded: &Loaded,
    ) -> (watch::Receiver<()>, Calls) {
        let clock = Arc::new(SystemClock);
        let worker = Worker::new(
            self.store.clone(),
            directory.subscribe(),
            targets,
            loaded.config.worker.clone(),
            clock,
        )
        .with_tables(loaded.tables.clone());
        let (turns, calls) = (worker.turns(), worker.calls());
        let stopping = self.stopping();
        self.tasks.spawn(async move {
            worker.run(stopping).await?;
            Ok("worker")
        });
        (turns, calls)
    }

    /// Only where the service manager asked to be told.
    fn tell_manager(&mut self, turns: watch::Receiver<()>, zone: Option<Tz>) {
        if !manager::listens() {
            return;
        }
        let pulse = Pulse { store: self.store.clone(), turns, zone };
        let stopping = self.stopping();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stopping => {}
                () = pulse.run() => {}
            }
            Ok("watchdog")
        });
    }

    fn tidy(&mut self, retention: Retention) {
        let stopping = self.stopping();
        self.tasks.spawn(async move {
            retention.run(stopping).await;
            Ok("retention")
        });
    }

    fn alert(&mut self, config: &AlertsConfig) {
        let alerts = Alerts::new(self.store.clone(), Arc::clone(&self.site), config);
        let stopping = self.stopping();
        self.tasks.spawn(async move {
            alerts.run(stopping).await;
            Ok("alerts")
        });
    }

    fn report(&mut self, reports: Reports) {
        let stopping = self.stopping();
        self.tasks.spawn(async move {
            reports.run(stopping).await;
            Ok("reports to staff")
        });
    }

    fn open_web(&mut self, web: WebParts, pages: Pages, service: Service) {
        let router = pages::router(pages).merge(service::router(service));
        let stopping = self.stopping();
        self.tasks.spawn(async move {
            listener::serve(web.listener, web.tls, router, stopping, UPLOAD_GRACE).await;
            Ok("web")
        });
    }

    fn tell_numbers(&mut self, listener: TcpListener, control: Control) {
        let stopping = self.stopping();
        self.tasks.spawn(async move {
            metrics::serve(listener, control, stopping).await.context("while serving metrics")?;
            Ok("metrics")
        });
    }

    fn take_orders(&mut self, socket: ControlSocket, control: Control) {
        let stopping = self.stopping();
        self.tasks.spawn(async move {
            let served = control::serve(socket, control, stopping).await;
            served.context("while serving the control API")?;
            Ok("control API")
        });
    }

    /// Resolves once the server stops.
    fn stopping(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.subscribe();
        async move {
            // An error means that the server is gone, which is a stop as well.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }
}

fn ready_line(parts: &Parts) -> String {
    let mut addresses: Vec<String> =
        parts.listeners().iter().map(|one| format!("{} {}", one.protocol, one.address)).collect();
    addresses.push(format!("control {}", parts.loaded.control_socket().display()));
    format!("tidegate {} ready: {}", env!("CARGO_PKG_VERSION"), addresses.join(", "))
}

fn intake(store: &Store, directory: Arc<Directory>, loaded: &Loaded) -> Result<Arc<Intake>, Failure> {
    let config = &loaded.config;
    let intake = Intake::new(store.clone(), directory, config.limits.clone(), &config.auth, &config.uploads);
    let intake = intake.context("while preparing to check passwords")?;
    let Some(path) = loaded.audit_log() else { return Ok(Arc::new(intake)) };
    let audit = Audit::open(&path, Arc::new(SystemClock)).context("while starting the audit log")?;
    Ok(Arc::new(intake.audited(audit)))
}

fn retention(parts: &Parts, audit: Audit) -> Retention {
    let (terms, clock) = (parts.loaded.config.retention.terms(), Arc::new(SystemClock));
    let note = move |Abandoned { org, size_bytes }: Abandoned| audit.note_abandoned(&org, size_bytes);
    Retention::new(parts.store.clone(), terms, clock, parts.newest_job_at, Box::new(note))
}

/// The running or the next maintenance, for those who connect.
fn announce(store: &Store) -> Announcement {
    let store = store.clone();
    Arc::new(move || {
        let maintenance = store.maintenance();
        announcement(
            SystemClock.now(),
            None,
            &maintenance.calendar,
            &maintenance.overrides,
            &maintenance.holds,
        )
    })
}

/// Resolves when a stop is asked for once more.
async fn second(signals: &mut Signals) {
    while signals.next().await != Told::Stop {}
}
