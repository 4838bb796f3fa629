//! What the control API works on.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tidegate_domain::{Clock, OrgCode};
use tidegate_store::{Beside, Store};
use tidegate_worker::Retention;
use tokio::sync::watch;

use crate::api::{BanView, ConfigurationView, GateView, Listener, Reloaded};

/// What the API needs to know of the rest of the server.
pub trait Site: Send + Sync + 'static {
    /// Where the server listens.
    fn listeners(&self) -> Vec<Listener>;

    /// Configuration files that could not be taken up, for people.
    fn problems(&self) -> Vec<String>;

    /// What stands in `tidegate.toml` and is not in force.
    fn configuration(&self) -> ConfigurationView;

    /// The organizations there are.
    fn organizations(&self) -> Vec<OrgCode>;

    /// What belongs to a backup beside the store: what was delivered and not yet fetched, and the
    /// configuration.
    fn beside_store(&self) -> Vec<Beside>;

    /// Addresses that are banned for failed logins.
    fn bans(&self) -> Vec<BanView>;

    /// Lifts the ban of an address, or every ban, as `actor` wants it; those that stood.
    fn lift_bans(&self, address: Option<IpAddr>, actor: &str) -> Vec<BanView>;

    /// Senders that are logged in.
    fn sessions(&self) -> usize;

    /// What happened at the doors since the start.
    fn events(&self) -> Vec<Events>;

    /// When the certificate of the doors expires, if they have one.
    fn certificate_expires_at(&self) -> Option<DateTime<Utc>>;

    /// Takes up organizations and maintenance windows anew. Reads files; may block.
    fn reload(&self) -> Reloaded;
}

/// How often something happened at a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Events {
    /// Such as `ftp`.
    pub protocol: &'static str,
    /// What happened, in the words of the audit log.
    pub event: &'static str,
    /// How often.
    pub count: u64,
}

/// The store, the clock and the rest of the server; cheap to clone.
#[derive(Clone)]
pub struct Control {
    pub(crate) store: Store,
    pub(super) retention: Retention,
    pub(super) clock: Arc<dyn Clock>,
    pub(crate) site: Arc<dyn Site>,
    /// Held while windows are changed, so that a name is not taken twice.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
    /// Turns true when the server stops.
    pub(super) stop: Arc<watch::Sender<bool>>,
}

impl Control {
    /// An API over these.
    pub fn new(store: Store, retention: Retention, clock: Arc<dyn Clock>, site: Arc<dyn Site>) -> Self {
        Self { store, retention, clock, site, turn: Arc::default(), stop: Arc::default() }
    }

    /// Resolves when the server stops.
    pub(super) async fn stopping(&self) {
        // An error can't be: we hold the sender.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    /// Whether the server stops.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// The zone of the maintenance calendar.
    pub(super) fn zone(&self) -> Option<Tz> {
        self.store.maintenance().calendar.timezone
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The gate now, for one organization or for everyone.
    pub(crate) fn gate(&self, org: Option<&OrgCode>) -> GateView {
        let (now, maintenance) = (self.now(), self.store.maintenance());
        GateView::new(maintenance.gate_now(now, org), now, maintenance.calendar.timezone)
    }
}
