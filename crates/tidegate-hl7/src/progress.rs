//! How far a file has come: what has to survive a crash.
//!
//! Invariant: plain numbers; decoding what was encoded gives the same numbers, and anything else gives `None`. It is no
//! log: the response and the report it belongs to are kept by length.

use crate::response::ResponseState;
use crate::splitter::Position;
use crate::verdict::Class;

/// Messages by what became of them; each is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Without a problem.
    pub accepted: u64,
    /// Delivered, with warnings.
    pub warned: u64,
    /// With errors.
    pub errored: u64,
    /// Not of a kind that is taken.
    pub rejected: u64,
    /// Of the accepted and warned: copies of earlier messages, not delivered again.
    pub repeated: u64,
}

impl Counts {
    /// All messages.
    pub fn total(&self) -> u64 {
        self.accepted + self.warned + self.errored + self.rejected
    }

    pub(crate) fn add(&mut self, class: Class) {
        match class {
            Class::Accepted => self.accepted += 1,
            Class::Warned => self.warned += 1,
            Class::Errored => self.errored += 1,
            Class::Rejected => self.rejected += 1,
        }
    }
}

/// How far a [`crate::Door`] has come, as of the last commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Where the next unit is looked for.
    pub position: Position,
    /// Messages committed.
    pub ordinal: u64,
    /// What became of them.
    pub counts: Counts,
    /// Messages in the sender's open batch.
    pub messages_in_batch: u64,
    /// Messages described in the report.
    pub described: u64,
    /// How far the response has come.
    pub response: ResponseState,
    /// The file was begun in test mode, and goes on in it.
    pub tested: bool,
}

/// Version of the encoding; the first byte.
const VERSION: u8 = 1;
const NUMBERS: usize = 13;

impl Progress {
    /// Length of the encoded form, in bytes.
    pub const ENCODED_BYTES: usize = 1 + NUMBERS * 8;

    /// A form to be stored: a version byte, then each number as eight bytes, big-endian.
    pub fn encode(&self) -> [u8; Self::ENCODED_BYTES] {
        let mut out = [0; Self::ENCODED_BYTES];
        let (version, rest) = out.split_at_mut(1);
        version.fill(VERSION);
        for (slot, number) in rest.as_chunks_mut::<8>().0.iter_mut().zip(self.numbers()) {
            *slot = number.to_be_bytes();
        }
        out
    }

    /// Reads the form [`Progress::encode`] gives; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&VERSION, rest) = bytes.split_first()? else { return None };
        let (chunks, []) = rest.as_chunks::<8>() else { return None };
        let numbers: [u64; NUMBERS] =
            chunks.iter().map(|chunk| u64::from_be_bytes(*chunk)).collect::<Vec<_>>().try_into().ok()?;
        let [
            offset,
            line,
            ordinal,
            accepted,
            warned,
            errored,
            rejected,
            repeated,
            messages_in_batch,
            described,
            flags,
            acks_in_batch,
            batches,
        ] = numbers;
        (flags < 8).then_some(Self {
            position: Position { offset, line },
            ordinal,
            counts: Counts { accepted, warned, errored, rejected, repeated },
            messages_in_batch,
            described,
            response: ResponseState {
                file_open: flags & 1 != 0,
                batch_open: flags & 2 != 0,
                acks_in_batch,
                batches,
            },
            tested: flags & 4 != 0,
        })
    }

    fn numbers(&self) -> [u64; NUMBERS] {
        let (counts, response) = (self.counts, self.response);
        let flags =
            u64::from(response.file_open) | u64::from(response.batch_open) << 1 | u64::from(self.tested) << 2;
        [
            self.position.offset,
            self.position.line,
            self.ordinal,
            counts.accepted,
            counts.warned,
            counts.errored,
            counts.rejected,
            counts.repeated,
            self.messages_in_batch,
            self.described,
            flags,
            response.acks_in_batch,
            response.batches,
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(numbers in any::<[u64; 10]>(), file_open: bool, batch_open: bool, tested: bool, acks_in_batch: u64, batches: u64) {
            let [offset, line, ordinal, accepted, warned, errored, rejected, repeated, messages_in_batch, described] = numbers;
            let progress = Progress {
                position: Position { offset, line },
                ordinal,
                counts: Counts { accepted, warned, errored, rejected, repeated },
                messages_in_batch,
                described,
                response: ResponseState { file_open, batch_open, acks_in_batch, batches },
                tested,
            };
            prop_assert_eq!(Progress::decode(&progress.encode()), Some(progress));
        }

        #[test]
        fn other_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Progress::decode(&bytes);
        }
    }

    #[test]
    fn other_forms_are_refused() {
        let good = Progress::default().encode();
        assert_eq!(Progress::decode(&good[1..]), None);
        assert_eq!(Progress::decode(&[&good[..], b"x"].concat()), None);
        assert_eq!(Progress::decode(&[2; Progress::ENCODED_BYTES]), None);
        assert_eq!(Progress::decode(b""), None);
    }
}
