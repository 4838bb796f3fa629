//! The contents of a disk: only blocks that were touched take room.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// Bytes of a block, the unit in which a cut takes or leaves.
pub(crate) const BLOCK_BYTES: usize = 4096;

/// One block.
pub(super) type Block = Arc<[u8]>;

static ZEROS: LazyLock<Block> = LazyLock::new(|| Block::from([0; BLOCK_BYTES]));

/// Blocks by number; cheap to clone, for clones share their blocks.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    blocks: HashMap<u64, Block>,
    len_bytes: u64,
}

impl Image {
    /// A disk of zeros.
    pub(crate) fn new(len_bytes: u64) -> Self {
        Self { blocks: HashMap::new(), len_bytes }
    }

    pub(crate) fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    pub(super) fn get(&self, number: u64) -> Block {
        Arc::clone(self.blocks.get(&number).unwrap_or(&ZEROS))
    }

    pub(super) fn put(&mut self, number: u64, block: Block) {
        self.blocks.insert(number, block);
    }

    /// Takes over a file of whole blocks.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut image = Self::new(file.metadata()?.len());
        let mut bytes = vec![0; BLOCK_BYTES];
        for number in 0..image.len_bytes / BLOCK_BYTES as u64 {
            file.read_exact(&mut bytes)?;
            if bytes.iter().any(|byte| *byte != 0) {
                image.put(number, Block::from(bytes.as_slice()));
            }
        }
        Ok(image)
    }

    /// Writes a sparse file that `mount -o loop` takes.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = File::create(path)?;
        file.set_len(self.len_bytes)?;
        for (number, block) in &self.blocks {
            file.seek(SeekFrom::Start(number * BLOCK_BYTES as u64))?;
            file.write_all(block)?;
        }
        Ok(())
    }
}
