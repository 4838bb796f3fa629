//! What all doors share: the store, the accounts and the limits.
//!
//! Invariant: a session is let in only while there is a place for it, over all doors together; a
//! place is given back when the last part of its session is gone. Sessions that say nothing never use up
//! the places of those that log in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ipnet::IpNet;
use tidegate_domain::job::Protocol;
use tidegate_domain::{Completion, OrgCode};
use tidegate_store::Store;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::accounts::{
    Bans, Directory, Fingerprint, Login, LoginRefused, Logins, PasswordError, SenderKey, source,
};
use crate::audit::{Audit, Event};
use crate::config::{AuthConfig, LimitsConfig, UploadsConfig};
use crate::session::{ControlLink, Counted, Session, SessionCounts, SessionUser, Waiting};
use crate::storage::TemporaryNames;
use crate::upload_rates::UploadRates;

/// The part of the intake that does not depend on a protocol.
#[derive(Debug)]
pub struct Intake {
    store: Store,
    logins: Logins,
    limits: LimitsConfig,
    temporary_names: TemporaryNames,
    waiting: Waiting,
    places: Arc<Semaphore>,
    per_org: SessionCounts<OrgCode>,
    per_address: SessionCounts<IpNet>,
    upload_rates: UploadRates,
    audit: Audit,
    last_number: AtomicU64,
}

/// What an organization has used up for now, in words for its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsedUp {
    /// `files_waiting_max`.
    #[error("too many of your files wait to be processed; send this one later")]
    FilesWaiting,
    /// `uploads_per_minute_max`.
    #[error("too many uploads within a minute; send this one later")]
    Uploads,
}

/// Why a connection is turned away before anything is said on it, in words for its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnedAway {
    /// Its address is banned.
    #[error("Too many failed logins from your address; try again later")]
    Banned,
    /// There are many from its address already.
    #[error("Too many sessions from your address; try again later")]
    Crowd,
    /// There is no place for one more.
    #[error("Too many sessions; try again later")]
    Full,
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
            waiting: Waiting::new(limits.logins_pending_max),
            places: Arc::new(Semaphore::new(limits.sessions_max)),
            per_org: SessionCounts::default(),
            per_address: SessionCounts::default(),
            upload_rates: UploadRates::default(),
            audit: Audit::default(),
            last_number: AtomicU64::new(0),
            limits,
        })
    }

    /// The same with an audit log.
    #[must_use]
    pub fn audited(self, audit: Audit) -> Self {
        Self { logins: self.logins.audited(audit.clone()), audit, ..self }
    }

    /// Where it is noted who did what.
    pub fn audit(&self) -> &Audit {
        &self.audit
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

    /// Senders that are logged in, over all doors.
    pub fn sessions(&self) -> usize {
        self.limits.sessions_max.saturating_sub(self.places.available_permits())
    }

    /// Addresses that are turned away for a while.
    pub fn bans(&self) -> &Bans {
        self.logins.bans()
    }

    /// A session for a new connection, or why there is none.
    pub fn admit(
        &self,
        protocol: Protocol,
        peer: SocketAddr,
        link: ControlLink,
    ) -> Result<Session, TurnedAway> {
        if self.bans().is_banned(peer.ip()) {
            return Err(TurnedAway::Banned);
        }
        if self.places.available_permits() == 0 {
            return Err(TurnedAway::Full);
        }
        let of_address = self.place_of_address(peer)?;
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        let link = Arc::new(link);
        let place = self.waiting.enter(number, Arc::clone(&link)).ok_or(TurnedAway::Full)?;
        Ok(Session::new(number, protocol, peer, link, place, of_address))
    }

    fn place_of_address(&self, peer: SocketAddr) -> Result<Option<Counted<IpNet>>, TurnedAway> {
        if self.bans().is_exempt(peer.ip()) {
            return Ok(None);
        }
        let place = self.per_address.admit(&source(peer.ip()), self.limits.sessions_per_address_max);
        place.map(Some).ok_or(TurnedAway::Crowd)
    }

    /// Checks a password, and the certificate that the client has shown, and finds a place among the organization's sessions.
    pub async fn log_in(
        &self,
        session: &Session,
        account: &str,
        password: Zeroizing<String>,
        certificate: Option<Fingerprint>,
    ) -> Result<SessionUser, LoginRefused> {
        let _check = session.begin_check();
        let checked = self.logins.check(account, password, certificate, session.peer().ip()).await;
        self.let_in(session, account, checked)
    }

    /// Checks a key that its owner has proved to have, and finds a place among the organization's sessions.
    pub async fn log_in_with_key(
        &self,
        session: &Session,
        account: &str,
        key: &SenderKey,
    ) -> Result<SessionUser, LoginRefused> {
        let _check = session.begin_check();
        let checked = self.logins.check_key(account, key, session.peer().ip()).await;
        self.let_in(session, account, checked)
    }

    /// Whether the account may log in with this key, as far as is known without a proof. A refusal is not noted:
    /// clients offer all keys they have.
    pub fn look_up_key(&self, session: &Session, account: &str, key: &SenderKey) -> Result<(), LoginRefused> {
        self.logins.look_up_key(account, key, session.peer().ip()).map(drop)
    }

    /// Checks a password of staff against `hash`, then `also`. Failures get slower and get their address banned as those
    /// of senders do, and both ends are noted; `name` only where there is such a one.
    pub async fn check_staff(
        &self,
        peer: SocketAddr,
        name: &str,
        password: Zeroizing<String>,
        hash: Option<String>,
        also: impl FnOnce() -> Result<(), LoginRefused>,
    ) -> Result<(), LoginRefused> {
        let known = hash.is_some().then(|| name.to_owned());
        let checked = self.logins.check_hash(name, password, hash, peer.ip(), also).await;
        let address = peer.ip().to_string();
        self.audit.note_defence(match &checked {
            Ok(()) => Event::StaffLogin { staff: name.to_owned(), address },
            Err(reason) => Event::StaffLoginRefused { staff: known, address, reason: reason.to_string() },
        });
        checked
    }

    /// Hashes a new password for an organization's file, at the configured cost. Blocks.
    pub fn hash_password(&self, password: &str) -> Result<String, PasswordError> {
        self.logins.hash(password)
    }

    fn let_in(
        &self,
        session: &Session,
        account: &str,
        checked: Result<Login, LoginRefused>,
    ) -> Result<SessionUser, LoginRefused> {
        let admitted = checked.and_then(|login| self.place(session, login));
        let span = session.span();
        match &admitted {
            Ok(user) => {
                self.audit.note(session, Some(user.login()), Event::Login);
                span.record("org", user.org().as_str()).record("account", &user.login().account);
                tracing::info!(parent: span, "login accepted");
            }
            Err(reason) => self.note_login_refused(session, account, *reason),
        }
        admitted
    }

    /// Notes that a login was refused, with the account only where there is such a one.
    pub(crate) fn note_login_refused(&self, session: &Session, account: &str, reason: LoginRefused) {
        let known = self.logins.named(account);
        self.audit.note(session, known.as_ref(), Event::LoginRefused { reason: reason.to_string() });
        tracing::warn!(parent: session.span(), %reason, "login refused");
    }

    fn place(&self, session: &Session, login: Login) -> Result<SessionUser, LoginRefused> {
        let own_max = self.logins.limits_of(&login.org).sessions_max.unwrap_or(usize::MAX);
        let of_org = self.per_org.admit(&login.org, self.limits.sessions_per_org_max.min(own_max));
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        let (of_org, place) = of_org.zip(place).ok_or(LoginRefused::TooManySessions)?;
        session.take_place(place);
        Ok(SessionUser::new(login, of_org))
    }

    /// Whether a logged-in sender may still submit files: its account may have been shut out since.
    pub fn still_admits(&self, session: &Session, login: &Login) -> Result<(), LoginRefused> {
        self.logins.still_admits(login, session.peer().ip())
    }

    /// Longest upload of an organization, in bytes.
    pub fn upload_bytes_max(&self, org: &OrgCode) -> u64 {
        let own_max = self.logins.limits_of(org).upload_bytes_max.map_or(u64::MAX, |max| max.0);
        self.limits.upload_bytes_max.0.min(own_max)
    }

    /// What submits an organization's uploads.
    pub fn completion(&self, org: &OrgCode) -> Completion {
        self.logins.completion_of(org)
    }

    /// Whether one more file of the organization may wait to be processed.
    pub fn may_wait(&self, org: &OrgCode) -> Result<(), UsedUp> {
        let max = self.logins.limits_of(org).files_waiting_max.unwrap_or(u64::MAX);
        if self.store.files_waiting(org) < max { Ok(()) } else { Err(UsedUp::FilesWaiting) }
    }

    /// Counts an upload that an organization begins, unless it may not.
    pub fn begin_upload(&self, org: &OrgCode) -> Result<(), UsedUp> {
        let max = self.logins.limits_of(org).uploads_per_minute_max;
        let may = max.is_none_or(|max| self.upload_rates.begin(org, max));
        if may { Ok(()) } else { Err(UsedUp::Uploads) }
    }
}
