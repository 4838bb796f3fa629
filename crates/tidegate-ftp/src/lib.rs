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
//! # What a backend is asked
//!
//! - `enter` once, at the login. An error there is a refused login.
//! - `metadata` before a file is fetched, listed, hashed or renamed, and by APPE, which has `put` begin at the length that it
//!   tells, or at 0 where it is [`PermanentFileNotAvailable`]. Times should be as of the last change.
//! - `put` for STOR, APPE and STOU, with the offset of REST, which is offered only if `supported_features` has
//!   [`FEATURE_RESTART`]. It need not read to the end: an error in the meantime is told at once, and what the client still sends is
//!   passed over. Dropping the reader, or the whole future, is no success.
//! - `get_into` for RETR, and `get` for hashes of files that no [`Digests`] knows. Neither is called for directories.
//! - `list` for directories, and `cwd`, `mkd`, `rmd`, `del`, `rename` as their commands say. Paths begin with `/` and have
//!   neither `.` nor `..` in them; they are bytes, and need not be UTF-8.
//!
//! Kinds of errors are replies: [`TransientFileNotAvailable`] 450, [`LocalError`] 451, [`InsufficientStorageSpaceError`] 452,
//! [`ConnectionClosed`] 426, [`PermissionDenied`] and what is [not][`PermanentFileNotAvailable`] available 550,
//! [`ExceededStorageAllocationError`] 552, [`FileNameNotAllowedError`] 553, [`CommandNotImplemented`] 502. An error's own words go
//! to the client, unless they are an [`io::Error`]'s, which tell of the server's insides. [`Remarks`] is for words about a success.
//!
//! # What it promises
//!
//! **Incomplete uploads are errors.** What a backend reads in `put` ends with an end of file only if
//! the client was still there when its data ended and has not sent ABOR. A client that dies closes its
//! data connection as if the file were whole; RFC 959, 4.1.1, makes the loss of the control connection
//! an ABOR, and this engine looks. `226` is sent after `put` returned `Ok`, never before.
//!
//! **Refused logins** all sound alike, but for [`AuthenticationError::ImplPropagated`]: it stands for a login that
//! is right and has to wait. Its words go to the client, with 421, which ends the session.
//!
//! [`FEATURE_RESTART`]: unftp_core::storage::FEATURE_RESTART
//! [`PermanentFileNotAvailable`]: unftp_core::storage::ErrorKind::PermanentFileNotAvailable
//! [`TransientFileNotAvailable`]: unftp_core::storage::ErrorKind::TransientFileNotAvailable
//! [`LocalError`]: unftp_core::storage::ErrorKind::LocalError
//! [`InsufficientStorageSpaceError`]: unftp_core::storage::ErrorKind::InsufficientStorageSpaceError
//! [`ConnectionClosed`]: unftp_core::storage::ErrorKind::ConnectionClosed
//! [`PermissionDenied`]: unftp_core::storage::ErrorKind::PermissionDenied
//! [`ExceededStorageAllocationError`]: unftp_core::storage::ErrorKind::ExceededStorageAllocationError
//! [`FileNameNotAllowedError`]: unftp_core::storage::ErrorKind::FileNameNotAllowedError
//! [`CommandNotImplemented`]: unftp_core::storage::ErrorKind::CommandNotImplemented
//! [`AuthenticationError::ImplPropagated`]: unftp_core::auth::AuthenticationError::ImplPropagated
//!
//! **Encryption** is the caller's choice for each session ([`Tls`]). Where it is demanded, nobody logs in
//! and nothing is transferred without it, whatever order the commands come in. What came in the clear
//! behind AUTH TLS is never obeyed. An encrypted upload that ends without `close_notify` is a read error
//! of kind `UnexpectedEof`: some clients always end so, and a backend may know better whether it is whole.
//!
//! **Everything has a bound**: command lines, the time to log in, to send a command, to take a reply,
//! to open a data connection, to agree on encryption, wrong passwords, what is passed over of a refused upload. How many connections
//! there are is the caller's to bound, who accepts them. How long a running transfer may stall is the backend's
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
