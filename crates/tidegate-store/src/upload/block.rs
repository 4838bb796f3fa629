//! Memory that an upload is read into, and written from without another copy.

use std::io;

use bytes::BufMut;
use tidegate_disk::DIRECT_ALIGN_BYTES;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes that begin where a disk can take them from, up to a fixed number.
#[derive(Debug)]
pub(super) struct Block {
    memory: Vec<u8>,
    start: usize,
    bytes_max: usize,
}

impl Block {
    /// An empty one for up to `bytes_max` bytes. Memory that no byte reaches costs nothing.
    pub(super) fn new(bytes_max: usize) -> Self {
        let mut memory: Vec<u8> = Vec::with_capacity(DIRECT_ALIGN_BYTES + bytes_max);
        let start = memory.as_ptr().align_offset(DIRECT_ALIGN_BYTES).min(DIRECT_ALIGN_BYTES);
        memory.resize(start, 0);
        Self { memory, start, bytes_max }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.get(self.start..).unwrap_or_default()
    }

    pub(super) fn is_full(&self) -> bool {
        self.room() == 0
    }

    fn room(&self) -> usize {
        self.bytes_max - self.bytes().len()
    }

    pub(super) fn clear(&mut self) {
        self.memory.truncate(self.start);
    }

    /// Reads once, as much as there is room for; how many bytes that was, 0 only at the end of `input`
    /// or if the block is full.
    pub(super) async fn read<R: AsyncRead + Unpin>(&mut self, input: &mut R) -> io::Result<usize> {
        let room = self.room();
        input.read_buf(&mut (&mut self.memory).limit(room)).await
    }
}
