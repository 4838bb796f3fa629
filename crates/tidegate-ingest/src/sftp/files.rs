//! The answers to requests that concern one open file or directory, and the way of every request to its answer.
//!
//! Invariant: CLOSE of an upload is answered with success only after the store has accepted it durably or, where
//! that is not what submits it, has staged it. A CLOSE that fails ends the channel, because there are clients that do
//! not look at its status.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use russh_sftp::extensions::{FSYNC, LIMITS, LimitsExtension, STATVFS};
use russh_sftp::protocol::{OpenFlags, StatusCode};
use russh_sftp::ser::to_bytes;
use std::os::unix::ffi::OsStrExt;
use tidegate_store::StoreError;
use unftp_core::storage::Metadata;

use super::handles::{Bounds, DIRECTORY_HANDLES, HANDLES_MAX, Handle, Handles};
use super::incoming::{Begun, Incoming};
use super::listing::{put_name, shown};
use super::reply::Reply;
use super::request::{Asked, Attributes, PACKET_BYTES_MAX, POSIX_RENAME, Request, wants};
use super::tree::Tree;
use crate::session::SessionUser;
use crate::storage::{Entry, InboxStorage, Place, TransferError};

/// Longest piece of a file that is read at once. A client may ask for many in one packet, and does not have to
/// take the answers.
const READ_BYTES_MAX: u32 = 32 << 10;
/// What clients are told to write at once at most: fewer answers to wait for, and a packet of it is still short.
const WRITE_BYTES_MAX: u32 = 255 << 10;
/// As OpenSSH numbers them.
const EXTENSIONS: [(&str, &str); 4] = [(POSIX_RENAME, "1"), (FSYNC, "1"), (LIMITS, "1"), (STATVFS, "2")];
/// Names in one reply.
const NAMES_MAX: usize = 100;

/// One channel's view of its sender's files.
pub(super) struct Files {
    tree: Tree,
    handles: Handles,
}

type Answer = Result<Reply, TransferError>;

impl Files {
    pub(super) fn new(storage: InboxStorage, user: Arc<SessionUser>, bounds: Bounds) -> Self {
        Self { tree: Tree::new(storage, user), handles: Handles::new(bounds) }
    }

    /// Does what was asked.
    pub(super) async fn answer(&mut self, request: Request<'_>) -> Reply {
        let id = request.id;
        let answer = match request.asked {
            Asked::Init => Ok(Reply::version(&EXTENSIONS)),
            Asked::Open { path, flags } => self.open(id, place(path), flags).await,
            Asked::Close { handle } => return self.close(id, handle).await,
            Asked::Read { handle, offset, length } => self.read(id, handle, offset, length).await,
            Asked::Write { handle, offset, bytes } => self.write(id, handle, offset, bytes).await,
            Asked::Fstat { handle } => self.fstat(id, handle),
            Asked::Fsetstat { handle, attributes } => self.fsetstat(id, handle, attributes),
            Asked::Opendir { path } => self.open_directory(id, place(path)).await,
            Asked::Readdir { handle } => Ok(self.read_directory(id, handle)),
            // Nothing is promised before CLOSE, and then it is durable.
            Asked::Fsync { handle } => {
                Ok(self.handles.get(handle).map_or(Reply::no_handle(id), |_| Reply::ok(id)))
            }
            Asked::Limits => Ok(limits(id)),
            Asked::Stat { path } => self.stat(id, place(path)).await,
            Asked::Setstat { path, attributes } => self.setstat(id, place(path), attributes).await,
            Asked::Remove { path } => self.tree.remove(id, place(path)).await,
            Asked::Rename { from, to } => self.tree.rename(id, place(from), place(to)).await,
            Asked::Mkdir { path } => Ok(Tree::make_directory(id, &place(path))),
            Asked::Rmdir { path } => Tree::remove_directory(&place(path)),
            Asked::Realpath { path } => Ok(Tree::real_path(id, path)),
            Asked::Statvfs => self.tree.space(id).await,
            Asked::Unsupported => {
                Ok(Reply::status(id, StatusCode::OpUnsupported, "this server does not offer that"))
            }
        };
        answer.unwrap_or_else(|reason| Reply::refused(id, &reason))
    }

    /// The last reply is on its way.
    pub(super) fn answered(&mut self) {
        self.tree.answered();
    }

    /// Ends everything that is open; uploads have broken off.
    pub(super) fn give_up(&mut self) {
        self.handles.clear();
    }

    async fn open(&mut self, id: u32, place: Place, flags: u32) -> Answer {
        let Some(room) = self.handles.room(1) else { return Ok(too_many(id)) };
        let handle = if wants(flags, OpenFlags::WRITE) || wants(flags, OpenFlags::APPEND) {
            let begun = self.begin(place, flags).await;
            Handle::Upload(Box::new(begun.inspect_err(|reason| self.tree.note_refusal(reason))?))
        } else {
            Handle::Response(Arc::new(self.tree.open(place).await?))
        };
        Ok(Reply::handle(id, self.handles.insert(handle, room)))
    }

    async fn begin(&mut self, place: Place, flags: u32) -> Result<Incoming, TransferError> {
        if *self.handles.bounds.closing.borrow() {
            return Err(TransferError::Stopping);
        }
        let running = self.handles.bounds.progress.begin();
        let begins_anew = wants(flags, OpenFlags::TRUNCATE);
        let creates = wants(flags, OpenFlags::CREATE);
        let mut begun = None;
        // A new submission under a name that is there is nothing special, which saves looking.
        if !begins_anew || !creates || wants(flags, OpenFlags::EXCLUDE) {
            match self.tree.look(place.clone()).await {
                Ok(_) if wants(flags, OpenFlags::EXCLUDE) => {
                    return Err(TransferError::NotAllowed("a file of this name is there already"));
                }
                Ok(entry) if !begins_anew => {
                    self.tree.check_begun(place.clone()).await?;
                    let is_appended_to = wants(flags, OpenFlags::APPEND);
                    begun = Some(Begun { size_bytes: entry.len(), is_appended_to });
                }
                Err(TransferError::NoSuchFile) if creates => {}
                looked => _ = looked?,
            }
        }
        let (upload, name) = self.tree.begin(place).await?;
        let bounds = self.handles.bounds.clone();
        Ok(Incoming::new(self.tree.door(), upload, name, begun, bounds, running))
    }

    async fn write(&mut self, id: u32, handle: u32, offset: u64, bytes: &[u8]) -> Answer {
        match self.handles.get(handle) {
            Some(Handle::Upload(incoming)) => {
                let written = incoming.write(offset, bytes).await;
                written.inspect_err(|reason| self.tree.note_refusal(reason))?;
                Ok(Reply::ok(id))
            }
            Some(_) => Err(TransferError::NotAllowed("it was not opened for writing")),
            None => Ok(Reply::no_handle(id)),
        }
    }

    async fn close(&mut self, id: u32, handle: u32) -> Reply {
        match self.handles.remove(handle) {
            Some(Handle::Upload(incoming)) => match self.tree.submit(*incoming).await {
                Ok(()) => {
                    self.handles.bounds.progress.submitted();
                    Reply::ok(id)
                }
                Err(reason) => {
                    self.tree.note_refusal(&reason);
                    Reply::refused(id, &reason).last()
                }
            },
            Some(_) => Reply::ok(id),
            None => Reply::no_handle(id),
        }
    }

    async fn read(&mut self, id: u32, handle: u32, offset: u64, length: u32) -> Answer {
        let file = match self.handles.get(handle) {
            Some(Handle::Response(file)) => Arc::clone(file),
            Some(_) => return Err(TransferError::NotAllowed("it was not opened for reading")),
            None => return Ok(Reply::no_handle(id)),
        };
        let length = length.min(READ_BYTES_MAX) as usize;
        let read = tokio::task::spawn_blocking(move || read_at(&file, offset, length)).await;
        let bytes =
            read.map_err(|_| StoreError::Closed)?.map_err(|error| TransferError::Response(error.kind()))?;
        Ok(if bytes.is_empty() { Reply::end_of_file(id) } else { Reply::data(id, bytes) })
    }

    /// What this channel is writing is there for it, although it is nobody's file before CLOSE: sshfs looks at
    /// once for what it has opened.
    async fn stat(&mut self, id: u32, place: Place) -> Answer {
        match self.handles.upload_to(&place) {
            Some(handle) => self.fstat(id, handle),
            None => self.tree.stat(id, place).await,
        }
    }

    async fn setstat(&mut self, id: u32, place: Place, attributes: Attributes) -> Answer {
        match self.handles.upload_to(&place) {
            Some(handle) => self.fsetstat(id, handle, attributes),
            None => self.tree.set(id, place, attributes).await,
        }
    }

    fn fstat(&mut self, id: u32, handle: u32) -> Answer {
        let entry = match self.handles.get(handle) {
            Some(Handle::Upload(incoming)) => Entry::accepted_now(incoming.size_bytes()),
            Some(Handle::Response(file)) => {
                let metadata = file.metadata().map_err(|error| TransferError::Response(error.kind()))?;
                Entry::from(&metadata)
            }
            Some(Handle::Directory(_)) => Entry::DIRECTORY,
            None => return Ok(Reply::no_handle(id)),
        };
        Ok(Reply::attributes(id, shown(&entry)))
    }

    /// Owner, modes and times mean nothing here; clients set them by habit.
    fn fsetstat(&mut self, id: u32, handle: u32, attributes: Attributes) -> Answer {
        let is_fine = match (self.handles.get(handle), attributes.size_bytes) {
            (None, _) => return Ok(Reply::no_handle(id)),
            (Some(Handle::Upload(incoming)), Some(size)) => incoming.set_size(size),
            _ => true,
        };
        if is_fine {
            Ok(Reply::ok(id))
        } else {
            Err(TransferError::NotAllowed("the length of a file can't be set"))
        }
    }

    async fn open_directory(&mut self, id: u32, place: Place) -> Answer {
        let Some(room) = self.handles.room(DIRECTORY_HANDLES) else { return Ok(too_many(id)) };
        let entries = self.tree.list(place).await?;
        Ok(Reply::handle(id, self.handles.insert(Handle::Directory(entries.into_iter()), room)))
    }

    fn read_directory(&mut self, id: u32, handle: u32) -> Reply {
        let Some(Handle::Directory(entries)) = self.handles.get(handle) else { return Reply::no_handle(id) };
        let (mut names, mut count) = (Vec::new(), 0);
        for (name, entry) in entries.take(NAMES_MAX) {
            put_name(&mut names, &name, &entry);
            count += 1;
        }
        if count == 0 { Reply::end_of_file(id) } else { Reply::names(id, count, &names) }
    }
}

fn place(path: &[u8]) -> Place {
    Place::of(Path::new(std::ffi::OsStr::from_bytes(path)))
}

fn too_many(id: u32) -> Reply {
    Reply::status(id, StatusCode::Failure, "too many open files; close some")
}

fn limits(id: u32) -> Reply {
    let limits = LimitsExtension {
        max_packet_len: PACKET_BYTES_MAX as u64,
        max_read_len: READ_BYTES_MAX.into(),
        max_write_len: WRITE_BYTES_MAX.into(),
        max_open_handles: HANDLES_MAX as u64,
    };
    Reply::extended(id, to_bytes(&limits).unwrap_or_default().into())
}

/// Up to `length` bytes; fewer only at the end of the file.
fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut count = 0;
    while let Some(rest) = bytes.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset.saturating_add(count as u64)) {
            Ok(0) => break,
            Ok(read) => count += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(count);
    Ok(bytes)
}
