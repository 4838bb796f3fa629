//! Frames of HL7's Minimal Lower Layer Protocol, release 1: `0x0B`, the message, `0x1C 0x0D`.
//!
//! Invariant: what [`encode`] made is what [`Frames`] gives back, however the bytes are cut on their way; no
//! more than the allowed bytes and one piece are kept, and any bytes may come in.

/// Start of a frame.
const START: u8 = 0x0b;

/// End of a frame; a CR follows.
const END: u8 = 0x1c;

/// Why bytes are no frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// A frame is longer than allowed.
    #[error("longer than allowed")]
    Oversize,
    /// There are bytes outside of any frame.
    #[error("bytes outside of a frame")]
    Stray,
}

/// Puts the frame of a message into `out`, and nothing else; false if the message has bytes that only frames may
/// have.
pub(crate) fn encode(message: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    if message.iter().any(|byte| matches!(*byte, START | END)) {
        return false;
    }
    out.reserve(message.len() + 3);
    out.push(START);
    out.extend_from_slice(message);
    out.extend_from_slice(&[END, b'\r']);
    true
}

/// Takes bytes as they come and gives frames.
#[derive(Debug)]
pub(crate) struct Frames {
    buffer: Vec<u8>,
    /// So many bytes of the buffer hold no end of a frame.
    searched: usize,
    bytes_max: usize,
}

impl Frames {
    /// Frames of at most `bytes_max` bytes of content.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { buffer: Vec::new(), searched: 0, bytes_max }
    }

    /// Takes the next piece. Call [`Self::next`] until it has no more before the piece after that.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The content of the next frame that is whole. Line ends between frames are no harm: some systems leave the
    /// CR at the end out, others send a line end more.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        self.skip_line_ends();
        let Some((&first, content)) = self.buffer.split_first() else { return Ok(None) };
        if first != START {
            return Err(FrameError::Stray);
        }
        let unsearched = content.get(self.searched..).unwrap_or_default();
        let end = unsearched.iter().position(|byte| *byte == END).map(|at| at + self.searched);
        let length = end.unwrap_or(content.len());
        if length > self.bytes_max {
            return Err(FrameError::Oversize);
        }
        let Some(end) = end else {
            self.searched = length;
            return Ok(None);
        };
        let frame = content.get(..end).unwrap_or_default().to_vec();
        // The start, the content, the end; the CR behind it goes with the line ends.
        self.buffer.drain(..end + 2);
        self.searched = 0;
        Ok(Some(frame))
    }

    /// Whether nothing is left but line ends.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.skip_line_ends();
        self.buffer.is_empty()
    }

    fn skip_line_ends(&mut self) {
        let skipped = self.buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.buffer.drain(..skipped);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(frames: &mut Frames) -> Result<Vec<Vec<u8>>, FrameError> {
        std::iter::from_fn(|| frames.next().transpose()).collect()
    }

    fn content() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(
            any::<u8>().prop_filter("no frame bytes", |b| !matches!(*b, START | END)),
            0..60,
        )
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back_however_it_is_cut(
            messages in prop::collection::vec(content(), 0..5),
            cuts in prop::collection::vec(1_usize..40, 1..20),
        ) {
            let mut frame = Vec::new();
            let mut stream = Vec::new();
            for message in &messages {
                prop_assert!(encode(message, &mut frame));
                stream.extend_from_slice(&frame);
            }
            let mut frames = Frames::new(60);
            let mut found = Vec::new();
            let mut rest = &stream[..];
            for cut in cuts.iter().cycle() {
                let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                frames.feed(piece);
                found.extend(all(&mut frames).unwrap());
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(found, messages);
            prop_assert!(frames.is_empty());
        }

        #[test]
        fn any_bytes_may_come_in_and_memory_is_bounded(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20)) {
            let mut frames = Frames::new(64);
            for piece in pieces {
                frames.feed(&piece);
                match all(&mut frames) {
                    Ok(found) => prop_assert!(found.iter().all(|frame| frame.len() <= 64)),
                    Err(_) => break,
                }
                prop_assert!(frames.buffer.len() <= 1 + 64);
            }
        }
    }

    #[test]
    fn a_message_with_bytes_of_frames_is_not_encoded() {
        for bad in [&b"MSH\x0b"[..], b"MSH\x1c\r", b"\x1c"] {
            assert!(!encode(bad, &mut Vec::new()));
        }
    }

    #[test]
    fn line_ends_between_frames_may_be_missing_or_more() {
        let mut frames = Frames::new(10);
        frames.feed(b"\x0bone\x1c\x0btwo\x1c\r\r\n\x0bthree\x1c");
        assert_eq!(all(&mut frames).unwrap(), [&b"one"[..], b"two", b"three"]);
        assert!(frames.is_empty());
    }

    #[test]
    fn a_frame_without_end_is_given_up_at_the_limit_and_so_are_bytes_outside() {
        let mut frames = Frames::new(4);
        frames.feed(b"\x0b1234");
        assert_eq!(frames.next(), Ok(None));
        frames.feed(b"5");
        assert_eq!(frames.next(), Err(FrameError::Oversize));
        let mut frames = Frames::new(4);
        frames.feed(b"HTTP/1.1 400\r\n");
        assert_eq!(frames.next(), Err(FrameError::Stray));
        assert!(!frames.is_empty());
    }
}
