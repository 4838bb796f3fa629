//! Files to upload, made from numbers.
//!
//! Invariant: the same number always gives the same file, and no two files share a message.

use sha2::{Digest as _, Sha256};
use tidegate_hl7::sample;

/// Messages of every file.
const MESSAGES: u64 = 2;
/// Every so many files one is too long to ride in the store's journal.
const LONG_EVERY: u64 = 6;
/// Notes that make a message of a long file about 110 KiB long, and those of a short one.
const NOTES: (usize, usize) = (110, 1);

/// The file with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Upload(pub(crate) u64);

impl Upload {
    pub(crate) fn is_long(self) -> bool {
        self.0.is_multiple_of(LONG_EVERY)
    }

    pub(crate) fn name(self) -> String {
        format!("{}.hl7", self.0)
    }

    /// The n-th of the files that are long.
    pub(crate) fn long(number: u64) -> Self {
        Self(number * LONG_EVERY)
    }

    /// The n-th of the files that are not.
    pub(crate) fn short(number: u64) -> Self {
        Self(number + number / (LONG_EVERY - 1) + 1)
    }

    /// Number of the file with this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        name.strip_suffix(".hl7")?.parse().ok().map(Self)
    }

    /// Control ids of its messages and the messages.
    pub(crate) fn messages(self) -> Vec<(String, Vec<u8>)> {
        let note = format!("NTE|1||{}", "made up ".repeat(120));
        let notes = if self.is_long() { NOTES.0 } else { NOTES.1 };
        let message = |number: u64| {
            let plain = sample::message(number);
            let message = (0..notes).fold(plain, |message, _| sample::with_segment(&message, &note));
            (format!("SAMPLE-{number}"), message)
        };
        (self.0 * MESSAGES..(self.0 + 1) * MESSAGES).map(message).collect()
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let messages: Vec<Vec<u8>> = self.messages().into_iter().map(|(_, message)| message).collect();
        sample::file(&self.0.to_string(), &messages)
    }

    /// As `queue list --json` writes it.
    pub(crate) fn sha256(self) -> String {
        Sha256::digest(self.bytes()).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_of_the_two_sizes_that_the_store_tells_apart() {
        assert!((3_000..6_000).contains(&Upload(1).bytes().len()), "{}", Upload(1).bytes().len());
        assert!(Upload(6).bytes().len() > 200_000, "{}", Upload(6).bytes().len());
        assert!(Upload::long(3).is_long());
        let short: Vec<u64> = (0..7).map(|number| Upload::short(number).0).collect();
        assert_eq!(short, [1, 2, 3, 4, 5, 7, 8]);
        assert_eq!(Upload::of_name(&Upload(7).name()), Some(Upload(7)));
    }
}
