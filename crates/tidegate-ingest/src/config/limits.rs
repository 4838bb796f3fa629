//! The section `[limits]`: bounds that all doors share.
//!
//! Invariant: no bound is zero, so that validated limits let at least one session in and one byte
//! through.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidegate_domain::units::{ByteSize, HumanDuration};

use super::Setting;

/// What senders may use at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Longest upload in bytes; more is refused with 552.
    pub upload_bytes_max: ByteSize,
    /// Sessions at once that are logged in, over all doors; more are refused with 421.
    pub sessions_max: usize,
    /// Sessions at once of one organization; more are refused at login.
    pub sessions_per_org_max: usize,
    /// Sessions at once from one address, logged in or not; more are refused with 421.
    pub sessions_per_address_max: usize,
    /// Sessions at once that have not logged in; the one that has been silent for longest makes room.
    pub logins_pending_max: usize,
    /// Who has not logged in after this long is disconnected.
    pub login_max: HumanDuration,
    /// After this long without a command or without a byte of a running transfer, a session ends. An upload that has
    /// grown by less than 4 KiB meanwhile is given up; by SFTP with its session, whose uploads count together.
    pub session_idle_max: HumanDuration,
    /// Free space on the data directory's file system below which uploads are refused with 452.
    pub free_bytes_min: ByteSize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            upload_bytes_max: ByteSize(2 << 30),
            sessions_max: 500,
            sessions_per_org_max: 20,
            sessions_per_address_max: 50,
            logins_pending_max: 500,
            login_max: HumanDuration(Duration::from_mins(1)),
            session_idle_max: HumanDuration(Duration::from_mins(5)),
            free_bytes_min: ByteSize(2 << 30),
        }
    }
}

impl LimitsConfig {
    /// Most sessions that may be allowed: each takes up to three file descriptors.
    pub const SESSIONS_CEILING: usize = 100_000;

    /// Everything that makes the section unusable.
    pub fn validate(&self) -> Vec<Setting> {
        let mut problems = Vec::new();
        let mut must = |holds: bool, key, message: &str| {
            if !holds {
                problems.push((key, message.to_owned()));
            }
        };
        must(self.upload_bytes_max.0 > 0, "upload_bytes_max", "nothing could be uploaded; use 1B or more");
        must(
            (1..=Self::SESSIONS_CEILING).contains(&self.sessions_max),
            "sessions_max",
            "use a number from 1 to 100000",
        );
        must(
            (1..=self.sessions_max).contains(&self.sessions_per_org_max),
            "sessions_per_org_max",
            "use a number from 1 to sessions_max",
        );
        let ceiling = 1..=Self::SESSIONS_CEILING;
        must(
            ceiling.contains(&self.sessions_per_address_max),
            "sessions_per_address_max",
            "use a number from 1 to 100000",
        );
        must(
            ceiling.contains(&self.logins_pending_max),
            "logins_pending_max",
            "use a number from 1 to 100000",
        );
        let login_s = self.login_max.0.as_secs();
        must((1..=3600).contains(&login_s), "login_max", "use a duration from 1s to 1h");
        let idle_s = self.session_idle_max.0.as_secs();
        must((1..=86_400).contains(&idle_s), "session_idle_max", "use a duration from 1s to 1d");
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_usable() {
        assert_eq!(LimitsConfig::default().validate(), []);
        let text = toml::to_string(&LimitsConfig::default()).unwrap();
        assert!(text.contains("upload_bytes_max = \"2GiB\""), "{text}");
    }

    #[test]
    fn all_problems_come_together() {
        let text = "upload_bytes_max = '0B'\nsessions_max = 0\nsession_idle_max = '0s'";
        let limits: LimitsConfig = toml::from_str(text).unwrap();
        let keys: Vec<_> = limits.validate().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["upload_bytes_max", "sessions_max", "sessions_per_org_max", "session_idle_max"]);
    }
}
