//! How far a job is: the note that a checkpoint keeps.
//!
//! Invariant: lengths are those that response and report had right after the message that the door's
//! progress ends with; files cut back to them can be continued. A note of another version is none.

use postcard::{from_bytes, to_allocvec};
use serde::{Deserialize, Serialize};
use tidegate_hl7::Progress;

/// Version of the encoding; its first byte.
const VERSION: u8 = 1;

/// Where to go on, and what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    pub(super) door: Progress,
    /// Length of the response in bytes.
    pub(super) response_bytes: u64,
    /// Length of the report's paragraphs in bytes.
    pub(super) details_bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    response_bytes: u64,
    details_bytes: u64,
    /// The door's own encoding.
    door: &'a [u8],
}

impl Mark {
    pub(super) fn encode(&self) -> Vec<u8> {
        let door = &self.door.encode()[..];
        let stored = Stored { response_bytes: self.response_bytes, details_bytes: self.details_bytes, door };
        let mut bytes = vec![VERSION];
        // Encoding plain numbers into memory does not fail; an empty note would begin the file anew.
        bytes.extend(to_allocvec(&stored).unwrap_or_default());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&VERSION, rest) = bytes.split_first()? else { return None };
        let stored: Stored<'_> = from_bytes(rest).ok()?;
        let door = Progress::decode(stored.door)?;
        Some(Self { door, response_bytes: stored.response_bytes, details_bytes: stored.details_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back_and_nothing_else_is() {
        let door = Progress { ordinal: 1_000_000, described: 3, ..Progress::default() };
        let mark = Mark { door, response_bytes: u64::MAX, details_bytes: 0 };
        let bytes = mark.encode();
        assert!(bytes.len() < 150, "{}", bytes.len());
        assert_eq!(Mark::decode(&bytes), Some(mark));
        let other_version = [&[VERSION + 1], &bytes[1..]].concat();
        for other in [&[][..], &[VERSION], &bytes[..bytes.len() - 1], &other_version] {
            assert_eq!(Mark::decode(other), None);
        }
    }
}
