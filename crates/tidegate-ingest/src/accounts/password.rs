//! Passwords as argon2id hashes (RFC 9106) in PHC form.
//!
//! Invariant: checking takes the parameters from the hash, so that raising the cost in the
//! configuration locks nobody out; new hashes take them from the configuration. Both block for tens
//! of milliseconds: call them off the runtime.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::config::AuthConfig;

/// Why a password could not be hashed, or a hash is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short to be of use.
    #[error("the password has fewer than {} characters", PasswordHashing::CHARS_MIN)]
    TooShort,
    /// Longer than anything a person or a generator makes.
    #[error("the password has more than {} bytes", PasswordHashing::BYTES_MAX)]
    TooLong,
    /// A control character can't be sent in an FTP command.
    #[error("the password has a control character in it")]
    Character,
    /// The parameters or the system's random numbers failed.
    #[error("the password can't be hashed: {0}")]
    Hashing(String),
    /// Not an argon2id hash in PHC form, or one that costs too much to check.
    #[error("not an argon2id hash; make one with tidegate org passwd")]
    NoHash,
}

/// Makes new hashes at the configured cost.
#[derive(Debug, Clone)]
pub struct PasswordHashing(Argon2<'static>);

impl PasswordHashing {
    /// Shortest password that is hashed, in characters (NIST SP 800-63B, 5.1.1.2).
    pub const CHARS_MIN: usize = 8;
    /// Longest password in bytes.
    pub const BYTES_MAX: usize = 1024;
    const MEMORY_KIB_MAX: u32 = 1 << 20;

    /// Takes the cost from the configuration.
    pub fn new(config: &AuthConfig) -> Result<Self, PasswordError> {
        let memory_kib = u32::try_from(config.argon2_memory.0 >> 10).unwrap_or(u32::MAX);
        let params = Params::new(memory_kib, config.argon2_passes, config.argon2_lanes, None)
            .map_err(|error| PasswordError::Hashing(error.to_string()))?;
        Ok(Self(Argon2::new(Algorithm::Argon2id, Version::V0x13, params)))
    }

    /// Hashes a password for an organization's file. Blocks.
    pub fn hash(&self, password: &str) -> Result<String, PasswordError> {
        if password.len() > Self::BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        if password.chars().count() < Self::CHARS_MIN {
            return Err(PasswordError::TooShort);
        }
        if password.chars().any(char::is_control) {
            return Err(PasswordError::Character);
        }
        let hash = self.0.hash_password(password.as_bytes());
        Ok(hash.map_err(|error| PasswordError::Hashing(error.to_string()))?.to_string())
    }

    /// Whether `password` belongs to `hash`. Blocks.
    pub(super) fn verify(&self, password: &str, hash: &str) -> bool {
        password.len() <= Self::BYTES_MAX
            && parse_hash(hash).is_ok_and(|hash| self.0.verify_password(password.as_bytes(), &hash).is_ok())
    }
}

/// Reads a hash as it stands in an organization's file.
pub(super) fn parse_hash(text: &str) -> Result<PasswordHash, PasswordError> {
    let hash = PasswordHash::new(text).map_err(|_| PasswordError::NoHash)?;
    let params = Params::try_from(&hash).map_err(|_| PasswordError::NoHash)?;
    let is_argon2id = hash.algorithm.as_str() == "argon2id" && hash.hash.is_some();
    if is_argon2id && params.m_cost() <= PasswordHashing::MEMORY_KIB_MAX {
        Ok(hash)
    } else {
        Err(PasswordError::NoHash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashing() -> PasswordHashing {
        PasswordHashing::new(&AuthConfig::default()).unwrap()
    }

    #[test]
    fn a_hash_fits_its_password_only() {
        let hash = hashing().hash("open sesame").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hashing().verify("open sesame", &hash));
        assert!(!hashing().verify("open sesam", &hash));
        assert_ne!(hash, hashing().hash("open sesame").unwrap(), "each hash has its own salt");
    }

    #[test]
    fn passwords_that_are_no_use_are_refused() {
        assert_eq!(hashing().hash("short"), Err(PasswordError::TooShort));
        assert_eq!(hashing().hash("two\nlines here"), Err(PasswordError::Character));
        assert_eq!(hashing().hash(&"x".repeat(1025)), Err(PasswordError::TooLong));
    }

    #[test]
    fn other_hashes_are_refused_and_fit_nothing() {
        let dear = "$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A";
        for bad in ["", "secret", "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aaaaaaaaaaaaaaaa", dear] {
            assert!(parse_hash(bad).is_err(), "{bad}");
            assert!(!hashing().verify("secret", bad), "{bad}");
        }
    }
}
