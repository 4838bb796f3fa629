//! A backup while the server runs.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tidegate_store::{BackupDone, BackupProgress};

use super::ApiError;

/// `POST /v1/store/backup`. The answer is a line of JSON for each [`BackupNews`]; whoever hangs up
/// before the end interrupts the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupRequest {
    /// An absolute path on the server's host, where there is nothing yet or an empty directory.
    pub directory: PathBuf,
}

/// How a backup goes on. The last news is one of the latter two; if it is missing, the backup is not whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupNews {
    /// It is on its way.
    Progress {
        /// Jobs whose files are copied.
        jobs: u64,
        /// Jobs in all.
        jobs_all: u64,
        /// Bytes copied.
        bytes: u64,
    },
    /// It is whole and durable.
    Done(BackupView),
    /// There is no backup.
    Failed(ApiError),
}

/// A backup that is whole and durable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackupView {
    /// Where it lies.
    pub directory: PathBuf,
    /// The instant that it shows.
    pub at: DateTime<Utc>,
    /// Jobs in it.
    pub jobs: u64,
    /// Files in it.
    pub files: u64,
    /// Their length in bytes.
    pub bytes: u64,
    /// Jobs not yet processed whose bytes are missing from the store, and so from the backup.
    pub jobs_without_bytes: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl BackupView {
    /// What is told of a backup in `directory` that took `seconds`.
    pub fn new(directory: PathBuf, done: BackupDone, seconds: f64) -> Self {
        let BackupDone { at, jobs, files, bytes, jobs_without_bytes } = done;
        Self { directory, at, jobs, files, bytes, jobs_without_bytes, seconds }
    }
}

impl From<BackupProgress> for BackupNews {
    fn from(progress: BackupProgress) -> Self {
        let BackupProgress { jobs, jobs_all, bytes } = progress;
        Self::Progress { jobs, jobs_all, bytes }
    }
}
