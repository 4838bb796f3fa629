//! Listing and fetching.
//!
//! Invariant: only responses can be read; of uploads a sender sees name, size and time until they
//! are processed. The store is asked off the runtime, because it may read from disk.

use std::collections::BTreeMap;
use std::fs::File;

use tidegate_domain::{OrgCode, UploadName};
use tidegate_store::{SenderFile, Store, StoreError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::backend::InboxStorage;
use super::entry::Entry;
use super::error::TransferError;
use super::place::Place;
use crate::audit::Event;
use crate::session::SessionUser;

const WRITE_BYTES: usize = 64 << 10;

/// Names in a directory.
type Listing = Vec<(Vec<u8>, Entry)>;

impl InboxStorage {
    /// Looks at one place.
    pub(crate) async fn look_at(&self, user: &SessionUser, place: Place) -> Result<Entry, TransferError> {
        if place.is_directory() {
            return Ok(Entry::DIRECTORY);
        }
        let sought = place.clone();
        match (self.ask(user, move |store, org| find(store, org, sought)).await, place) {
            (
                Err(TransferError::NoSuchFile | TransferError::Store(StoreError::NotFound)),
                Place::Upload(name),
            ) => self.submitted.find(&name).ok_or(TransferError::NoSuchFile),
            (found, _) => Ok(Entry::from(&found?)),
        }
    }

    /// Lists a directory; a file is listed by itself.
    pub(crate) async fn list_place(
        &self,
        user: &SessionUser,
        place: Place,
    ) -> Result<Listing, TransferError> {
        let files = match place {
            Place::Root => {
                let directories = ["inbox", "outbox"];
                return Ok(directories.map(|name| (name.into(), Entry::DIRECTORY)).into());
            }
            Place::Inbox => self.ask(user, inbox).await?,
            Place::Outbox => self.ask(user, |store, org| Ok(store.outbox(org)?)).await?,
            file => vec![self.ask(user, move |store, org| find(store, org, file)).await?],
        };
        let listed = |file: SenderFile| {
            let entry = Entry::from(&file);
            (file.name, entry)
        };
        Ok(files.into_iter().map(listed).collect())
    }

    /// Opens a response.
    pub async fn open(&self, user: &SessionUser, place: Place) -> Result<File, TransferError> {
        let opened = self.open_place(user, place).await;
        opened.inspect_err(|reason| self.note_if_forbidden(user, reason))
    }

    async fn open_place(&self, user: &SessionUser, place: Place) -> Result<File, TransferError> {
        match place {
            Place::Response(name) => {
                self.check_still_let_in(user)?;
                let fetched = Event::fetched(&name);
                let file = self.ask(user, move |store, org| Ok(store.open_outbox(org, &name)?)).await?;
                self.note(user, fetched);
                Ok(file)
            }
            Place::Upload(_) => Err(TransferError::NotAllowed("accepted files can't be read back")),
            Place::Root | Place::Inbox | Place::Outbox => Err(TransferError::NotAllowed("it is a directory")),
            Place::Nowhere => Err(TransferError::NoSuchFile),
        }
    }

    /// Sends `input`; gives up on a client that takes nothing for too long.
    pub(super) async fn send<R, W>(&self, mut input: R, output: &mut W) -> Result<u64, TransferError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin + ?Sized,
    {
        let idle_max = self.intake.limits().session_idle_max.0;
        let mut buffer = vec![0; WRITE_BYTES];
        let mut sent_bytes = 0;
        loop {
            let count =
                input.read(&mut buffer).await.map_err(|error| TransferError::Response(error.kind()))?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return Ok(sent_bytes);
            };
            let written = timeout(idle_max, output.write_all(bytes)).await;
            written
                .map_err(|_| TransferError::Stalled)?
                .map_err(|error| TransferError::DataLost(error.kind()))?;
            sent_bytes += bytes.len() as u64;
        }
    }

    /// Bytes that may be uploaded before the disk counts as full.
    pub(crate) async fn free_bytes(&self, user: &SessionUser) -> Result<u64, TransferError> {
        self.ask(user, |store, _| Ok(store.free_bytes()?)).await
    }

    /// Asks the store something that may block.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        user: &SessionUser,
        question: impl FnOnce(&Store, &OrgCode) -> Result<T, TransferError> + Send + 'static,
    ) -> Result<T, TransferError> {
        let (store, org) = (self.intake.store().clone(), user.org().clone());
        let answer = tokio::task::spawn_blocking(move || question(&store, &org)).await;
        answer.map_err(|_| TransferError::Store(StoreError::Closed))?
    }
}

/// Accepted uploads, the newest of each name, and staged ones.
fn inbox(store: &Store, org: &OrgCode) -> Result<Vec<SenderFile>, TransferError> {
    let files = store.inbox(org)?.into_iter().chain(store.staged(org)?);
    let by_name: BTreeMap<Vec<u8>, SenderFile> = files.map(|file| (file.name.clone(), file)).collect();
    Ok(by_name.into_values().collect())
}

fn find(store: &Store, org: &OrgCode, place: Place) -> Result<SenderFile, TransferError> {
    let found = match place {
        Place::Upload(name) => {
            // What can't be a name is no file either.
            let name = UploadName::new(name).map_err(|_| TransferError::NoSuchFile)?;
            // Clients ask for the length of what is there before they send the rest.
            match store.begun(org, &name)? {
                None => store.inbox_entry(org, &name)?,
                begun => begun,
            }
        }
        Place::Response(name) => store.outbox_entry(org, &name)?,
        Place::Root | Place::Inbox | Place::Outbox | Place::Nowhere => None,
    };
    found.ok_or(TransferError::NoSuchFile)
}
