//! Messages that come twice.
//!
//! Invariant: memory is bounded: two generations of [`GENERATION_MAX`] identities, about 7 MiB when full; a copy is
//! recognised at least [`GENERATION_MAX`] messages later. It knows one file, and only what was noted of it: a message
//! that was not delivered is nobody's original. The caller keeps the identities of earlier files, for which
//! [`Identity`] is stable.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

use crate::dtm::Dtm;
use crate::view::Header;

/// Identities in a generation; when one is full, the older of the two is forgotten.
pub const GENERATION_MAX: usize = 100_000;

/// What makes a message the same as another: MSH-3, MSH-4, the date of MSH-7 and MSH-10, and its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Hash of the four header fields (XXH3, 128 bit). Stable: it may be stored.
    pub key: u128,
    /// Hash of the message as it is passed on (XXH3, 64 bit). Stable: it may be stored.
    pub content: u64,
}

/// A hash of a control id is as sensitive as the id: it can be guessed.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

impl Identity {
    /// The identity of a message as [`crate::forward`] writes it; `None` without a readable control id.
    pub fn of(forwarded: &[u8]) -> Option<Self> {
        Self::with(&Header::of(forwarded)?, forwarded)
    }

    /// The identity of a message whose header was read before.
    pub(crate) fn with(header: &Header<'_>, forwarded: &[u8]) -> Option<Self> {
        let fields = &header.fields;
        let (application, facility, time, control_id) =
            (fields.get(3), fields.get(4), fields.get(7), fields.get(10));
        if !crate::view::is_filled(control_id) {
            return None;
        }
        let date = Dtm::parse(fields.component_of(time, 1)).and(time.get(..8)).unwrap_or_default();
        let mut key = [0; KEY_BYTES_MAX];
        let key = match joined(&mut key, [application, facility, date, control_id]) {
            Some(short) => xxh3_128(short),
            None => xxh3_128(&[application, facility, date, control_id].join(&SEPARATOR)),
        };
        Some(Self { key, content: xxh3_64_with_seed(forwarded, 0) })
    }
}

/// No field holds a CR.
const SEPARATOR: u8 = b'\r';
const KEY_BYTES_MAX: usize = 256;

fn joined<'a>(into: &'a mut [u8; KEY_BYTES_MAX], parts: [&[u8]; 4]) -> Option<&'a [u8]> {
    let mut at = 0;
    for part in parts {
        into.get_mut(at..at + part.len())?.copy_from_slice(part);
        at += part.len();
        *into.get_mut(at)? = SEPARATOR;
        at += 1;
    }
    into.get(..at - 1)
}

/// How a message relates to those noted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// None had its identity.
    First,
    /// One had, with the same bytes.
    Same,
    /// One had, with other bytes.
    Other,
}

/// The identities noted lately of one file.
#[derive(Debug, Default)]
pub struct Duplicates {
    young: Generation,
    old: Generation,
    expected: usize,
}

type Generation = HashMap<u64, (u64, u64), BuildHasherDefault<Hashed>>;

impl Duplicates {
    /// For a file of so many messages; the room for them is made at once.
    pub fn expecting(messages: u64) -> Self {
        let expected = usize::try_from(messages).unwrap_or(GENERATION_MAX).min(GENERATION_MAX);
        Self { expected, ..Self::default() }
    }

    /// How a message relates to those noted.
    pub fn find(&self, identity: Identity) -> Seen {
        let (low, high) = halves(identity.key);
        match self.young.get(&low).or_else(|| self.old.get(&low)) {
            Some(&(known, content)) if known == high && content == identity.content => Seen::Same,
            Some(&(known, _)) if known == high => Seen::Other,
            _ => Seen::First,
        }
    }

    /// Notes a message; what was noted first under its key stays what later ones are compared with.
    pub fn note(&mut self, identity: Identity) {
        let (low, high) = halves(identity.key);
        if self.young.contains_key(&low) || self.old.contains_key(&low) {
            return;
        }
        if self.young.len() >= GENERATION_MAX {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        if self.young.capacity() == 0 {
            self.young.reserve(self.expected);
        }
        self.young.insert(low, (high, identity.content));
    }
}

fn halves(key: u128) -> (u64, u64) {
    let low = u64::try_from(key & u128::from(u64::MAX)).unwrap_or(0);
    let high = u64::try_from(key >> 64).unwrap_or(0);
    (low, high)
}

/// Keys that are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(message: &[u8]) -> Option<Identity> {
        Identity::of(message)
    }

    #[test]
    fn the_same_id_of_another_day_or_sender_is_another_message() {
        let first = identity(b"MSH|^~\\&|A|B|||20260315103000||VXU^V04|id-1|P\rPID|1\r").unwrap();
        let later_that_day = identity(b"MSH|^~\\&|A|B|||20260315113000||VXU^V04|id-1|P\rPID|1\r").unwrap();
        assert_eq!(first.key, later_that_day.key);
        assert_ne!(first.content, later_that_day.content);
        for other in [
            &b"MSH|^~\\&|A|B|||20260316103000||VXU^V04|id-1|P\r"[..],
            b"MSH|^~\\&|A|C|||20260315103000||VXU^V04|id-1|P\r",
            b"MSH|^~\\&|C|B|||20260315103000||VXU^V04|id-1|P\r",
            b"MSH|^~\\&|A|B|||20260315103000||VXU^V04|id-2|P\r",
        ] {
            assert_ne!(identity(other).unwrap().key, first.key);
        }
        assert_eq!(identity(b"MSH|^~\\&|A|B|||20260315||VXU^V04||P\r"), None);
        assert_eq!(identity(b"PID|"), None);
    }

    #[test]
    fn long_fields_count_in_full() {
        let with = |id: &str| {
            identity(format!("MSH|^~\\&|A|B|||20260315||VXU^V04|{}{id}|P\r", "x".repeat(300)).as_bytes())
        };
        assert_ne!(with("1"), with("2"));
    }

    #[test]
    fn copies_are_told_from_reuse() {
        let mut seen = Duplicates::default();
        let one = Identity { key: 1, content: 1 };
        let other = Identity { content: 2, ..one };
        assert_eq!([seen.find(one), seen.find(one)], [Seen::First; 2], "looking notes nothing");
        seen.note(one);
        assert_eq!([seen.find(one), seen.find(other)], [Seen::Same, Seen::Other]);
        seen.note(other);
        assert_eq!(seen.find(one), Seen::Same, "the first one stays the measure");
        assert_eq!(seen.find(Identity { key: 1 << 64 | 1, ..one }), Seen::First, "half a key is none");
    }

    #[test]
    fn memory_is_bounded_and_a_generation_is_always_remembered() {
        let mut seen = Duplicates::default();
        let nth = |n: usize| Identity { key: xxh3_128(&n.to_le_bytes()), content: 0 };
        for n in 0..GENERATION_MAX * 3 {
            assert_eq!(seen.find(nth(n)), Seen::First);
            seen.note(nth(n));
        }
        assert!(seen.young.len() <= GENERATION_MAX && seen.old.len() <= GENERATION_MAX);
        assert_eq!(seen.find(nth(GENERATION_MAX * 2)), Seen::Same);
        assert_eq!(seen.find(nth(0)), Seen::First);
    }
}
