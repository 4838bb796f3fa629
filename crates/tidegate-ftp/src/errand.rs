//! Transfers: what moves over a data connection, and the reply to it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use unftp_core::auth::UserDetail;
use unftp_core::storage::{Error, ErrorKind, Metadata, StorageBackend};

use crate::data::{Abort, Incoming};
use crate::failure;
use crate::link::Link;
use crate::path::VirtualPath;
use crate::remarks::Remarks;
use crate::reply::Reply;
use crate::wire::{Handshake, Wire};

/// A client that takes nothing of a listing, or of the end of a file, for so long is gone.
const STALL_MAX: Duration = Duration::from_mins(1);

/// How long, and how much in bytes, is taken of an upload that was refused.
const REFUSED_MAX: Duration = Duration::from_secs(10);
const REFUSED_BYTES_MAX: u64 = 64 << 20;

/// What a client wants to be moved.
#[derive(Debug)]
pub(crate) enum Errand {
    /// STOR, from an offset on.
    Store { path: VirtualPath, start: u64 },
    /// STOU: under a name of our own.
    StoreUnique { path: VirtualPath },
    /// APPE: to the end of what is there.
    Append { path: VirtualPath },
    /// RETR, from an offset on.
    Fetch { path: VirtualPath, start: u64 },
    /// LIST, NLST, MLSD: a listing that is ready.
    List { text: Vec<u8> },
}

/// What an errand needs besides.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) data: TcpStream,
    /// How the data are encrypted, if they are.
    pub(crate) handshake: Option<Handshake>,
    pub(crate) control: Arc<Link>,
    pub(crate) remarks: Remarks,
    pub(crate) abort: Abort,
}

impl Errand {
    /// What is said when it begins.
    pub(crate) fn opening(&self) -> Reply {
        match self {
            Self::Store { .. } | Self::Append { .. } => Reply::new(150, "Send the file"),
            // RFC 1123, 4.1.2.9 has it in these words.
            Self::StoreUnique { path } => Reply::new(150, [b"FILE: ".as_slice(), path.name()].concat()),
            Self::Fetch { .. } => Reply::new(150, "Here comes the file"),
            Self::List { .. } => Reply::new(150, "Here comes the listing"),
        }
    }

    /// Moves it; the reply at its end, and what the client is still sending if its upload was refused.
    pub(crate) async fn run<U, S>(self, storage: &S, user: &U, route: Route) -> (Reply, Option<Wire>)
    where
        U: UserDetail,
        S: StorageBackend<U>,
        S::Metadata: 'static,
    {
        let remarks = route.remarks.clone();
        let moved = self.transfer(storage, user, route).await;
        let words = remarks.take_or("Transfer complete");
        match moved {
            Ok(()) => (Reply::new(226, words), None),
            Err(Failed { error, rest }) => (failure::reply(&error), rest),
        }
    }

    async fn transfer<U, S>(self, storage: &S, user: &U, route: Route) -> Result<(), Failed>
    where
        U: UserDetail,
        S: StorageBackend<U>,
        S::Metadata: 'static,
    {
        let Route { data, handshake, control, abort, .. } = route;
        // Clients begin the handshake when they have read that the transfer begins, or before.
        let data = abort.unless(open(data, handshake)).await?;
        let upload = |data| Upload { data, control, abort: abort.clone() };
        match self {
            Self::Store { path, start } => upload(data).put(storage, user, &path, start).await?,
            Self::StoreUnique { path } => upload(data).put(storage, user, &path, 0).await?,
            Self::Append { path } => {
                let start = end_of(storage, user, &path).await?;
                upload(data).put(storage, user, &path, start).await?;
            }
            Self::Fetch { path, start } => abort.unless(fetch(storage, user, data, &path, start)).await?,
            Self::List { text } => abort.unless(send(&text, data)).await?,
        }
        Ok(())
    }
}

/// Why something was not moved.
struct Failed {
    error: Error,
    /// What the client of a refused upload is still sending.
    rest: Option<Wire>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, rest: None }
    }
}

async fn open(data: TcpStream, handshake: Option<Handshake>) -> Result<Wire, Error> {
    let failed = |_| Error::new(ErrorKind::ConnectionClosed, "The data connection could not be encrypted");
    Wire::open(data, handshake).await.map_err(failed)
}

/// What a client sends to be kept.
struct Upload {
    data: Wire,
    control: Arc<Link>,
    abort: Abort,
}

impl Upload {
    async fn put<U, S>(self, storage: &S, user: &U, path: &VirtualPath, start: u64) -> Result<(), Failed>
    where
        U: UserDetail,
        S: StorageBackend<U>,
    {
        let Self { data, control, abort } = self;
        let data = Arc::new(Mutex::new(data));
        let input = Incoming { data: Arc::clone(&data), control, abort };
        match storage.put(user, input, path.as_path(), start).await {
            Ok(_) => Ok(()),
            // Nothing more comes of an upload that broke off.
            Err(error) if error.kind() == ErrorKind::ConnectionClosed => Err(error.into()),
            Err(error) => {
                let rest = Arc::into_inner(data);
                let rest = rest.map(|data| data.into_inner().unwrap_or_else(PoisonError::into_inner));
                Err(Failed { error, rest })
            }
        }
    }
}

/// Takes what comes of a refused upload, for a while: closing on bytes that nobody has read resets the connection, and
/// many clients tell that instead of the reply.
pub(crate) async fn pass_over(mut data: Wire) {
    let passing = async {
        tokio::io::copy(&mut (&mut data).take(REFUSED_BYTES_MAX), &mut tokio::io::sink()).await?;
        data.shutdown().await
    };
    // However it ends, the client has had its time.
    let _ = timeout(REFUSED_MAX, passing).await;
}

/// Where an append begins: at the end of what is there, or at 0 if nothing is.
async fn end_of<U: UserDetail, S: StorageBackend<U>>(
    storage: &S,
    user: &U,
    path: &VirtualPath,
) -> Result<u64, Error> {
    match storage.metadata(user, path.as_path()).await {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == ErrorKind::PermanentFileNotAvailable => Ok(0),
        Err(error) => Err(error),
    }
}

async fn fetch<U: UserDetail, S: StorageBackend<U>>(
    storage: &S,
    user: &U,
    mut data: Wire,
    path: &VirtualPath,
    start: u64,
) -> Result<(), Error> {
    storage.get_into(user, path.as_path(), start, &mut data).await?;
    unless_stalled(data.shutdown()).await
}

async fn send(text: &[u8], mut data: Wire) -> Result<(), Error> {
    // As much as a socket takes at once, so that a slow client counts as alive.
    for part in text.chunks(64 << 10) {
        unless_stalled(data.write_all(part)).await?;
    }
    unless_stalled(data.shutdown()).await
}

async fn unless_stalled(sending: impl Future<Output = io::Result<()>>) -> Result<(), Error> {
    let sent = timeout(STALL_MAX, sending).await;
    Ok(sent.map_err(|_| io::Error::from(io::ErrorKind::ConnectionAborted))??)
}
