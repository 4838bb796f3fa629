//! Transfers: what moves over a data connection, and the reply to it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use unftp_core::auth::UserDetail;
use unftp_core::storage::{Error, ErrorKind, StorageBackend};

use crate::data::{Abort, Incoming};
use crate::failure;
use crate::link::Link;
use crate::listing::{Style, render};
use crate::path::VirtualPath;
use crate::reply::Reply;

/// A client that takes nothing of a listing for so long is gone.
const STALL_MAX: Duration = Duration::from_mins(1);

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
    /// LIST, NLST, MLSD.
    List { path: VirtualPath, style: Style },
}

/// What an errand needs besides.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) data: TcpStream,
    pub(crate) control: Arc<Link>,
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

    /// Moves it; the reply at its end.
    pub(crate) async fn run<U, S>(self, storage: &S, user: &U, route: Route) -> Reply
    where
        U: UserDetail,
        S: StorageBackend<U>,
        S::Metadata: 'static,
    {
        let abort = route.abort.clone();
        let moved = match self {
            Self::Store { path, start } => put(storage, user, route, &path, start).await,
            Self::StoreUnique { path } => put(storage, user, route, &path, 0).await,
            Self::Append { path } => match end_of(storage, user, &path).await {
                Ok(start) => put(storage, user, route, &path, start).await,
                Err(error) => Err(error),
            },
            Self::Fetch { path, start } => {
                unless(&abort, fetch(storage, user, route.data, &path, start)).await
            }
            Self::List { path, style } => unless(&abort, list(storage, user, route.data, &path, style)).await,
        };
        match moved {
            Ok(()) => Reply::new(226, "Transfer complete"),
            Err(error) => failure::reply(&error),
        }
    }
}

async fn put<U: UserDetail, S: StorageBackend<U>>(
    storage: &S,
    user: &U,
    route: Route,
    path: &VirtualPath,
    start: u64,
) -> Result<(), Error> {
    let input = Incoming { data: route.data, control: route.control, abort: route.abort };
    storage.put(user, input, path.as_path(), start).await.map(drop)
}

/// Where an append begins: at the end of what is there, or at 0 if nothing is.
async fn end_of<U: UserDetail, S: StorageBackend<U>>(
    storage: &S,
    user: &U,
    path: &VirtualPath,
) -> Result<u64, Error> {
    use unftp_core::storage::Metadata;
    match storage.metadata(user, path.as_path()).await {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == ErrorKind::PermanentFileNotAvailable => Ok(0),
        Err(error) => Err(error),
    }
}

async fn fetch<U: UserDetail, S: StorageBackend<U>>(
    storage: &S,
    user: &U,
    mut data: TcpStream,
    path: &VirtualPath,
    start: u64,
) -> Result<(), Error> {
    storage.get_into(user, path.as_path(), start, &mut data).await?;
    data.shutdown().await.map_err(Error::from)
}

async fn list<U, S>(
    storage: &S,
    user: &U,
    mut data: TcpStream,
    path: &VirtualPath,
    style: Style,
) -> Result<(), Error>
where
    U: UserDetail,
    S: StorageBackend<U>,
    S::Metadata: 'static,
{
    let text = render(&storage.list(user, path.as_path()).await?, style, SystemTime::now());
    // As much as a socket takes at once, so that a slow client counts as alive.
    for part in text.chunks(64 << 10) {
        let sent = timeout(STALL_MAX, data.write_all(part)).await;
        sent.map_err(|_| io::Error::from(io::ErrorKind::ConnectionAborted))??;
    }
    data.shutdown().await.map_err(Error::from)
}

/// The end of `moving`, or an error once the transfer is aborted.
async fn unless(abort: &Abort, moving: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    tokio::select! {
        biased;
        () = abort.wait() => Err(ErrorKind::ConnectionClosed.into()),
        moved = moving => moved,
    }
}
