//! An upload while it runs, up to the moment when its sender may read success.
//!
//! Invariant: an upload that is dropped before [`Upload::accept`] or [`Upload::stage`] was called has left
//! no trace; one whose caller leaves meanwhile becomes a job or leaves no trace; once `accept` returned
//! `Ok`, its bytes, its name and its job are on stable storage. [`Upload::keep_broken`] keeps bytes for
//! another try, and promises nothing.
//!
//! A small upload stays in memory and rides in the journal's batch; a larger one goes to a file of its
//! own: see `spill`.

mod abandoned;
mod block;
mod broken;
mod spill;
mod strand;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};
use tidegate_disk::Disk;
use tidegate_domain::job::{Job, JobEvent, Protocol, Submission};
use tidegate_domain::{JobId, OrgCode, UploadName};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::spawn_blocking;

pub use self::abandoned::Abandoned;
pub(crate) use self::spill::LARGE_BLOCKS_MAX;
use self::spill::Spill;

use crate::Store;
use crate::committer::Command;
use crate::core::Core;
use crate::error::StoreError;
use crate::layout::Place;
use crate::work::Claim;

/// Uploads of up to this many bytes share the journal's sync.
pub(crate) const SMALL_BYTES_MAX: usize = 64 << 10;

/// Who hands an upload over, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The login.
    pub account: String,
    /// The door.
    pub protocol: Protocol,
}

/// Bytes on their way in.
#[derive(Debug)]
pub struct Upload {
    store: Store,
    held: Held,
    size_bytes: u64,
    /// Whether a write failed, or its caller did not wait for its end: bytes may be missing.
    is_broken: bool,
}

/// Where an upload's bytes are.
#[derive(Debug)]
enum Held {
    /// In memory: a small upload, as far as is known.
    Memory(Vec<u8>),
    File(Box<Spill>),
}

/// Room for the next bytes of an upload; never none.
#[derive(Debug)]
pub struct Room<'a>(&'a mut Upload);

impl Room<'_> {
    /// Reads once from `input`, straight to where the bytes are written from. How many they were: 0 only
    /// at the end of `input`. Nothing is lost if the caller leaves before it is done.
    pub async fn fill<R: AsyncRead + Unpin>(self, input: &mut R) -> io::Result<usize> {
        let count = match &mut self.0.held {
            Held::Memory(bytes) => input.read_buf(bytes).await?,
            Held::File(spill) => spill.read(input).await?,
        };
        self.0.size_bytes += count as u64;
        Ok(count)
    }
}

impl Upload {
    pub(crate) fn new(store: Store) -> Result<Self, StoreError> {
        store.core.check()?;
        check_free_space(&store.core)?;
        // The byte behind a small upload is where its end is looked for.
        let held = Held::Memory(Vec::with_capacity(SMALL_BYTES_MAX + 1));
        Ok(Self { store, held, size_bytes: 0, is_broken: false })
    }

    /// Bytes taken so far.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// All bytes taken so far, if they fit into memory: up to 64 KiB.
    pub fn in_memory(&self) -> Option<&[u8]> {
        match &self.held {
            Held::Memory(bytes) if !self.is_broken => Some(bytes),
            Held::Memory(_) | Held::File(_) => None,
        }
    }

    /// Takes the next bytes.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        while !bytes.is_empty() {
            let room = self.room().await?;
            room.fill(&mut bytes).await.map_err(StoreError::io("taking an upload"))?;
        }
        Ok(())
    }

    /// Makes room for the next bytes, which takes as long as the disk takes those before.
    pub async fn room(&mut self) -> Result<Room<'_>, StoreError> {
        self.check_whole()?;
        self.is_broken = true;
        match &mut self.held {
            Held::Memory(bytes) if bytes.len() > SMALL_BYTES_MAX => {
                self.spill().await?;
            }
            Held::File(spill) if spill.is_full() => {
                check_free_space(&self.store.core)?;
                spill.pass_on().await.map_err(StoreError::io("writing an upload"))?;
            }
            Held::Memory(_) | Held::File(_) => {}
        }
        self.is_broken = false;
        Ok(Room(self))
    }

    fn check_whole(&self) -> Result<(), StoreError> {
        if self.is_broken {
            let source = io::Error::other("an earlier part of it was lost");
            return Err(StoreError::Io { doing: "writing an upload", source });
        }
        Ok(())
    }

    /// Moves to a file what is in memory.
    async fn spill(&mut self) -> Result<(), StoreError> {
        if let Held::Memory(bytes) = &self.held {
            check_free_space(&self.store.core)?;
            let spill = Spill::create(&self.store.core, bytes).await;
            let spill = spill.map_err(StoreError::io("creating an upload's file"))?;
            self.held = Held::File(Box::new(spill));
        }
        Ok(())
    }

    /// Accepts the upload: a job of `org` under `name`.
    pub async fn accept(self, org: &OrgCode, sender: Sender, name: UploadName) -> Result<Job, StoreError> {
        self.accept_as(org, sender, name, false).await
    }

    /// Accepts the upload and claims its job in one change of the store, for a sender who waits for what becomes
    /// of it. It passes by the files of its organization that wait. [`StoreError::GateClosed`] if nothing may be
    /// claimed at that instant, [`StoreError::Underway`] if a job of the same name and bytes is not over.
    pub async fn accept_call(
        self,
        org: &OrgCode,
        sender: Sender,
        name: UploadName,
    ) -> Result<Claim, StoreError> {
        Ok(Claim { job: self.accept_as(org, sender, name, true).await? })
    }

    async fn accept_as(
        mut self,
        org: &OrgCode,
        sender: Sender,
        name: UploadName,
        is_call: bool,
    ) -> Result<Job, StoreError> {
        self.room().await?;
        let id = self.store.core.new_id();
        let mut submission = Submission {
            org: org.clone(),
            account: sender.account,
            protocol: sender.protocol,
            name,
            size_bytes: self.size_bytes,
            sha256: [0; 32],
        };
        let spill = match self.held {
            Held::File(spill) => spill,
            Held::Memory(bytes) => {
                submission.sha256 = Sha256::digest(&bytes).into();
                prepare(&self.store.core, org).await?;
                // A copy takes no more than its bytes. Shrunk in place, the buffer would leave a hole that the next
                // upload's does not fit into.
                let payload = Some(bytes.clone());
                drop(bytes);
                let accept = |reply| Command::Accept { id, submission, payload, is_call, reply };
                return self.store.ask(accept).await;
            }
        };
        let finished = spill.finish().await;
        let (path, sha256) = finished.map_err(self.store.core.io("writing an upload"))?;
        submission.sha256 = sha256;
        let store = self.store;
        to_the_end(async move { store.accept_file(id, submission, &path.path, is_call).await }).await
    }

    /// Keeps the upload until its sender submits it by [`Store::accept_staged`]; replaces what the organization
    /// had staged under that name. Its bytes are durable, since their sender read success for them and will
    /// only rename them; the name is not: a power cut may take it, which the rename then tells.
    pub async fn stage(mut self, org: &OrgCode, name: &UploadName) -> Result<(), StoreError> {
        self.room().await?;
        prepare(&self.store.core, org).await?;
        self.spill().await?;
        let target = self.store.core.layout.staged(org, name);
        let Held::File(spill) = self.held else { return Err(StoreError::Closed) };
        let finished = spill.finish().await;
        let (path, _) = finished.map_err(self.store.core.io("writing an upload"))?;
        self.store.core.disk().rename(&path.path, &target).map_err(StoreError::io("keeping an upload"))
    }
}

impl Store {
    /// Begins an upload; refused while the disk is nearly full.
    pub fn upload(&self) -> Result<Upload, StoreError> {
        Upload::new(self.clone())
    }

    /// Bytes that are free above the floor at which uploads are refused.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        Ok(free_bytes(&self.core)?.saturating_sub(self.core.options.free_bytes_min))
    }

    /// Takes a job back whose sender can't have read that it was accepted, unless a worker has it.
    pub async fn withdraw(&self, id: JobId, reason: String) -> Result<Job, StoreError> {
        let (event, actor) = (JobEvent::Cancelled { reason }, "tidegate".to_owned());
        self.ask(|reply| Command::Change { id, fence: None, event, actor, reply }).await
    }

    /// Accepts a staged upload under its final name.
    pub async fn accept_staged(
        &self,
        org: &OrgCode,
        staged: &UploadName,
        sender: Sender,
        name: UploadName,
    ) -> Result<Job, StoreError> {
        self.accept_staged_if(org, staged, sender, name, None).await
    }

    /// The same if its bytes have this SHA-256; else [`StoreError::OtherBytes`], and it stays staged. A newer
    /// one of its name that came meanwhile stays in its place.
    pub async fn accept_staged_if(
        &self,
        org: &OrgCode,
        staged: &UploadName,
        sender: Sender,
        name: UploadName,
        sha256: Option<[u8; 32]>,
    ) -> Result<Job, StoreError> {
        self.core.check()?;
        let (store, org, staged) = (self.clone(), org.clone(), self.core.layout.staged(org, staged));
        to_the_end(async move { store.accept_staged_file(&org, &staged, sender, name, sha256).await }).await
    }

    async fn accept_staged_file(
        &self,
        org: &OrgCode,
        staged: &Path,
        sender: Sender,
        name: UploadName,
        sha256: Option<[u8; 32]>,
    ) -> Result<Job, StoreError> {
        // Whoever renames first has it; nobody else can touch it from here on.
        let taken = Taken::new(&self.core);
        let disk = self.core.disk();
        disk.rename(staged, &taken.path).map_err(|error| {
            // Either of the two may be what is not there.
            let has_staged = staged.symlink_metadata().is_ok();
            let doing = "taking a staged upload";
            if has_staged { StoreError::io(doing)(error) } else { StoreError::file(doing)(error) }
        })?;
        let accepted = self.accept_taken(org, sender, name, &taken.path, sha256).await;
        if accepted.is_err() {
            // A second name, not a rename: that would replace what its sender staged meanwhile.
            drop(disk.link(&taken.path, staged));
        }
        accepted
    }

    async fn accept_taken(
        &self,
        org: &OrgCode,
        sender: Sender,
        name: UploadName,
        taken: &Path,
        expected: Option<[u8; 32]>,
    ) -> Result<Job, StoreError> {
        let (disk, path) = (self.core.disk().clone(), taken.to_owned());
        let hashed =
            spawn_blocking(move || hash_and_sync(&disk, &path)).await.map_err(|_| StoreError::Closed)?;
        let (size_bytes, sha256) = hashed.map_err(self.core.io("reading a staged upload"))?;
        if expected.is_some_and(|expected| expected != sha256) {
            return Err(StoreError::OtherBytes);
        }
        let (account, protocol) = (sender.account, sender.protocol);
        let submission = Submission { org: org.clone(), account, protocol, name, size_bytes, sha256 };
        self.accept_file(self.core.new_id(), submission, taken, false).await
    }

    /// Accepts a synced file: moves it into the spool under its job's name, then journals the job. The
    /// file is back at `from` if the job was not accepted.
    async fn accept_file(
        &self,
        id: JobId,
        submission: Submission,
        from: &Path,
        is_call: bool,
    ) -> Result<Job, StoreError> {
        prepare(&self.core, &submission.org).await?;
        let directory = self.core.layout.place(&submission.org, Place::Incoming);
        let to = self.core.layout.payload(&submission.org, Place::Incoming, id);
        let (disk, source, target) = (self.core.disk().clone(), from.to_owned(), to.clone());
        let moved = spawn_blocking(move || {
            disk.rename(&source, &target)?;
            disk.sync_dir(&directory)
        });
        let moved = moved.await.map_err(|_| StoreError::Closed)?;
        let accepted = match moved.map_err(self.core.io("publishing an upload")) {
            Ok(()) => {
                self.ask(|reply| Command::Accept { id, submission, payload: None, is_call, reply }).await
            }
            Err(error) => Err(error),
        };
        // Where it is unknown whether the job was journaled, the next start decides.
        if accepted.as_ref().is_err_and(|error| !matches!(error, StoreError::Poisoned)) {
            let disk = self.core.disk();
            drop(disk.rename(&to, from).or_else(|_| disk.remove_once(&to)));
        }
        accepted
    }
}

/// Does it to its end although whoever asked may leave: a part of it would be a file without a job.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(work).await.unwrap_or(Err(StoreError::Closed))
}

async fn prepare(core: &Arc<Core>, org: &OrgCode) -> Result<(), StoreError> {
    if core.spool.is_prepared(org) {
        return Ok(());
    }
    let (spool, org) = (Arc::clone(core), org.clone());
    let prepared = spawn_blocking(move || spool.spool.prepare(&org)).await;
    prepared.map_err(|_| StoreError::Closed)?.map_err(core.io("making an organization's directories"))
}

fn check_free_space(core: &Core) -> Result<(), StoreError> {
    if free_bytes(core)? < core.options.free_bytes_min { Err(StoreError::NoSpace) } else { Ok(()) }
}

fn free_bytes(core: &Core) -> Result<u64, StoreError> {
    core.disk().free_bytes(core.layout.root()).map_err(StoreError::io("reading the free space"))
}

fn hash_and_sync(disk: &Disk, path: &Path) -> io::Result<(u64, [u8; 32])> {
    let mut file = disk.open_read(path)?;
    let mut hasher = HashWriter::default();
    let size = io::copy(&mut file, &mut hasher)?;
    // What could not be synced must not be tried again: the second sync would say that all is well.
    disk.sync_file(path, &file).inspect_err(|_| drop(disk.remove_once(path)))?;
    Ok((size, hasher.0.finalize().into()))
}

/// Hashes what is written.
#[derive(Default)]
pub(crate) struct HashWriter(pub(crate) Sha256);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file in the uploads directory, removed when it is dropped unless it was moved elsewhere.
#[derive(Debug)]
struct Taken {
    disk: Disk,
    path: PathBuf,
}

impl Taken {
    fn new(core: &Core) -> Self {
        let number = core.upload_number.fetch_add(1, Ordering::Relaxed);
        Self { disk: core.disk().clone(), path: core.layout.uploads().join(format!("{number}.part")) }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        drop(self.disk.remove_once(&self.path));
    }
}
