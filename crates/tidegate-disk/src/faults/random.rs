//! Chance that a number repeats.

/// Numbers that look random; the same seed gives the same ones (`SplitMix64`, Steele et al. 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Begins at a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `end`, both included.
    pub fn up_to(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).saturating_add(1);
        usize::try_from(self.number() % end).unwrap_or_default()
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.up_to(times.saturating_sub(1)) == 0
    }
}
