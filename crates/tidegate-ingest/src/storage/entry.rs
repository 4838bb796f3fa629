//! Directories and files as clients list them.
//!
//! Invariant: an accepted file looks like a plain file that can only be read; nothing of the server's
//! own users, groups or paths shows.

use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::SystemTime;

use tidegate_store::SenderFile;
use unftp_core::storage::{Fileinfo, Metadata, Permissions, Result};

/// What is known of one place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    size_bytes: u64,
    /// `None` for directories, which have no time of their own.
    modified: Option<SystemTime>,
}

impl Entry {
    pub(crate) const DIRECTORY: Self = Self { size_bytes: 0, modified: None };

    pub(super) fn listed((name, metadata): (Vec<u8>, Self)) -> Fileinfo<PathBuf, Self> {
        Fileinfo { path: PathBuf::from(std::ffi::OsString::from_vec(name)), metadata }
    }

    /// A file of this length that was accepted just now.
    pub(crate) fn accepted_now(size_bytes: u64) -> Self {
        Self { size_bytes, modified: Some(SystemTime::now()) }
    }
}

impl From<&SenderFile> for Entry {
    fn from(file: &SenderFile) -> Self {
        Self { size_bytes: file.size_bytes, modified: Some(file.modified.into()) }
    }
}

impl From<&std::fs::Metadata> for Entry {
    fn from(metadata: &std::fs::Metadata) -> Self {
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Self { size_bytes: metadata.len(), modified: Some(modified) }
    }
}

impl Metadata for Entry {
    fn len(&self) -> u64 {
        self.size_bytes
    }

    fn is_dir(&self) -> bool {
        self.modified.is_none()
    }

    fn is_file(&self) -> bool {
        self.modified.is_some()
    }

    fn is_symlink(&self) -> bool {
        false
    }

    /// Of directories the present moment: something may have come or gone in them at any time, and people wonder
    /// about 1970.
    fn modified(&self) -> Result<SystemTime> {
        Ok(self.modified.unwrap_or_else(SystemTime::now))
    }

    fn gid(&self) -> u32 {
        0
    }

    fn uid(&self) -> u32 {
        0
    }

    fn permissions(&self) -> Permissions {
        Permissions(if self.is_dir() { 0o755 } else { 0o444 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_may_have_changed_just_now() {
        let before = SystemTime::now();
        let modified = Entry::DIRECTORY.modified().unwrap();
        assert!(modified >= before, "{modified:?}");
    }
}
