//! The sections `[worker]` and `[retention]`.
//!
//! Invariant: every key has a default and no other keys are known. Nothing here touches a file.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidegate_domain::Terms;
use tidegate_domain::units::HumanDuration;

/// Shorter terms would take answers away before their senders fetch them.
const TERM_MIN: Duration = Duration::from_hours(1);

/// A setting that can't be used: its key inside the section, and what to do about it.
pub type Setting = (&'static str, String);

/// How files are processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerConfig {
    /// Files that are processed at once, each of another organization.
    pub jobs_concurrent_max: usize,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { jobs_concurrent_max: 2 }
    }
}

impl WorkerConfig {
    /// Everything that makes the section unusable.
    pub fn validate(&self) -> Vec<Setting> {
        if (1..=64).contains(&self.jobs_concurrent_max) {
            return Vec::new();
        }
        vec![("jobs_concurrent_max", "use a number from 1 to 64".to_owned())]
    }
}

/// How long what was processed is kept, counted from the end of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// For complete, duplicate and cancelled jobs.
    pub complete: HumanDuration,
    /// For jobs in error.
    pub error: HumanDuration,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        let days = |count: u64| HumanDuration(Duration::from_hours(24 * count));
        Self { complete: days(30), error: days(90) }
    }
}

impl RetentionConfig {
    /// Everything that makes the section unusable.
    pub fn validate(&self) -> Vec<Setting> {
        [("complete", self.complete), ("error", self.error)]
            .into_iter()
            .filter(|(_, term)| term.0 < TERM_MIN)
            .map(|(key, _)| (key, "use at least \"1h\": senders need time to fetch their answers".to_owned()))
            .collect()
    }

    /// The terms.
    pub const fn terms(&self) -> Terms {
        Terms { complete: self.complete.0, error: self.error.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_hold_and_unknown_keys_are_refused() {
        let worker: WorkerConfig = toml::from_str("").unwrap();
        assert_eq!((worker.jobs_concurrent_max, worker.validate()), (2, vec![]));
        assert!(toml::from_str::<WorkerConfig>("jobs = 3").is_err());
    }

    #[test]
    fn unusable_values_are_named_by_their_key() {
        for jobs_concurrent_max in [0, 65] {
            let problems = WorkerConfig { jobs_concurrent_max }.validate();
            assert_eq!(problems.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["jobs_concurrent_max"]);
        }
        let short: RetentionConfig = toml::from_str("complete = '59m'\nerror = '0s'").unwrap();
        assert_eq!(short.validate().iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["complete", "error"]);
        assert_eq!(RetentionConfig::default().validate(), []);
    }
}
