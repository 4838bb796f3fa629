//! The section `[auth]`: what a password costs, ours and a guesser's.
//!
//! Invariant: validated settings are never cheaper than OWASP's minimum for argon2id (19 MiB of
//! memory, 2 passes, 1 lane: Password Storage Cheat Sheet).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidegate_domain::units::{ByteSize, HumanDuration};

use super::Setting;

/// How passwords are hashed and logins slowed down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// Memory of one argon2id computation (RFC 9106, parameter m).
    pub argon2_memory: ByteSize,
    /// Passes over that memory (parameter t).
    pub argon2_passes: u32,
    /// Lanes (parameter p).
    pub argon2_lanes: u32,
    /// Passwords that are checked at once; others wait for their turn.
    pub checks_concurrent_max: usize,
    /// A refused login is answered no sooner than this after it was tried.
    pub refusal_delay: HumanDuration,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            argon2_memory: ByteSize(Self::MEMORY_BYTES_MIN),
            argon2_passes: Self::PASSES_MIN,
            argon2_lanes: 1,
            checks_concurrent_max: 4,
            refusal_delay: HumanDuration(Duration::from_secs(1)),
        }
    }
}

impl AuthConfig {
    const MEMORY_BYTES_MIN: u64 = 19 << 20;
    const MEMORY_BYTES_MAX: u64 = 1 << 30;
    const PASSES_MIN: u32 = 2;

    /// Everything that makes the section unusable.
    pub fn validate(&self) -> Vec<Setting> {
        let mut problems = Vec::new();
        let mut must = |holds: bool, key, message: &str| {
            if !holds {
                problems.push((key, message.to_owned()));
            }
        };
        let memory = Self::MEMORY_BYTES_MIN..=Self::MEMORY_BYTES_MAX;
        must(memory.contains(&self.argon2_memory.0), "argon2_memory", "use a size from 19MiB to 1GiB");
        let passes = Self::PASSES_MIN..=100;
        must(passes.contains(&self.argon2_passes), "argon2_passes", "use a number from 2 to 100");
        must((1..=16).contains(&self.argon2_lanes), "argon2_lanes", "use a number from 1 to 16");
        must(
            (1..=64).contains(&self.checks_concurrent_max),
            "checks_concurrent_max",
            "use a number from 1 to 64",
        );
        let delay_max = Duration::from_secs(30);
        must(self.refusal_delay.0 <= delay_max, "refusal_delay", "use a duration of up to 30s");
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_least_that_is_allowed() {
        assert_eq!(AuthConfig::default().validate(), []);
        let weak: AuthConfig = toml::from_str("argon2_memory = '18MiB'\nargon2_passes = 1").unwrap();
        let keys: Vec<_> = weak.validate().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["argon2_memory", "argon2_passes"]);
    }
}
