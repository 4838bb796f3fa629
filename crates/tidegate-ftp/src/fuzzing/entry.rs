//! What a storage in memory tells of its files; the tests' storage has it from here.

use std::time::{Duration, SystemTime};

use unftp_core::storage::{Metadata, Result};

/// A file's length, or nothing for a directory.
#[derive(Debug)]
pub(super) struct Entry(pub(super) Option<usize>);

impl Metadata for Entry {
    fn len(&self) -> u64 {
        self.0.unwrap_or(0) as u64
    }
    fn is_dir(&self) -> bool {
        self.0.is_none()
    }
    fn is_file(&self) -> bool {
        self.0.is_some()
    }
    fn is_symlink(&self) -> bool {
        false
    }
    fn modified(&self) -> Result<SystemTime> {
        Ok(SystemTime::UNIX_EPOCH + Duration::from_hours(24))
    }
    fn gid(&self) -> u32 {
        0
    }
    fn uid(&self) -> u32 {
        0
    }
}
