//! The file of a large upload, while it is written.
//!
//! A block is hashed and written at the same time, off the runtime, while the next one fills. So an upload
//! has two blocks at most, and is as fast as the slowest of the three.

use std::io;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tidegate_disk::DiskFile;
use tokio::io::AsyncRead;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{JoinHandle, spawn_blocking};

use super::Taken;
use super::block::Block;
use crate::core::Core;

/// How many uploads at once may have large blocks: 64 MiB in all. A large block saves changes between
/// threads, which the processor has no time for anyway when there are so many.
pub(crate) const LARGE_BLOCKS_MAX: usize = 32;
const LARGE_BLOCK_BYTES: usize = 1 << 20;
const SMALL_BLOCK_BYTES: usize = 128 << 10;

/// A large upload's file, the block that is on its way to it, and the one that fills.
#[derive(Debug)]
pub(super) struct Spill {
    path: Taken,
    filling: Block,
    writer: Option<Writer>,
    block_bytes: usize,
    _large: Option<OwnedSemaphorePermit>,
}

/// What was written, or is being written.
#[derive(Debug)]
enum Writer {
    Idle(Written),
    Busy(Flight),
}

#[derive(Debug)]
struct Written {
    file: DiskFile,
    hasher: Sha256,
    spare: Option<Block>,
}

#[derive(Debug)]
struct Flight {
    block: Arc<Block>,
    writing: JoinHandle<io::Result<DiskFile>>,
    hashing: JoinHandle<Sha256>,
}

impl Spill {
    /// A new file that begins with `bytes`, which must be shorter than a block.
    pub(super) async fn create(core: &Core, mut bytes: &[u8]) -> io::Result<Self> {
        let large = Arc::clone(&core.large_blocks).try_acquire_owned().ok();
        let block_bytes = if large.is_some() { LARGE_BLOCK_BYTES } else { SMALL_BLOCK_BYTES };
        let mut filling = Block::new(block_bytes);
        filling.read(&mut bytes).await?;
        let path = Taken::new(core);
        let file = core.disk().create_new(&path.path)?;
        let writer = Some(Writer::Idle(Written { file, hasher: Sha256::new(), spare: None }));
        Ok(Self { path, filling, writer, block_bytes, _large: large })
    }

    pub(super) fn is_full(&self) -> bool {
        self.filling.is_full()
    }

    pub(super) async fn read<R: AsyncRead + Unpin>(&mut self, input: &mut R) -> io::Result<usize> {
        self.filling.read(input).await
    }

    /// Sends the full block on its way, as soon as the one before has arrived.
    pub(super) async fn pass_on(&mut self) -> io::Result<()> {
        let mut written = self.written().await?;
        let next = written.spare.take().unwrap_or_else(|| Block::new(self.block_bytes));
        let block = std::mem::replace(&mut self.filling, next);
        self.writer = Some(Writer::Busy(written.put(block, DiskFile::write_direct)));
        Ok(())
    }

    /// Writes the last block and syncs; the file and its SHA-256.
    pub(super) async fn finish(mut self) -> io::Result<(Taken, [u8; 32])> {
        let flight = self.written().await?.put(self.filling, |file, bytes| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        let written = flight.landed().await?;
        Ok((self.path, written.hasher.finalize().into()))
    }

    async fn written(&mut self) -> io::Result<Written> {
        match self.writer.take() {
            Some(Writer::Idle(written)) => Ok(written),
            Some(Writer::Busy(flight)) => flight.landed().await,
            None => Err(io::Error::other("an earlier block was lost")),
        }
    }
}

impl Written {
    fn put(
        self,
        block: Block,
        write: impl FnOnce(&mut DiskFile, &[u8]) -> io::Result<()> + Send + 'static,
    ) -> Flight {
        let block = Arc::new(block);
        let (mut file, to_write) = (self.file, Arc::clone(&block));
        let writing = spawn_blocking(move || write(&mut file, to_write.bytes()).map(|()| file));
        let (mut hasher, to_hash) = (self.hasher, Arc::clone(&block));
        let hashing = spawn_blocking(move || {
            hasher.update(to_hash.bytes());
            hasher
        });
        Flight { block, writing, hashing }
    }
}

impl Flight {
    async fn landed(self) -> io::Result<Written> {
        let file = self.writing.await.map_err(io::Error::other)??;
        let hasher = self.hashing.await.map_err(io::Error::other)?;
        let mut spare = Arc::into_inner(self.block);
        spare.iter_mut().for_each(Block::clear);
        Ok(Written { file, hasher, spare })
    }
}
