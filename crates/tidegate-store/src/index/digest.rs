//! A checksum over all keys and values that can be kept up to date change by change.
//!
//! The sum of one mixed hash for each pair does not depend on the order of the pairs, and a pair is
//! taken out by subtraction. It finds damage, not malice.

use super::keys;

/// Sum over all pairs of the index but the marks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Digest(pub(crate) u64);

impl Digest {
    /// Adds a pair, unless it is one of the marks, which do not count.
    pub(super) fn add_pair(&mut self, key: &[u8], value: &[u8]) {
        if counts(key) {
            self.add(key, value);
        }
    }

    /// Takes away what [`Self::add_pair`] added.
    pub(super) fn remove_pair(&mut self, key: &[u8], value: &[u8]) {
        if counts(key) {
            self.remove(key, value);
        }
    }

    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.0 = self.0.wrapping_add(hash(key, value));
    }

    pub(super) fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.0 = self.0.wrapping_sub(hash(key, value));
    }
}

impl std::iter::Sum for Digest {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        Self(parts.fold(0, |sum, part| sum.wrapping_add(part.0)))
    }
}

fn counts(key: &[u8]) -> bool {
    key != keys::MARK && key != keys::VIEWS
}

/// CRC-32C of key and value, stirred by the finaliser of `SplitMix64` (Steele, Lea, Flood 2014): bare
/// CRCs are linear, so that two swapped values would cancel out.
fn hash(key: &[u8], value: &[u8]) -> u64 {
    let mut bits = (u64::from(crc32c::crc32c(key)) << 32) | u64::from(crc32c::crc32c(value));
    bits ^= bits >> 30;
    bits = bits.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits ^= bits >> 27;
    bits = bits.wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_but_every_pair_does() {
        let mut one = Digest::default();
        one.add(b"a", b"1");
        one.add(b"b", b"2");
        let mut other = Digest::default();
        other.add(b"b", b"2");
        other.add(b"c", b"3");
        other.add(b"a", b"1");
        assert_ne!(one, other);
        other.remove(b"c", b"3");
        assert_eq!(one, other);
    }

    #[test]
    fn swapped_values_are_noticed() {
        let mut one = Digest::default();
        one.add(b"a", b"1");
        one.add(b"b", b"2");
        let mut other = Digest::default();
        other.add(b"a", b"2");
        other.add(b"b", b"1");
        assert_ne!(one, other);
    }
}
