//! 256 random bits as text.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Says what it is, never what it contains.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::pages) struct Secret(String);

impl Secret {
    pub(in crate::pages) fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        Ok(Self(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()))
    }

    /// What is told to its owner.
    pub(in crate::pages) fn reveal(&self) -> &str {
        &self.0
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        Self::digest_of(&self.0)
    }

    pub(super) fn digest_of(text: &str) -> [u8; 32] {
        Sha256::digest(text).into()
    }

    /// Digests are compared, so that the time it takes tells nothing of the secret.
    pub(in crate::pages) fn is(&self, text: &str) -> bool {
        self.digest() == Self::digest_of(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
