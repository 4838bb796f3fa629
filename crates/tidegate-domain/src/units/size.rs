//! Sizes in bytes such as `64MiB`.
//!
//! Invariant: a size is exact; `format_size` never rounds. It is not meant for people's tables, who
//! would rather read "1.4 GiB".

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Units with their length in bytes. Those of one length stand together, the preferred name first.
const UNITS: [(&str, u64); 10] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

/// Why a text is no size. The message says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// Not a whole number with a unit.
    #[error(
        "{0:?} is no size: write a whole number with KiB, MiB, GiB, TiB, kB, MB, GB, TB or B, \
         such as \"64MiB\", or a plain number of bytes"
    )]
    Form(String),
    /// More than 2^64 - 1 bytes.
    #[error("{0:?} is too large")]
    TooLarge(String),
}

/// Reads a size such as `2GiB` (1024³ bytes each), `10MB` (1000² bytes each) or `4096` (bytes).
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let form = || SizeError::Form(text.to_owned());
    let too_large = || SizeError::TooLarge(text.to_owned());
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    if count.is_empty() {
        return Err(form());
    }
    let unit = if unit.is_empty() { "B" } else { unit };
    let (_, unit_bytes) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(form)?;
    count.parse::<u64>().ok().and_then(|count| count.checked_mul(*unit_bytes)).ok_or_else(too_large)
}

/// Prints a size in the form that [`parse_size`] reads, in the first unit that divides it: powers
/// of 1024, then powers of 1000, then bytes.
pub fn format_size(bytes: u64) -> String {
    let (name, unit_bytes) = UNITS
        .into_iter()
        .find(|(_, unit_bytes)| bytes > 0 && bytes.is_multiple_of(*unit_bytes))
        .unwrap_or(("B", 1));
    format!("{}{name}", bytes / unit_bytes)
}

/// A size in bytes that stands in a configuration file as text such as `"64MiB"`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_size(self.0))
    }
}

impl std::str::FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_size(text).map(Self)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = ByteSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size in quotes, such as \"64MiB\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}
