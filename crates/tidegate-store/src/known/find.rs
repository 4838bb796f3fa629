//! Where a key stands in a sorted file.
//!
//! Keys are hashes, so they lie evenly: where one must be can be told from its value, and two or three reads of some
//! kilobytes find it among millions. Nothing of a file is kept in memory for that.

use std::io;

use super::run::{Record, Run};

/// Records that are read at once, about 4 KiB; of one key no more than these are looked at.
const WINDOW: u64 = 120;
/// Guesses before the rest is halved, where somebody made keys that do not lie evenly.
const GUESSES_MAX: u32 = 6;

/// Where the first record with a key at least as large as the one that is sought is: `to` at the latest.
struct Span {
    from: u64,
    to: u64,
    /// No key in it is smaller, and none is larger.
    low: u128,
    high: u128,
}

impl Run {
    /// Adds the records of a key.
    pub(super) fn find(&self, key: u128, found: &mut Vec<Record>) -> io::Result<()> {
        let first = self.first_from(key)?;
        let records = self.read(first, WINDOW.min(self.count - first))?;
        found.extend(records.into_iter().take_while(|record| record.key == key));
        Ok(())
    }

    /// The number of records with smaller keys.
    fn first_from(&self, key: u128) -> io::Result<u64> {
        let mut span = Span { from: 0, to: self.count, low: 0, high: u128::MAX };
        let mut guesses = 0;
        loop {
            let length = span.to - span.from;
            let start = match guesses {
                _ if length <= WINDOW => span.from,
                ..GUESSES_MAX => span.guess(key),
                _ => span.from + (length - WINDOW) / 2,
            };
            guesses += 1;
            let records = self.read(start, WINDOW.min(length))?;
            let end = start + records.len() as u64;
            match (records.first(), records.last()) {
                (Some(first), _) if first.key >= key && start > span.from => {
                    span = Span { to: start, high: first.key, ..span };
                }
                (_, Some(last)) if last.key < key && end < span.to => {
                    span = Span { from: end, low: last.key, ..span };
                }
                _ => return Ok(start + records.partition_point(|record| record.key < key) as u64),
            }
        }
    }
}

impl Span {
    /// Where a window with the key in its middle would begin. The span is longer than a window.
    fn guess(&self, key: u128) -> u64 {
        // The upper halves are exact enough, and can be multiplied.
        let [low, high, key] = [self.low, self.high, key].map(|key| key >> 64);
        let length = u128::from(self.to - self.from);
        let share = length * key.saturating_sub(low) / high.saturating_sub(low).max(1);
        let middle = self.from + u64::try_from(share.min(length)).unwrap_or(0);
        middle.saturating_sub(WINDOW / 2).clamp(self.from, self.to - WINDOW)
    }
}
