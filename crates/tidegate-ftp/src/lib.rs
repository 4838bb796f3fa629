//! An FTP server engine for any storage and any accounts that speak unftp-core's traits.
//!
//! It knows the protocol (RFC 959, 2228, 2389, 2428, 3659, 4217, and HASH of
//! draft-bryan-ftp-hash-03) and nothing else: where files go is a
//! [`StorageBackend`]'s business, who may log in an [`Authenticator`]'s. The caller accepts connections
//! and hands each to [`Engine::serve`]; the engine keeps no global state, starts no tasks but for
//! hashing a piece of a file, and ends when it is told to.
//!
//! `examples/directory.rs` is a whole server in a hundred lines: a directory, one account, explicit FTPS.
//!
//! **Incomplete uploads are errors.** What a backend reads in `put` ends with an end of file only if
//! the client was still there when its data ended and has not sent ABOR. A client that dies closes its
//! data connection as if the file were whole; RFC 959, 4.1.1, makes the loss of the control connection
//! an ABOR, and this engine looks. `226` is sent after `put` returned `Ok`, never before.
//!
//! **Refused logins** all sound alike, but for [`AuthenticationError::ImplPropagated`]: it stands for a login that
//! is right and has to wait. Its words go to the client, with 421, which ends the session.
//!
//! [`AuthenticationError::ImplPropagated`]: unftp_core::auth::AuthenticationError::ImplPropagated
//!
//! **Encryption** is the caller's choice for each session ([`Tls`]). Where it is demanded, nobody logs in
//! and nothing is transferred without it, whatever order the commands come in. What came in the clear
//! behind AUTH TLS is never obeyed. An encrypted upload that ends without `close_notify` is a read error
//! of kind `UnexpectedEof`: some clients always end so, and a backend may know better whether it is whole.
//!
//! **Everything has a bound**: command lines, the time to log in, to send a command, to take a reply,
//! to open a data connection, to agree on encryption, wrong passwords. How long a running transfer may stall is the backend's
//! to say, who reads and writes.
//!
//! **What is not offered**, on purpose: ASCII conversion (`TYPE A` is accepted and moves bytes as they
//! are, as most servers do), block and compressed mode, record structure, connections to third hosts,
//! hashes that anybody can forge (MD5, SHA-1) and hashes of parts of files.

mod control;
mod data;
mod digest;
mod errand;
mod failure;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod line;
mod link;
mod listing;
mod path;
mod pattern;
mod remarks;
mod reply;
mod session;
mod settings;
mod tls;
mod verb;
mod wire;

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use unftp_core::auth::{Authenticator, UserDetailProvider};
use unftp_core::storage::StorageBackend;

pub use digest::{Digest, Digests};
pub use link::{Link, Seen};
pub use remarks::Remarks;
pub use settings::Settings;
pub use tls::Tls;

use data::PassivePorts;

/// The part that all sessions share.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    ports: Arc<PassivePorts>,
    /// Who hashes a piece of a file.
    hashing: Semaphore,
}

/// Pieces of files that are hashed at once, so that hashing leaves most processors to the rest.
const HASHING_MAX: usize = 2;

/// What one client gets to see.
#[derive(Debug)]
pub struct Visit<S, A: UserDetailProvider> {
    /// Its files.
    pub storage: S,
    /// Its login.
    pub accounts: A,
    /// What is known of its files without reading them, if anything is.
    pub digests: Option<Arc<dyn Digests<A::User>>>,
    /// Lines before the last one of the greeting; may be empty.
    pub greeting: String,
    /// Where the storage leaves words for replies.
    pub remarks: Remarks,
    /// Whether it is encrypted.
    pub tls: Tls,
    /// The address that PASV announces, where clients reach this host by another than its own; it is that of the control
    /// connection if absent.
    pub passive_host: Option<Ipv4Addr>,
    /// Turns true when the service stops: a running transfer may still end, then the session does.
    pub closing: watch::Receiver<bool>,
}

impl Engine {
    /// An engine; ports are bound as they are needed.
    pub fn new(settings: Settings) -> Self {
        let ports = PassivePorts::new(settings.passive_ports.clone());
        Self { settings, ports, hashing: Semaphore::new(HASHING_MAX) }
    }

    /// Speaks FTP with one client until its session ends; when it returns, the connection is closed and
    /// none of its transfers runs any more. An error means that the connection was lost.
    pub async fn serve<S, A>(&self, stream: TcpStream, visit: Visit<S, A>) -> io::Result<()>
    where
        A: Authenticator + UserDetailProvider,
        S: StorageBackend<A::User>,
        S::Metadata: 'static,
    {
        session::run(self, stream, visit).await
    }
}
