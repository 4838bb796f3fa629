//! What all doors share: the store, the accounts and the limits.
//!
//! Invariant: a session is let in only while there is a place for it, over all doors together; a
//! place is given back when the last part of its session is gone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_domain::job::Protocol;
use tidegate_store::Store;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::accounts::{Directory, Login, LoginRefused, Logins, PasswordError};
use crate::config::{AuthConfig, LimitsConfig, UploadsConfig};
use crate::session::{ControlLink, Session, SessionUser, SessionsPerOrg};
use crate::storage::TemporaryNames;

/// The part of the intake that does not depend on a protocol.
#[derive(Debug)]
pub struct Intake {
    store: Store,
    logins: Logins,
    limits: LimitsConfig,
    temporary_names: TemporaryNames,
    places: Arc<Semaphore>,
    per_org: SessionsPerOrg,
    last_number: AtomicU64,
}

impl Intake {
    /// Puts the parts together; the settings are validated ones. Blocks for one password hash.
    pub fn new(
        store: Store,
        directory: Arc<Directory>,
        limits: LimitsConfig,
        auth: &AuthConfig,
        uploads: &UploadsConfig,
    ) -> Result<Self, PasswordError> {
        Ok(Self {
            store,
            logins: Logins::new(directory, auth)?,
            temporary_names: TemporaryNames::new(&uploads.temporary_names),
            places: Arc::new(Semaphore::new(limits.sessions_max)),
            per_org: SessionsPerOrg::new(limits.sessions_per_org_max),
            last_number: AtomicU64::new(0),
            limits,
        })
    }

    /// Where uploads go.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What senders may use.
    pub fn limits(&self) -> &LimitsConfig {
        &self.limits
    }

    /// Names that are kept aside.
    pub fn temporary_names(&self) -> &TemporaryNames {
        &self.temporary_names
    }

    /// A session for a new connection; `None` if there is no place for one more.
    pub fn admit(&self, protocol: Protocol, peer: SocketAddr, link: ControlLink) -> Option<Session> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        Some(Session::new(number, protocol, peer, link, place))
    }

    /// Checks a password and finds a place among the organization's sessions.
    pub async fn log_in(
        &self,
        session: &Session,
        account: &str,
        password: Zeroizing<String>,
    ) -> Result<SessionUser, LoginRefused> {
        let checked = self.logins.check(account, password, session.peer().ip()).await;
        let admitted = checked.and_then(|login| match self.per_org.admit(&login.org) {
            Some(permit) => Ok(SessionUser::new(login, permit)),
            None => Err(LoginRefused::TooManySessions),
        });
        let span = session.span();
        match &admitted {
            Ok(user) => {
                span.record("org", user.org().as_str()).record("account", &user.login().account);
                tracing::info!(parent: span, "login accepted");
            }
            Err(reason) => tracing::warn!(parent: span, %reason, "login refused"),
        }
        admitted
    }

    /// Whether a logged-in sender may still submit files: its account may have been shut out since.
    pub fn still_admits(&self, session: &Session, login: &Login) -> Result<(), LoginRefused> {
        self.logins.still_admits(login, session.peer().ip())
    }
}
