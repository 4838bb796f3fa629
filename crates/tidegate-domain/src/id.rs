//! Job ids: 80 bits, sortable by time, unique without coordination, made for reading aloud.
//!
//! Invariant: ids that one [`JobIds`] makes increase strictly, whatever the wall clock does, so that
//! the order of ids within an organization is the order of arrival.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Crockford's base32: no I, L, O or U (<https://www.crockford.com/base32.html>).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TEXT_LEN: usize = 16;
const MILLIS_MAX: u64 = (1 << 48) - 1;

/// Name of one submission: 48 bits of milliseconds since 1970 and 32 bits of counter, shown as 16
/// characters of Crockford base32 in upper case and read in either case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct JobId([u8; Self::LEN]);

/// A text that is no job id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job id has 16 characters of 0-9 and A-Z without I, L, O and U")]
pub struct JobIdError;

impl JobId {
    /// Length in bytes of the binary form, which sorts as the text does.
    pub const LEN: usize = 10;

    /// The id in its binary form.
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        self.0
    }

    /// The id of a binary form.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// When it was made, to the millisecond; never before an earlier id, though the clock was put back.
    pub fn made_at(self) -> DateTime<Utc> {
        let millis = i64::try_from(self.bits() >> 32).unwrap_or(i64::MAX);
        DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn from_parts(millis: u64, counter: u32) -> Self {
        let bits = (u128::from(millis) << 32) | u128::from(counter);
        let [_, _, _, _, _, _, bytes @ ..] = bits.to_be_bytes();
        Self(bytes)
    }

    fn bits(self) -> u128 {
        self.0.iter().fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.bits();
        let mut text = [b'0'; TEXT_LEN];
        for (place, character) in text.iter_mut().rev().enumerate() {
            let digit = (bits >> (5 * place)) & 31;
            *character = *ALPHABET.get(usize::try_from(digit).unwrap_or(0)).unwrap_or(&b'0');
        }
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for JobId {
    type Err = JobIdError;

    fn from_str(text: &str) -> Result<Self, JobIdError> {
        if text.len() != TEXT_LEN {
            return Err(JobIdError);
        }
        let bits = text.bytes().try_fold(0_u128, |bits, byte| {
            let upper = byte.to_ascii_uppercase();
            let digit = ALPHABET.iter().position(|letter| *letter == upper).ok_or(JobIdError)?;
            Ok((bits << 5) | u128::try_from(digit).map_err(|_| JobIdError)?)
        })?;
        let [_, _, _, _, _, _, bytes @ ..] = bits.to_be_bytes();
        Ok(Self(bytes))
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for JobId {
    type Error = JobIdError;

    fn try_from(text: String) -> Result<Self, JobIdError> {
        text.parse()
    }
}

/// Makes job ids that increase strictly.
#[derive(Debug)]
pub struct JobIds {
    millis: u64,
    counter: u32,
}

impl JobIds {
    /// Continues after `last`, the highest id in use, if there is one.
    pub fn after(last: Option<JobId>) -> Self {
        let bits = last.map_or(0, JobId::bits);
        let millis = u64::try_from(bits >> 32).unwrap_or(MILLIS_MAX);
        let counter = u32::try_from(bits & u128::from(u32::MAX)).unwrap_or(u32::MAX);
        Self { millis, counter }
    }

    /// The next id. In a new millisecond the counter starts at `random` (its upper half cleared, to
    /// leave room); within one, and while the clock stands behind the last id, it counts up.
    pub fn next(&mut self, now: DateTime<Utc>, random: u32) -> JobId {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0).min(MILLIS_MAX);
        if millis > self.millis {
            self.millis = millis;
            self.counter = random >> 1;
        } else if self.counter == u32::MAX {
            self.millis += 1;
            self.counter = random >> 1;
        } else {
            self.counter += 1;
        }
        JobId::from_parts(self.millis, self.counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(millis).unwrap()
    }

    #[test]
    fn text_and_bytes_are_the_same_id_in_either_case() {
        let id = JobIds::after(None).next(at(1_709_946_000_000), 0x1234_5678);
        let text = id.to_string();
        assert_eq!(text.len(), 16);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.to_lowercase().parse(), Ok(id));
        assert_eq!(JobId::from_bytes(id.to_bytes()), id);
        assert_eq!(id.made_at(), at(1_709_946_000_000));
    }

    #[test]
    fn ids_increase_when_the_clock_stands_still_or_jumps_back() {
        let mut ids = JobIds::after(None);
        let instants = [5_000, 5_000, 1_000, 5_001, 0, 9_000];
        let made: Vec<JobId> = instants.iter().map(|millis| ids.next(at(*millis), u32::MAX)).collect();
        assert!(made.is_sorted_by(|a, b| a < b), "{made:?}");
        let texts: Vec<String> = made.iter().map(ToString::to_string).collect();
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
    }

    #[test]
    fn a_restart_continues_after_the_highest_id_although_the_clock_went_back() {
        let last = JobIds::after(None).next(at(9_000), 7);
        assert!(JobIds::after(Some(last)).next(at(1_000), 0) > last);
    }

    #[test]
    fn a_full_counter_borrows_the_next_millisecond() {
        let last = JobId::from_parts(9_000, u32::MAX);
        assert!(JobIds::after(Some(last)).next(at(9_000), 0) > last);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "0123", "0123456789ABCDEI", "0123456789ABCDEFG", "ééé0123456789"] {
            assert_eq!(text.parse::<JobId>(), Err(JobIdError), "{text}");
        }
    }
}
