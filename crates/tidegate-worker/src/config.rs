//! The sections `[worker]`, `[delivery]` and `[retention]`.
//!
//! Invariant: every key has a default and no other keys are known. Nothing here touches a file except
//! [`DeliveryConfig::target`].

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidegate_domain::Terms;
use tidegate_domain::units::HumanDuration;

use crate::deliver::{Deliver, DirectoryTarget};

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

/// Where accepted messages go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// What kind of target it is.
    pub kind: DeliveryKind,
    /// The directory; `delivered` in the data directory where absent. On the data directory's own
    /// file system a delivery costs no sync of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
}

/// The kinds of targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryKind {
    /// One file for each message, see [`DirectoryTarget`].
    #[default]
    Directory,
}

impl DeliveryConfig {
    /// Everything that makes the section unusable.
    pub fn validate(&self) -> Vec<Setting> {
        if self.path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            return vec![("path", "name a directory, or leave the key out".to_owned())];
        }
        Vec::new()
    }

    /// Where messages go; a relative path starts at `data_dir`.
    pub fn directory(&self, data_dir: &Path) -> PathBuf {
        data_dir.join(self.path.as_deref().unwrap_or(Path::new("delivered")))
    }

    /// Opens the target; a relative path starts at `data_dir`.
    pub fn target(&self, data_dir: &Path) -> io::Result<Arc<dyn Deliver>> {
        match self.kind {
            DeliveryKind::Directory => {
                Ok(Arc::new(DirectoryTarget::open(&self.directory(data_dir), data_dir)?))
            }
        }
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
        assert!(toml::from_str::<DeliveryConfig>("kind = 'pigeon'").is_err());
        assert_eq!(
            toml::from_str::<DeliveryConfig>("kind = 'directory'").unwrap(),
            DeliveryConfig::default()
        );
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
        let nowhere: DeliveryConfig = toml::from_str("path = ''").unwrap();
        assert_eq!(nowhere.validate().len(), 1);
    }
}
