//! What tells a file, as it is now, from any other and from itself before it was written to.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// A file at one moment. Every write changes it, and so does every rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    size_bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    pub(super) fn of(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size_bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Device and inode: the file, whatever stands in it.
    pub(super) fn file(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

#[cfg(test)]
impl Identity {
    /// A file that a test makes up.
    pub(super) fn sample(inode: u64, size_bytes: u64) -> Self {
        Self { device: 1, inode, size_bytes, modified: (0, 0), changed: (0, 0) }
    }
}
