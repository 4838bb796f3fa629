//! The section `[auth]`: what a password costs, ours and a guesser's, and when a guesser is turned away.
//!
//! Invariant: validated settings are never cheaper than OWASP's minimum for argon2id (19 MiB of
//! memory, 2 passes, 1 lane: Password Storage Cheat Sheet).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidegate_domain::units::{ByteSize, HumanDuration};

use super::Setting;
use crate::accounts::parse_network;

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
    /// How long a password that was found right is known to be so without another computation; zero for
    /// not at all.
    pub remember: HumanDuration,
    /// A refused login is answered no sooner than this after it was tried.
    pub refusal_delay: HumanDuration,
    /// With each failure of an account that delay doubles, up to this.
    pub refusal_delay_max: HumanDuration,
    /// Failed logins from one address within `failures_window` for which it is banned.
    pub failures_max: usize,
    /// How long a failed login counts.
    pub failures_window: HumanDuration,
    /// How long the first ban of an address lasts; each further one lasts twice as long as the one before.
    pub ban: HumanDuration,
    /// Longest ban, and how long an address has to be without failures until its next ban is a first one.
    pub ban_max: HumanDuration,
    /// Networks behind which there are many, such as a proxy's: never banned, and without a limit of
    /// sessions for each address.
    pub exempt_addresses: Vec<String>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            argon2_memory: ByteSize(Self::MEMORY_BYTES_MIN),
            argon2_passes: Self::PASSES_MIN,
            argon2_lanes: 1,
            checks_concurrent_max: 4,
            remember: HumanDuration(Duration::from_mins(10)),
            refusal_delay: HumanDuration(Duration::from_secs(1)),
            refusal_delay_max: HumanDuration(Duration::from_secs(20)),
            failures_max: 10,
            failures_window: HumanDuration(Duration::from_mins(10)),
            ban: HumanDuration(Duration::from_mins(15)),
            ban_max: HumanDuration(Duration::from_hours(24)),
            exempt_addresses: ["127.0.0.0/8", "::1"].map(str::to_owned).to_vec(),
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
        must(self.remember.0 <= Duration::from_hours(1), "remember", "use a duration of up to 1h");
        let delay_max = Duration::from_secs(30);
        must(self.refusal_delay.0 <= delay_max, "refusal_delay", "use a duration of up to 30s");
        let delays = self.refusal_delay.0..=delay_max;
        must(
            delays.contains(&self.refusal_delay_max.0),
            "refusal_delay_max",
            "use a duration from refusal_delay to 30s",
        );
        must((1..=100).contains(&self.failures_max), "failures_max", "use a number from 1 to 100");
        let windows = Duration::from_secs(1)..=Duration::from_hours(24);
        must(windows.contains(&self.failures_window.0), "failures_window", "use a duration from 1s to 1d");
        let longest = Duration::from_hours(24 * 30);
        must((windows.start()..=&longest).contains(&&self.ban.0), "ban", "use a duration from 1s to 30d");
        must((self.ban.0..=longest).contains(&self.ban_max.0), "ban_max", "use a duration from ban to 30d");
        for text in self.exempt_addresses.iter().filter(|text| parse_network(text).is_none()) {
            let message = format!("{text:?} is no network; write 192.0.2.0/24 or an address");
            problems.push(("exempt_addresses", message));
        }
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

    #[test]
    fn bans_that_can_not_be_kept_are_named() {
        let text = "remember = '2h'\nrefusal_delay_max = '0s'\nfailures_max = 0\nfailures_window = '0s'\nban = '2d'\n\
                    exempt_addresses = ['10.0.0.0/8', 'office']";
        let found: AuthConfig = toml::from_str(text).unwrap();
        let keys: Vec<_> = found.validate().into_iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            [
                "remember",
                "refusal_delay_max",
                "failures_max",
                "failures_window",
                "ban_max",
                "exempt_addresses"
            ]
        );
    }
}
