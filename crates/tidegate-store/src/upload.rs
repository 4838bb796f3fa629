//! An upload while it runs, up to the moment when its sender may read success.
//!
//! Invariant: an upload that is dropped before [`Upload::accept`] or [`Upload::stage`] was called has left
//! no trace; one whose caller leaves meanwhile becomes a job or leaves no trace; once `accept` returned
//! `Ok`, its bytes, its name and its job are on stable storage.
//!
//! A small upload stays in memory and rides in the journal's batch; a larger one goes to a file of its
//! own in blocks, off the runtime, one block on its way while the next one fills.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};
use tidegate_disk::{Disk, DiskFile};
use tidegate_domain::job::{Job, JobEvent, Protocol, Submission};
use tidegate_domain::{JobId, OrgCode, UploadName};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::Store;
use crate::committer::Command;
use crate::core::Core;
use crate::error::StoreError;
use crate::layout::Place;

/// Uploads of up to this many bytes share the journal's sync.
pub(crate) const SMALL_BYTES_MAX: usize = 64 << 10;
const BLOCK_BYTES: usize = 512 << 10;

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
    buffer: Vec<u8>,
    size_bytes: u64,
    file: Option<Spill>,
    /// Whether a write failed, or its caller did not wait for its end: bytes may be missing.
    is_broken: bool,
}

impl Upload {
    pub(crate) fn new(store: Store) -> Result<Self, StoreError> {
        store.core.check()?;
        check_free_space(&store.core)?;
        Ok(Self { store, buffer: Vec::new(), size_bytes: 0, file: None, is_broken: false })
    }

    /// Bytes taken so far.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Takes the next bytes.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.check_whole()?;
        self.is_broken = true;
        self.size_bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = if self.file.is_some() { BLOCK_BYTES } else { SMALL_BYTES_MAX } - self.buffer.len();
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.buffer.extend_from_slice(now);
            if !later.is_empty() || self.buffer.len() >= BLOCK_BYTES {
                self.spill().await?;
            }
            bytes = later;
        }
        self.is_broken = false;
        Ok(())
    }

    fn check_whole(&self) -> Result<(), StoreError> {
        if self.is_broken {
            let source = io::Error::other("an earlier part of it was lost");
            return Err(StoreError::Io { doing: "writing an upload", source });
        }
        Ok(())
    }

    /// Sends what is in memory on its way to the file.
    async fn spill(&mut self) -> Result<(), StoreError> {
        check_free_space(&self.store.core)?;
        let mut file = match self.file.take() {
            Some(file) => file,
            None => Spill::create(&self.store.core).map_err(StoreError::io("creating an upload's file"))?,
        };
        let sent = file.write(&mut self.buffer).await;
        self.file = Some(file);
        sent.map_err(StoreError::io("writing an upload"))
    }

    /// Accepts the upload: a job of `org` under `name`.
    pub async fn accept(
        mut self,
        org: &OrgCode,
        sender: Sender,
        name: UploadName,
    ) -> Result<Job, StoreError> {
        self.check_whole()?;
        let id = self.store.core.new_id();
        let mut submission = Submission {
            org: org.clone(),
            account: sender.account,
            protocol: sender.protocol,
            name,
            size_bytes: self.size_bytes,
            sha256: [0; 32],
        };
        let Some(file) = self.file.take() else {
            submission.sha256 = Sha256::digest(&self.buffer).into();
            prepare(&self.store.core, org).await?;
            let payload = Some(std::mem::take(&mut self.buffer));
            return self.store.ask(|reply| Command::Accept { id, submission, payload, reply }).await;
        };
        let block = std::mem::take(&mut self.buffer);
        let finished = file.finish(block).await;
        let (path, sha256) = finished.map_err(self.store.core.io("writing an upload"))?;
        submission.sha256 = sha256;
        let store = self.store;
        to_the_end(async move { store.accept_file(id, submission, &path.path).await }).await
    }

    /// Keeps the upload under a temporary name until it is renamed; replaces what the organization
    /// had under that name. Its bytes are durable, since their sender read success for them and will
    /// only rename them; the name is not: a power cut may take it, which the rename then tells.
    pub async fn stage(mut self, org: &OrgCode, name: &UploadName) -> Result<(), StoreError> {
        self.check_whole()?;
        prepare(&self.store.core, org).await?;
        if self.file.is_none() {
            self.spill().await?;
        }
        let target = self.store.core.layout.staged(org, name);
        let Some(file) = self.file.take() else { return Err(StoreError::Closed) };
        let block = std::mem::take(&mut self.buffer);
        let finished = file.finish(block).await;
        let (path, _) = finished.map_err(self.store.core.io("writing an upload"))?;
        self.store.core.disk().rename(&path.path, &target).map_err(StoreError::io("keeping an upload"))
    }
}

impl Store {
    /// Begins an upload; refused while the disk is nearly full.
    pub fn upload(&self) -> Result<Upload, StoreError> {
        Upload::new(self.clone())
    }

    /// Takes a job back whose sender can't have read that it was accepted, unless a worker has it.
    pub async fn withdraw(&self, id: JobId, reason: String) -> Result<Job, StoreError> {
        let (event, actor) = (JobEvent::Cancelled { reason }, "tidegate".to_owned());
        self.ask(|reply| Command::Change { id, fence: None, event, actor, reply }).await
    }

    /// Accepts an upload under a temporary name, which its sender now gives its final name.
    pub async fn accept_staged(
        &self,
        org: &OrgCode,
        staged: &UploadName,
        sender: Sender,
        name: UploadName,
    ) -> Result<Job, StoreError> {
        self.core.check()?;
        let (store, org, staged) = (self.clone(), org.clone(), self.core.layout.staged(org, staged));
        to_the_end(async move { store.accept_staged_file(&org, &staged, sender, name).await }).await
    }

    async fn accept_staged_file(
        &self,
        org: &OrgCode,
        staged: &Path,
        sender: Sender,
        name: UploadName,
    ) -> Result<Job, StoreError> {
        // Whoever renames first has it; nobody else can touch it from here on.
        let taken = Taken::new(&self.core);
        let disk = self.core.disk();
        disk.rename(staged, &taken.path).map_err(StoreError::io("taking a staged upload"))?;
        let accepted = self.accept_taken(org, sender, name, &taken.path).await;
        if accepted.is_err() {
            drop(disk.rename(&taken.path, staged));
        }
        accepted
    }

    async fn accept_taken(
        &self,
        org: &OrgCode,
        sender: Sender,
        name: UploadName,
        taken: &Path,
    ) -> Result<Job, StoreError> {
        let (disk, path) = (self.core.disk().clone(), taken.to_owned());
        let hashed =
            spawn_blocking(move || hash_and_sync(&disk, &path)).await.map_err(|_| StoreError::Closed)?;
        let (size_bytes, sha256) = hashed.map_err(self.core.io("reading a staged upload"))?;
        let (account, protocol) = (sender.account, sender.protocol);
        let submission = Submission { org: org.clone(), account, protocol, name, size_bytes, sha256 };
        self.accept_file(self.core.new_id(), submission, taken).await
    }

    /// Accepts a synced file: moves it into the spool under its job's name, then journals the job. The
    /// file is back at `from` if the job was not accepted.
    async fn accept_file(&self, id: JobId, submission: Submission, from: &Path) -> Result<Job, StoreError> {
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
            Ok(()) => self.ask(|reply| Command::Accept { id, submission, payload: None, reply }).await,
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
    let free =
        core.disk().free_bytes(core.layout.root()).map_err(StoreError::io("reading the free space"))?;
    if free < core.options.free_bytes_min { Err(StoreError::NoSpace) } else { Ok(()) }
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

/// A large upload's file and the block that is on its way to it.
#[derive(Debug)]
struct Spill {
    path: Taken,
    writing: JoinHandle<io::Result<Sink>>,
}

#[derive(Debug)]
struct Sink {
    file: DiskFile,
    hasher: Sha256,
    block: Vec<u8>,
}

impl Spill {
    fn create(core: &Core) -> io::Result<Self> {
        let path = Taken::new(core);
        let file = core.disk().create_new(&path.path)?;
        let sink = Sink { file, hasher: Sha256::new(), block: Vec::new() };
        Ok(Self { path, writing: spawn_blocking(move || Ok(sink)) })
    }

    /// Waits for the block before and sends this one; `block` is empty afterwards.
    async fn write(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        let mut sink = self.sink().await?;
        std::mem::swap(&mut sink.block, block);
        block.clear();
        self.writing = spawn_blocking(move || sink.put());
        Ok(())
    }

    async fn sink(&mut self) -> io::Result<Sink> {
        (&mut self.writing).await.map_err(io::Error::other)?
    }

    /// Writes the last block and syncs; the file and its SHA-256.
    async fn finish(mut self, mut block: Vec<u8>) -> io::Result<(Taken, [u8; 32])> {
        self.write(&mut block).await?;
        let sink = self.sink().await?;
        let synced = spawn_blocking(move || {
            sink.file.sync_all()?;
            Ok::<_, io::Error>(sink.hasher.finalize().into())
        });
        let sha256 = synced.await.map_err(io::Error::other)??;
        Ok((self.path, sha256))
    }
}

impl Sink {
    fn put(mut self) -> io::Result<Self> {
        self.file.write_all(&self.block)?;
        self.hasher.update(&self.block);
        Ok(self)
    }
}
