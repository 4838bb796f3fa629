//! Whether an upload says itself that it is whole.
//!
//! Invariant: only a file whose last line is a complete trailer of the envelope that it begins with
//! counts: FTS where it begins with FHS, FTS or BTS where it begins with BHS (HL7 v2.5.1, 2.10.3). What a
//! client has sent arrives from its beginning on, in order, so nothing is missing before such an end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// Bytes of the end that are kept; a longer trailer proves nothing.
const TAIL_BYTES: usize = 512;
const SEGMENT_BYTES: usize = 3;

/// Reads an upload and remembers how it begins and ends.
#[derive(Debug)]
pub(super) struct Ends<R> {
    input: R,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl<R> Ends<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, head: Vec::with_capacity(SEGMENT_BYTES), tail: Vec::new() }
    }

    fn remember(&mut self, bytes: &[u8]) {
        let missing = SEGMENT_BYTES - self.head.len();
        self.head.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
        let end = bytes.get(bytes.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default();
        let spare = (self.tail.len() + end.len()).saturating_sub(TAIL_BYTES);
        self.tail.drain(..spare);
        self.tail.extend_from_slice(end);
    }

    /// Whether what was read so far ends with its own trailer.
    pub(super) fn proves_itself_whole(&self) -> bool {
        let Some(last) = self.last_line() else { return false };
        let is = |name: &[u8]| last.starts_with(name) && last.get(SEGMENT_BYTES) == Some(&b'|');
        match self.head.as_slice() {
            b"FHS" => is(b"FTS"),
            b"BHS" => is(b"FTS") || is(b"BTS"),
            _ => false,
        }
    }

    /// The last line, if it is terminated and kept from its beginning on.
    fn last_line(&self) -> Option<&[u8]> {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        self.tail.last().filter(|last| is_end(last))?;
        let end = self.tail.iter().rposition(|byte| !is_end(byte))? + 1;
        let start = self.tail.get(..end)?.iter().rposition(is_end)? + 1;
        self.tail.get(start..end)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Ends<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.input).poll_read(context, buffer);
        self.remember(buffer.filled().get(before..).unwrap_or_default());
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_whole(text: &str, chunk: usize) -> bool {
        let mut ends = Ends::new(tokio::io::empty());
        text.as_bytes().chunks(chunk).for_each(|bytes| ends.remember(bytes));
        ends.proves_itself_whole()
    }

    #[test]
    fn a_terminated_trailer_of_the_own_envelope_is_a_proof() {
        let long = format!("FHS|^~\\&\r{}BTS|1\rFTS|1", "MSH|^~\\&|x\rPID|1\r".repeat(100));
        for chunk in [1, 2, 7, 511, 512, 513, 1 << 16] {
            assert!(is_whole(&format!("{long}\r"), chunk), "{chunk}");
            assert!(is_whole("BHS|^~\\&\r\nMSH|\r\nBTS|1\r\n", chunk));
            for text in [&long, "", "\r", "FHS", "MSH|^~\\&\r", "BHS|\rMSH|\rBTS|1", "FTS|1\r", "BTS|1\r"] {
                assert!(!is_whole(text, chunk), "{text} {chunk}");
            }
            assert!(!is_whole("FHS|\rBHS|\rMSH|\rBTS|1\r", chunk), "the file goes on");
            assert!(!is_whole("BHS|\rMSH|\rBTSX\r", chunk));
            assert!(!is_whole("MSH|^~\\&\rOBX|FTS|1\r", chunk));
        }
    }

    #[test]
    fn a_trailer_whose_beginning_is_not_kept_is_none() {
        let text = format!("BHS|\rOBX|{}FTS|{}\r", "x".repeat(400), "y".repeat(TAIL_BYTES - 5));
        assert!(!is_whole(&text, 1 << 16), "the end of a longer segment");
    }

    #[test]
    fn little_is_kept() {
        let mut ends = Ends::new(tokio::io::empty());
        (0..100).for_each(|_| ends.remember(&[b'x'; 10_000]));
        assert!(ends.tail.capacity() <= 4 * TAIL_BYTES && ends.head.len() == SEGMENT_BYTES);
    }
}
