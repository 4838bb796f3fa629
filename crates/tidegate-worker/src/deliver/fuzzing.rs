//! What must hold for any bytes that a registry sends, as functions for a fuzzer. No part of the interface.

use super::far_ack::{Reading, control_id};
use super::mllp::frame::{FrameError, Frames, encode};
use super::{DeliverError, Delivered};

/// Longest content of a frame here, in bytes: short, so that the limit is met.
const FRAME_BYTES_MAX: usize = 64;

/// A registry's words with ours before them, in bytes; more than either side may write.
const TEXT_BYTES_MAX: usize = 1024;

/// Parts a fuzzer's bytes into message and answer: no message holds it.
const PARTED_BY: u8 = 0;

/// A connection's bytes: frames do not depend on how the network cuts them and keep to their bound, and what is
/// framed comes back as it was.
///
/// # Panics
/// If one of this does not hold.
pub fn mllp(bytes: &[u8]) {
    let whole = frames(bytes, bytes.len().max(1));
    for size in [1, 2 + bytes.len() % 7] {
        assert!(frames(bytes, size) == whole, "cut in pieces of {size}");
    }
    assert!(whole.0.iter().all(|frame| frame.len() <= FRAME_BYTES_MAX));
    let mut framed = Vec::new();
    if encode(bytes, &mut framed) {
        let mut back = Frames::new(bytes.len());
        back.feed(&framed);
        assert!(back.next() == Ok(Some(bytes.to_vec())) && back.is_empty());
    }
}

/// The frames of a connection that brings `size` bytes at a time, up to what is none.
fn frames(bytes: &[u8], size: usize) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let (mut frames, mut found) = (Frames::new(FRAME_BYTES_MAX), Vec::new());
    for piece in bytes.chunks(size) {
        frames.feed(piece);
        loop {
            match frames.next() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}

/// A message and, behind a NUL, the answer to it: nothing but an answer about this very message settles it, and the
/// registry's words are short, plain, and go no further unless they may.
///
/// # Panics
/// If one of this does not hold.
pub fn ack(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == PARTED_BY);
    let (message, answer) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let open = Reading { pass_on_text: true }.judge(message, answer);
    let closed = Reading { pass_on_text: false }.judge(message, answer);
    match (&open, &closed) {
        (Ok(Delivered::Now), Ok(Delivered::Now)) => {}
        (
            Err(DeliverError::Refused { code, text }),
            Err(DeliverError::Refused { code: same, text: nothing }),
        ) => {
            assert!(code == same && nothing.is_empty(), "words go no further unless they may");
            assert!(text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control));
        }
        (Err(DeliverError::Transient(one)), Err(DeliverError::Transient(other))) => {
            assert!(one == other);
            return;
        }
        _ => assert_eq!(open, closed, "both settle it, or neither"),
    }
    let id = control_id(message).unwrap_or_default();
    assert!(!id.is_empty() && answer.windows(id.len()).any(|part| part == id), "it is about this message");
}
