//! Durations such as `1h30m`.
//!
//! Invariant: no duration read here is longer than [`DURATION_MAX`], so that it can be added to any
//! date of our time. Days are exactly 24 hours; a calendar day is the business of
//! [`crate::maintenance`].

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Longest duration that is accepted: 3650 days.
pub const DURATION_MAX: Duration = Duration::from_hours(24 * 3650);

/// Units with their length in milliseconds, longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Why a text is no duration. The message says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not of the form number, unit, number, unit, largest unit first.
    #[error(
        "{0:?} is no duration: write whole numbers with d, h, m, s or ms, largest first, \
         such as \"5m\", \"1h30m\" or \"2d\""
    )]
    Form(String),
    /// Longer than [`DURATION_MAX`].
    #[error("{0:?} is too long: at most 3650d")]
    TooLong(String),
}

/// Reads a duration such as `5m`, `1h30m`, `90s`, `2d` or `250ms`: each unit at most once, largest
/// first, nothing between them.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let form = || DurationError::Form(text.to_owned());
    let too_long = || DurationError::TooLong(text.to_owned());
    let (mut rest, mut units, mut total_ms) = (text, UNITS.iter(), 0_u64);
    loop {
        let (count, unit, after) = next_part(rest).ok_or_else(form)?;
        // The iterator only goes on to smaller units, which refuses repetition and disorder.
        let (_, unit_ms) = units.find(|(name, _)| *name == unit).ok_or_else(form)?;
        let part_ms = count.parse::<u64>().ok().and_then(|n| n.checked_mul(*unit_ms));
        total_ms = part_ms.and_then(|part_ms| total_ms.checked_add(part_ms)).ok_or_else(too_long)?;
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let duration = Duration::from_millis(total_ms);
    if duration > DURATION_MAX {
        return Err(too_long());
    }
    Ok(duration)
}

/// Splits `1h30m` into `1`, `h` and `30m`; `None` if it doesn't begin with a number and letters.
fn next_part(text: &str) -> Option<(&str, &str, &str)> {
    let (count, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (unit, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()));
    (!count.is_empty() && !unit.is_empty()).then_some((count, unit, rest))
}

/// Prints a duration in the form that [`parse_duration`] reads, such as `1h30m`; `0s` for none.
/// What is shorter than a millisecond is left out.
pub fn format_duration(duration: Duration) -> String {
    let mut rest_ms = duration.as_millis();
    let parts = UNITS.into_iter().filter_map(|(name, unit_ms)| {
        let count = rest_ms / u128::from(unit_ms);
        rest_ms %= u128::from(unit_ms);
        (count > 0).then(|| format!("{count}{name}"))
    });
    let text: String = parts.collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A duration that stands in a configuration file as text such as `"1h30m"`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HumanDuration(pub Duration);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.0))
    }
}

impl std::str::FromStr for HumanDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_duration(text).map(Self)
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = HumanDuration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration in quotes, such as \"5m\" or \"1h30m\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}
