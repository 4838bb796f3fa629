//! What the control API and SIGHUP may ask of the running server.
//!
//! Invariant: a reload takes up what is right and keeps the old where it is not, and says so both in
//! the log and in `status`. The audit log's file is opened anew. Of `tidegate.toml` only `[maintenance]` is taken up while running.

use std::net::IpAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tidegate_domain::maintenance::{Calendar, MaintenanceConfig, Origin};
use tidegate_domain::{Clock as _, OrgCode, SystemClock};
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::{Ban, Directory};
use tidegate_ingest::folder::Trouble;
use tidegate_ingest::tls::ServerTls;
use tidegate_notices::Ledger;
use tidegate_store::{Beside, Store};
use tidegate_web::api::{BanView, Listener, Reloaded};
use tidegate_web::control::{Events, Site};

use crate::config::{self, Config, Loaded};

/// The parts of the server that can be asked.
pub(super) struct RunningSite {
    pub(super) store: Store,
    pub(super) directory: Arc<Directory>,
    pub(super) tls: Option<Arc<ServerTls>>,
    pub(super) web_tls: Option<Arc<ServerTls>>,
    /// What is wrong with the watched folders.
    pub(super) folder_trouble: Vec<Arc<Trouble>>,
    pub(super) intake: Arc<Intake>,
    pub(super) listeners: Vec<Listener>,
    /// What belongs to a backup beside the store.
    pub(super) beside_store: Vec<Beside>,
    /// The configuration file.
    pub(super) file: PathBuf,
    /// What stood in it at the start.
    pub(super) started_with: Config,
    /// What is wrong with it since it was last read.
    pub(super) configuration: Mutex<Vec<String>>,
}

/// What belongs to a backup beside the store: messages that nobody fetched yet, where they lie below the
/// data directory, who was told of what, and the configuration with its organizations.
pub(crate) fn beside_store(loaded: &Loaded) -> Vec<Beside> {
    let data_dir = &loaded.config.data_dir;
    let is_below = |below: &Path| below.components().all(|part| matches!(part, Component::Normal(_)));
    let delivered = loaded.config.delivery.directory(data_dir).and_then(|from| {
        let to = from.strip_prefix(data_dir).ok().filter(|to| is_below(to) && !to.as_os_str().is_empty())?;
        Some(Beside { to: to.to_owned(), from })
    });
    let notices = Beside { to: Ledger::FILE.into(), from: data_dir.join(Ledger::FILE) };
    let configuration = [(loaded.file.clone(), "config/tidegate.toml"), (loaded.orgs_dir(), "config/orgs.d")];
    let configuration = configuration.into_iter().map(|(from, to)| Beside { from, to: to.into() });
    let staff = loaded.staff();
    let staff =
        staff.path().is_dir().then(|| Beside { from: staff.path().to_owned(), to: "config/staff.d".into() });
    configuration.chain(staff).chain(host_keys(loaded)).chain(delivered).chain([notices]).collect()
}

/// With other host keys every sender's client would refuse to connect.
fn host_keys(loaded: &Loaded) -> impl Iterator<Item = Beside> {
    let paths = loaded.config.sftp.iter().flat_map(|sftp| &sftp.host_keys);
    paths.filter_map(|path| {
        Some(Beside { from: path.clone(), to: Path::new("config").join(path.file_name()?) })
    })
}

/// Windows of the configuration that are called as one that staff announced. By its name staff end, extend or skip a
/// window, and would do it to both.
pub(super) fn taken_names(store: &Store, configured: &Calendar) -> Vec<String> {
    let all = &store.maintenance().calendar.windows;
    let by_staff = all.iter().filter(|window| matches!(window.origin, Origin::Staff { .. }));
    let names = by_staff.map(|window| window.name.as_str());
    let taken = names.filter(|name| configured.has_window(name)).map(|name| {
        format!("maintenance.window: staff have announced a window {name:?}, too: give this one another name")
    });
    taken.collect()
}

impl RunningSite {
    /// Takes up the maintenance windows anew; what is wrong with the file.
    fn reload_windows(&self) -> Vec<String> {
        match config::load(&self.file) {
            Ok(loaded) => {
                let taken = taken_names(&self.store, &loaded.calendar);
                if !taken.is_empty() {
                    tracing::warn!(
                        problems = taken.join("; "),
                        "windows refused; the old ones stay in force"
                    );
                    return taken;
                }
                tracing::info!(windows = loaded.calendar.windows.len(), "maintenance windows taken up");
                self.store.set_calendar(loaded.calendar);
                if !self.same_but_for_windows(&loaded.config) {
                    tracing::warn!("changes outside [maintenance] take effect when the server is restarted");
                }
                Vec::new()
            }
            Err(problems) => {
                tracing::warn!(%problems, "configuration refused; the old one stays in force");
                problems.lines()
            }
        }
    }
}

impl RunningSite {
    fn same_but_for_windows(&self, config: &Config) -> bool {
        let without =
            |config: &Config| Config { maintenance: MaintenanceConfig::default(), ..config.clone() };
        without(config) == without(&self.started_with)
    }
}

impl Site for RunningSite {
    fn listeners(&self) -> Vec<Listener> {
        self.listeners.clone()
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = self.configuration.lock().unwrap_or_else(PoisonError::into_inner).clone();
        problems.extend(self.directory.problems().iter().map(ToString::to_string));
        problems.extend(self.tls.iter().flat_map(|tls| tls.problems("ftp")));
        problems.extend(self.web_tls.iter().flat_map(|tls| tls.problems("web")));
        problems.extend(self.folder_trouble.iter().flat_map(|trouble| trouble.lines()));
        problems.extend(self.intake.audit().trouble());
        problems
    }

    fn organizations(&self) -> Vec<OrgCode> {
        self.directory.current().iter().map(|organization| organization.code.clone()).collect()
    }

    fn beside_store(&self) -> Vec<Beside> {
        self.beside_store.clone()
    }

    fn bans(&self) -> Vec<BanView> {
        self.intake.bans().list().into_iter().map(ban_view).collect()
    }

    fn lift_bans(&self, address: Option<IpAddr>, actor: &str) -> Vec<BanView> {
        self.intake.bans().lift(address, actor).into_iter().map(ban_view).collect()
    }

    fn sessions(&self) -> usize {
        self.intake.sessions()
    }

    fn events(&self) -> Vec<Events> {
        let counts = self.intake.audit().tally().counts();
        counts.into_iter().map(|(protocol, event, count)| Events { protocol, event, count }).collect()
    }

    fn certificate_expires_at(&self) -> Option<DateTime<Utc>> {
        self.tls.iter().chain(&self.web_tls).map(|tls| tls.expires_at().into()).min()
    }

    fn reload(&self) -> Reloaded {
        self.intake.audit().reopen();
        self.directory.reload();
        for tls in self.tls.iter().chain(&self.web_tls) {
            tls.reload();
        }
        let problems = self.reload_windows();
        *self.configuration.lock().unwrap_or_else(PoisonError::into_inner) = problems;
        Reloaded { organizations: self.directory.current().iter().count(), problems: self.problems() }
    }
}

fn ban_view(ban: Ban) -> BanView {
    BanView { address: ban.address(), until: SystemClock.now() + ban.remaining, times: ban.times }
}
