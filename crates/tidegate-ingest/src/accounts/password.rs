//! Passwords as argon2id hashes (RFC 9106) in PHC form.
//!
//! Invariant: checking takes the parameters from the hash, so that raising the cost in the
//! configuration locks nobody out; new hashes take them from the configuration. Both block for tens
//! of milliseconds: call them off the runtime.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};

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

/// Makes new hashes at the configured cost, and checks passwords.
#[derive(Debug, Clone)]
pub struct PasswordHashing {
    argon2: Argon2<'static>,
    /// Memory of checks that are over, for those to come. Given back to the allocator it would stay with the
    /// thread that had it: after 180 logins from 12 clients the service had 890 MB, and with this 93 MB.
    spare: Arc<Mutex<Vec<Vec<Block>>>>,
}

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
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { argon2, spare: Arc::default() })
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
        let hash = self.argon2.hash_password(password.as_bytes());
        Ok(hash.map_err(|error| PasswordError::Hashing(error.to_string()))?.to_string())
    }

    /// Whether `password` belongs to `hash`. Blocks.
    pub(super) fn verify(&self, password: &str, hash: &str) -> bool {
        password.len() <= Self::BYTES_MAX
            && parse_hash(hash).is_ok_and(|hash| self.fits(password.as_bytes(), &hash).unwrap_or(false))
    }

    /// `None` if the hash can't be computed.
    fn fits(&self, password: &[u8], hash: &PasswordHash) -> Option<bool> {
        let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, version, Params::try_from(hash).ok()?);
        let mut output = vec![0; expected.len()];
        let mut memory = self.spare().pop().unwrap_or_default();
        memory.resize(argon2.params().block_count(), Block::default());
        let computed = argon2.hash_password_into_with_memory(password, salt, &mut output, &mut memory);
        // An old hash may need more or less than it takes now; that is not worth keeping.
        if memory.len() == self.argon2.params().block_count() {
            self.spare().push(memory);
        }
        computed.ok()?;
        // This comparison takes the same time wherever they differ.
        Some(Output::new(&output).ok()? == *expected)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
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
    use tidegate_domain::units::ByteSize;

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
    fn checks_one_after_the_other_use_the_same_memory() {
        let hashing = hashing();
        let hash = hashing.hash("open sesame").unwrap();
        let dearer = AuthConfig { argon2_memory: ByteSize(20 << 20), ..AuthConfig::default() };
        let other = PasswordHashing::new(&dearer).unwrap().hash("open sesame").unwrap();
        for (password, hash, fits) in [
            ("open sesame", &hash, true),
            ("wrong", &hash, false),
            ("open sesame", &other, true),
            ("open sesame", &hash, true),
        ] {
            assert_eq!(hashing.clone().verify(password, hash), fits);
            let kept: Vec<usize> = hashing.spare().iter().map(Vec::len).collect();
            assert!(kept.iter().all(|blocks| *blocks == 19 << 10) && kept.len() <= 1, "{kept:?}");
        }
        assert_eq!(hashing.spare().len(), 1);
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
