//! A range of ports such as `50000-50100`, or `0-0` for whatever port the system has free.
//!
//! Invariant: at least one port, the first not after the last, 0 only by itself.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// First and last port, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// A text that is no range of ports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no range of ports: write the first and the last, such as \"50000-50100\"")]
pub struct PortRangeError(String);

impl PortRange {
    /// Any port that is free; where no firewall has to know the ports.
    pub const ANY: Self = Self { first: 0, last: 0 };

    /// A range from `first` to `last`; `None` if they are no range.
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first > last || (first == 0 && last != 0) { None } else { Some(Self { first, last }) }
    }

    /// The ports in order.
    pub const fn ports(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }
}

impl Default for PortRange {
    fn default() -> Self {
        Self { first: 50_000, last: 50_100 }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl FromStr for PortRange {
    type Err = PortRangeError;

    fn from_str(text: &str) -> Result<Self, PortRangeError> {
        text.split_once('-')
            .and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)))
            .and_then(|(first, last)| Self::new(first, last))
            .ok_or_else(|| PortRangeError(text.to_owned()))
    }
}

impl TryFrom<String> for PortRange {
    type Error = PortRangeError;

    fn try_from(text: String) -> Result<Self, PortRangeError> {
        text.parse()
    }
}

impl From<PortRange> for String {
    fn from(range: PortRange) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_back_as_it_is_printed() {
        assert_eq!(PortRange::default().to_string().parse(), Ok(PortRange::default()));
        assert_eq!("2000-2000".parse(), Ok(PortRange { first: 2000, last: 2000 }));
        assert_eq!("0-0".parse(), Ok(PortRange::ANY));
    }

    #[test]
    fn what_holds_no_port_is_refused() {
        for bad in ["", "50000", "50100-50000", "0-5", "1-70000", "a-b", "1-2-3"] {
            assert!(bad.parse::<PortRange>().is_err(), "{bad}");
        }
    }
}
