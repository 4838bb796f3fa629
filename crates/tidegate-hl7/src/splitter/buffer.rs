//! The one buffer of a splitter.
//!
//! Invariant: never longer than the longest message plus one chunk, and an offset in the file is known for each byte in
//! it. It does not know what the bytes mean.

use std::io::{self, ErrorKind, Read};

/// Live bytes of a reader, filled at the back and discarded at the front.
pub(super) struct Buffer<R> {
    reader: R,
    data: Vec<u8>,
    start: usize,
    end: usize,
    start_offset: u64,
    end_offset: u64,
    capacity_max: usize,
    chunk: usize,
    at_end: bool,
}

/// Sizes only; the bytes are patient data.
impl<R> std::fmt::Debug for Buffer<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buffer")
            .field("live", &(self.end - self.start))
            .field("offset", &self.start_offset)
            .finish_non_exhaustive()
    }
}

impl<R: Read> Buffer<R> {
    pub(super) fn new(reader: R, message_bytes_max: usize, chunk: usize, offset: u64) -> Self {
        Self {
            reader,
            data: Vec::new(),
            start: 0,
            end: 0,
            start_offset: offset,
            end_offset: offset,
            capacity_max: message_bytes_max.saturating_add(chunk),
            chunk,
            at_end: false,
        }
    }

    pub(super) fn live(&self) -> &[u8] {
        self.data.get(self.start..self.end).unwrap_or_default()
    }

    /// Nothing follows the live bytes.
    pub(super) fn at_end(&self) -> bool {
        self.at_end
    }

    /// No further chunk fits.
    pub(super) fn is_full(&self) -> bool {
        self.end - self.start >= self.capacity_max
    }

    /// File offset of the first live byte.
    pub(super) fn first_offset(&self) -> u64 {
        self.start_offset
    }

    /// File offset of a live byte, counted from the end: right also after [`Buffer::remove`].
    pub(super) fn offset_of(&self, at: usize) -> u64 {
        self.end_offset - (self.end - self.start - at) as u64
    }

    /// Drops the first `count` live bytes.
    pub(super) fn discard(&mut self, count: usize) {
        self.start_offset = self.offset_of(count);
        self.start += count;
    }

    /// Cuts the live bytes `from..to` out; offsets of those before are right no longer, except the first's.
    pub(super) fn remove(&mut self, from: usize, to: usize) {
        self.data.copy_within(self.start + to..self.end, self.start + from);
        self.end -= to - from;
    }

    /// Reads more, at most one chunk, or notes the end of the file.
    pub(super) fn refill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.data.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let wanted = (self.end + self.chunk).min(self.capacity_max).max(self.end + 1);
        if self.data.len() < wanted {
            self.data.reserve_exact(wanted - self.data.len());
            self.data.resize(wanted, 0);
        }
        let free = self.data.get_mut(self.end..wanted).unwrap_or_default();
        let count = loop {
            match self.reader.read(free) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.at_end = count == 0;
        self.end += count;
        self.end_offset += count as u64;
        Ok(())
    }
}

#[cfg(test)]
impl<R> Buffer<R> {
    pub(super) fn allocated(&self) -> usize {
        self.data.capacity()
    }
}
