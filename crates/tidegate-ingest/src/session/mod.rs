//! One client's connection, whatever protocol it speaks.
//!
//! Invariant: a session that has ended, or whose control connection is gone, never completes an
//! upload. Nothing here knows about a protocol library.

mod activity;
mod authenticator;
mod control_link;
mod counts;
mod user;
mod waiting;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tidegate_domain::job::Protocol;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tracing::Span;

pub use activity::{Activity, RunningUpload};
pub use authenticator::SessionAuthenticator;
pub use control_link::ControlLink;
pub use counts::{Counted, SessionCounts};
pub use user::SessionUser;
pub use waiting::{Waiting, WaitingPlace};

/// A connection from its acceptance to the end of the last transfer that it started.
#[derive(Debug)]
pub struct Session {
    number: u64,
    protocol: Protocol,
    /// It began as FTP in the clear and went on encrypted.
    is_encrypted: AtomicBool,
    peer: SocketAddr,
    link: Arc<ControlLink>,
    activity: Activity,
    ended: watch::Sender<bool>,
    span: Span,
    /// Held for as long as anything of the session is left.
    place: Mutex<Place>,
    /// Counts against `sessions_per_address_max`.
    _of_address: Option<Counted<IpNet>>,
}

/// What a session counts against.
#[derive(Debug)]
pub enum Place {
    /// `logins_pending_max`.
    Waiting(WaitingPlace),
    /// `sessions_max`.
    LoggedIn(OwnedSemaphorePermit),
}

impl Session {
    /// A session that was let in. `number` tells sessions apart in the log; later ones have higher numbers.
    pub fn new(
        number: u64,
        protocol: Protocol,
        peer: SocketAddr,
        link: Arc<ControlLink>,
        place: WaitingPlace,
        of_address: Option<Counted<IpNet>>,
    ) -> Self {
        let span = tracing::info_span!(
            parent: None,
            "session",
            number,
            protocol = protocol.as_str(),
            %peer,
            org = tracing::field::Empty,
            account = tracing::field::Empty,
        );
        let (ended, _) = watch::channel(false);
        Self {
            number,
            protocol,
            is_encrypted: AtomicBool::new(false),
            peer,
            link,
            activity: Activity::default(),
            ended,
            span,
            place: Mutex::new(Place::Waiting(place)),
            _of_address: of_address,
        }
    }

    /// Its password is being checked until the guard is dropped.
    pub fn begin_check(&self) -> Check<'_> {
        self.set_checked(true);
        Check(self)
    }

    fn set_checked(&self, is_checked: bool) {
        if let Place::Waiting(place) = &*self.place() {
            place.set_checked(is_checked);
        }
    }

    /// It has logged in and takes this place instead of the one that it waited in.
    pub fn take_place(&self, permit: OwnedSemaphorePermit) {
        *self.place() = Place::LoggedIn(permit);
    }

    /// Whether somebody has logged in.
    pub fn is_logged_in(&self) -> bool {
        matches!(*self.place(), Place::LoggedIn(_))
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells sessions apart in the log.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The protocol that the client speaks.
    pub fn protocol(&self) -> Protocol {
        match self.protocol {
            Protocol::Ftp if self.is_encrypted.load(Ordering::Relaxed) => Protocol::Ftps,
            protocol => protocol,
        }
    }

    /// The client has begun to speak TLS.
    pub fn encrypted(&self) {
        self.is_encrypted.store(true, Ordering::Relaxed);
    }

    /// Where the client is.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Its uploads.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Its connection for commands.
    pub fn link(&self) -> &ControlLink {
        &self.link
    }

    /// The log's span of the session.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Whether the client can still read a reply.
    pub fn is_connected(&self) -> bool {
        !*self.ended.borrow() && self.link.is_connected()
    }

    /// Marks the end: the connection is closed and running uploads are given up.
    pub fn end(&self) {
        self.ended.send_replace(true);
        self.link.close();
    }

    /// Resolves once the session was ended.
    pub async fn ended(&self) {
        // The sender lives as long as `self`, so waiting can't fail.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }
}

/// A session whose password is being checked.
#[derive(Debug)]
pub struct Check<'a>(&'a Session);

impl Drop for Check<'_> {
    fn drop(&mut self) {
        self.0.set_checked(false);
    }
}
