//! What the control API and SIGHUP may ask of the running server.
//!
//! Invariant: a reload takes up what is right and keeps the old where it is not, and says so both in
//! the log and in `status`. The audit log's file is opened anew. Of `tidegate.toml` only `[maintenance]` is taken up while running;
//! whatever else is said otherwise in it is named.

use std::net::IpAddr;
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use tidegate_domain::maintenance::{Calendar, Origin};
use tidegate_domain::{Clock as _, OrgCode, SystemClock};
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::{Ban, Directory};
use tidegate_ingest::folder::Trouble;
use tidegate_ingest::tls::ServerTls;
use tidegate_notices::Ledger;
use tidegate_store::{Beside, Store};
use tidegate_web::api::{BanView, ConfigurationView, Listener, Reloaded};
use tidegate_web::control::{Events, Site};

use crate::config::{self, Loaded};

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
    /// The configuration as it was at the start.
    pub(super) started_with: Loaded,
    /// What came of reading its file last.
    pub(super) last_read: Mutex<LastRead>,
}

/// What came of reading `tidegate.toml`.
#[derive(Debug)]
pub(super) struct LastRead {
    /// When the file was last changed before.
    modified: Option<SystemTime>,
    /// What is wrong with it.
    problems: Vec<String>,
    /// What takes effect when the server is restarted.
    needs_restart: Vec<String>,
}

impl LastRead {
    /// That of the start.
    pub(super) fn at_start(loaded: &Loaded, problems: Vec<String>) -> Self {
        Self { modified: loaded.modified, problems, needs_restart: Vec::new() }
    }
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
    fn last_read(&self) -> MutexGuard<'_, LastRead> {
        self.last_read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file anew, takes up its windows and notes what came of it.
    fn reload_file(&self) {
        let file = &self.started_with.file;
        let modified = config::modified(file);
        let read = config::load(file);
        let needs_restart = match &read {
            Ok(loaded) => config::needs_restart(&self.started_with, loaded),
            // Whatever was so before still is.
            Err(_) => self.last_read().needs_restart.clone(),
        };
        if !needs_restart.is_empty() {
            tracing::warn!(keys = needs_restart.join(", "), "changes that take effect at a restart");
        }
        let problems = match read {
            Ok(loaded) => self.take_up_windows(loaded.calendar),
            Err(problems) => {
                tracing::warn!(%problems, "configuration refused; the old one stays in force");
                problems.lines()
            }
        };
        *self.last_read() = LastRead { modified, problems, needs_restart };
    }

    /// All of them or none; what is wrong with them.
    fn take_up_windows(&self, calendar: Calendar) -> Vec<String> {
        let taken = taken_names(&self.store, &calendar);
        if taken.is_empty() {
            self.store.set_calendar(calendar);
            tracing::info!(windows = self.windows(), "maintenance windows taken up");
        } else {
            tracing::warn!(problems = taken.join("; "), "windows refused; the old ones stay in force");
        }
        taken
    }

    /// Windows of the file that are in force.
    fn windows(&self) -> usize {
        let calendar = &self.store.maintenance().calendar;
        let once = calendar.windows.iter().filter(|window| window.origin == Origin::Configuration);
        once.count() + calendar.recurring.len()
    }
}

impl Site for RunningSite {
    fn listeners(&self) -> Vec<Listener> {
        self.listeners.clone()
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = self.last_read().problems.clone();
        problems.extend(self.directory.problems().iter().map(ToString::to_string));
        problems.extend(self.tls.iter().flat_map(|tls| tls.problems("ftp")));
        problems.extend(self.web_tls.iter().flat_map(|tls| tls.problems("web")));
        problems.extend(self.folder_trouble.iter().flat_map(|trouble| trouble.lines()));
        problems.extend(self.intake.audit().trouble());
        problems
    }

    fn configuration(&self) -> ConfigurationView {
        let last = self.last_read();
        let changed_since_read = config::modified(&self.started_with.file) != last.modified;
        ConfigurationView { changed_since_read, needs_restart: last.needs_restart.clone() }
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
        self.reload_file();
        Reloaded {
            organizations: self.directory.current().iter().count(),
            windows: self.windows(),
            problems: self.problems(),
            needs_restart: self.last_read().needs_restart.clone(),
        }
    }
}

fn ban_view(ban: Ban) -> BanView {
    BanView { address: ban.address(), until: SystemClock.now() + ban.remaining, times: ban.times }
}
