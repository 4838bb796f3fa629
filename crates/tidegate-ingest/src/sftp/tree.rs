//! The sender's tree, as one channel sees it.

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use russh_sftp::extensions::Statvfs;
use russh_sftp::protocol::StatusCode;
use russh_sftp::ser::to_bytes;
use tidegate_domain::UploadName;
use tidegate_store::Upload;
use unftp_core::storage::Metadata;

use super::incoming::Incoming;
use super::listing::{put_name, shown};
use super::reply::Reply;
use super::request::Attributes;
use crate::session::{Session, SessionUser};
use crate::storage::{Entry, InboxStorage, Place, TransferError};

const BLOCK_BYTES: u64 = 4096;

pub(super) struct Tree {
    storage: InboxStorage,
    user: Arc<SessionUser>,
    /// Whether the success of an upload is about to be told.
    is_unanswered: bool,
}

type Answer = Result<Reply, TransferError>;

impl Tree {
    pub(super) fn new(storage: InboxStorage, user: Arc<SessionUser>) -> Self {
        Self { storage, user, is_unanswered: false }
    }

    pub(super) fn session(&self) -> &Session {
        self.storage.session()
    }

    /// Notes that an upload was refused, once for each.
    pub(super) fn note_refusal(&self, reason: &TransferError) {
        if !matches!(reason, TransferError::Broken) {
            self.storage.note_refusal(&self.user, reason);
        }
    }

    /// What an upload needs of its session.
    pub(super) fn door(&self) -> (InboxStorage, Arc<SessionUser>) {
        (self.storage.clone(), Arc::clone(&self.user))
    }

    /// Refuses a place where there is nothing to go on with.
    pub(super) async fn check_begun(&self, place: Place) -> Result<(), TransferError> {
        self.storage.check_begun(&self.user, place).await
    }

    /// The last reply is on its way.
    pub(super) fn answered(&mut self) {
        if std::mem::take(&mut self.is_unanswered) {
            self.session().activity().answered();
        }
    }

    pub(super) async fn begin(&self, place: Place) -> Result<(Upload, UploadName), TransferError> {
        self.storage.begin(&self.user, place).await
    }

    /// Does what is to be done with an upload, if it is whole.
    pub(super) async fn submit(&mut self, incoming: Incoming) -> Result<(), TransferError> {
        let (upload, name, running) = incoming.into_whole().await?;
        self.storage.finish(&self.user, upload, name).await?;
        running.succeeded();
        self.is_unanswered = true;
        Ok(())
    }

    pub(super) async fn rename(&mut self, id: u32, from: Place, to: Place) -> Answer {
        self.storage.rename_place(&self.user, from, to).await?;
        self.is_unanswered = true;
        Ok(Reply::ok(id))
    }

    /// What is at a place; [`TransferError::NoSuchFile`] if nothing is.
    pub(super) async fn look(&self, place: Place) -> Result<Entry, TransferError> {
        self.storage.look_at(&self.user, place).await
    }

    pub(super) async fn stat(&self, id: u32, place: Place) -> Answer {
        Ok(Reply::attributes(id, shown(&self.look(place).await?)))
    }

    /// Owner, modes and times mean nothing here; clients set them by habit.
    pub(super) async fn set(&self, id: u32, place: Place, attributes: Attributes) -> Answer {
        let entry = self.look(place).await?;
        if attributes.size_bytes.is_some_and(|size| size != entry.len()) {
            return Err(TransferError::NotAllowed("the length of a file can't be set"));
        }
        Ok(Reply::ok(id))
    }

    pub(super) async fn open(&self, place: Place) -> Result<File, TransferError> {
        self.storage.open(&self.user, place).await
    }

    pub(super) async fn list(&self, place: Place) -> Result<Vec<(Vec<u8>, Entry)>, TransferError> {
        if place.is_directory() {
            return self.storage.list_place(&self.user, place).await;
        }
        Err(TransferError::NoSuchDirectory)
    }

    pub(super) async fn remove(&self, id: u32, place: Place) -> Answer {
        self.storage.delete(&self.user, place).await?;
        Ok(Reply::ok(id))
    }

    /// There are no directories to be made. Clients that find one there go on after this status.
    pub(super) fn make_directory(id: u32, place: &Place) -> Reply {
        if place.is_directory() {
            Reply::status(id, StatusCode::Failure, "the directory exists")
        } else {
            Reply::status(id, StatusCode::PermissionDenied, "there are only inbox and outbox")
        }
    }

    pub(super) fn remove_directory(place: &Place) -> Answer {
        Err(if place.is_directory() {
            TransferError::NotAllowed("directories can't be deleted")
        } else {
            TransferError::NoSuchDirectory
        })
    }

    pub(super) fn real_path(id: u32, path: &[u8]) -> Reply {
        let path = Place::normal_path(Path::new(std::ffi::OsStr::from_bytes(path)));
        let mut names = Vec::new();
        put_name(&mut names, &path, &Entry::DIRECTORY);
        Reply::names(id, 1, &names)
    }

    /// How much may be uploaded: nothing more is told of the disk.
    pub(super) async fn space(&self, id: u32) -> Answer {
        let blocks = self.storage.free_bytes(&self.user).await? / BLOCK_BYTES;
        let space = Statvfs {
            block_size: BLOCK_BYTES,
            fragment_size: BLOCK_BYTES,
            blocks,
            blocks_free: blocks,
            blocks_avail: blocks,
            inodes: u64::MAX,
            inodes_free: u64::MAX,
            inodes_avail: u64::MAX,
            fs_id: 0,
            flags: 0,
            name_max: UploadName::BYTES_MAX as u64,
        };
        Ok(Reply::extended(id, to_bytes(&space).unwrap_or_default().into()))
    }
}
