//! The file of a large upload, while it is written.
//!
//! Full blocks are hashed and written at the same time, each in its own order and off the runtime, while the next
//! one fills. So an upload is as fast as the slowest of the three, and has a few blocks at most.

use std::io;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tidegate_disk::DiskFile;
use tokio::io::AsyncRead;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Taken;
use super::block::Block;
use super::strand::Strand;
use crate::core::Core;

/// How many uploads at once may have large blocks: 64 MiB in all. A large block saves changes between
/// threads, which the processor has no time for anyway when there are so many.
pub(crate) const LARGE_BLOCKS_MAX: usize = 16;
const LARGE_BLOCK_BYTES: usize = 1 << 20;
const SMALL_BLOCK_BYTES: usize = 128 << 10;
/// Blocks of an upload: one fills, and hashing and writing can each be at another while one waits.
const BLOCKS_MAX: usize = 4;

/// A large upload's file, the blocks that are on their way to it, and the one that fills.
#[derive(Debug)]
pub(super) struct Spill {
    path: Taken,
    filling: Block,
    writing: Strand<DiskFile>,
    hashing: Strand<Sha256>,
    block_bytes: usize,
    blocks: usize,
    spare: UnboundedReceiver<Block>,
    spares: UnboundedSender<Block>,
    _large: Option<OwnedSemaphorePermit>,
}

/// A block on its way, which comes back empty from wherever it is dropped last.
#[derive(Debug)]
struct Flight {
    block: Option<Block>,
    spares: UnboundedSender<Block>,
}

impl Flight {
    fn bytes(&self) -> &[u8] {
        self.block.as_ref().map(Block::bytes).unwrap_or_default()
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(mut block) = self.block.take() {
            block.clear();
            // Nobody takes it if the upload is over.
            drop(self.spares.send(block));
        }
    }
}

impl Spill {
    /// A new file that begins with `bytes`, which must be shorter than a block.
    pub(super) async fn create(core: &Core, mut bytes: &[u8]) -> io::Result<Self> {
        let large = Arc::clone(&core.large_blocks).try_acquire_owned().ok();
        let block_bytes = if large.is_some() { LARGE_BLOCK_BYTES } else { SMALL_BLOCK_BYTES };
        let mut filling = Block::new(block_bytes);
        filling.read(&mut bytes).await?;
        let path = Taken::new(core);
        let writing = Strand::new(core.disk().create_new(&path.path)?);
        let (spares, spare) = unbounded_channel();
        let hashing = Strand::new(Sha256::new());
        Ok(Self { path, filling, writing, hashing, block_bytes, blocks: 1, spare, spares, _large: large })
    }

    pub(super) fn is_full(&self) -> bool {
        self.filling.is_full()
    }

    pub(super) async fn read<R: AsyncRead + Unpin>(&mut self, input: &mut R) -> io::Result<usize> {
        self.filling.read(input).await
    }

    /// Sends the full block on its way, as soon as there is another one.
    pub(super) async fn pass_on(&mut self) -> io::Result<()> {
        let next = self.empty_block().await;
        self.writing.check()?;
        let full = std::mem::replace(&mut self.filling, next);
        let block = self.fly(full);
        self.writing.push(move |file| file.write_direct(block.bytes()));
        Ok(())
    }

    /// Writes the last block and syncs; the file and its SHA-256.
    pub(super) async fn finish(mut self) -> io::Result<(Taken, [u8; 32])> {
        let last = std::mem::replace(&mut self.filling, Block::new(0));
        let block = self.fly(last);
        let written = self.writing.end(move |file| {
            file.write_all(block.bytes())?;
            file.sync_all()
        });
        written.await?;
        let sha256 = self.hashing.end(|hasher| Ok(std::mem::take(hasher).finalize().into())).await?;
        Ok((self.path, sha256))
    }

    /// Has a block hashed; it is yet to be written.
    fn fly(&self, block: Block) -> Arc<Flight> {
        let flight = Arc::new(Flight { block: Some(block), spares: self.spares.clone() });
        let block = Arc::clone(&flight);
        self.hashing.push(move |hasher| {
            hasher.update(block.bytes());
            Ok(())
        });
        flight
    }

    async fn empty_block(&mut self) -> Block {
        if let Ok(block) = self.spare.try_recv() {
            return block;
        }
        if self.blocks < BLOCKS_MAX {
            self.blocks += 1;
            return Block::new(self.block_bytes);
        }
        // They all come back, and we can send as well.
        self.spare.recv().await.unwrap_or_else(|| Block::new(self.block_bytes))
    }
}
