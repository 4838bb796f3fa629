//! What tells a file, as it is now, from any other and from itself before it was written to.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// Device and number of an inode: a file or directory, whatever stands in it.
pub(super) type Inode = (u64, u64);

pub(super) fn inode(found: &Metadata) -> Inode {
    (found.dev(), found.ino())
}

/// A file at one moment. Every write changes it, and so does every rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    inode: Inode,
    size_bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    pub(super) fn of(found: &Metadata) -> Self {
        Self {
            inode: inode(found),
            size_bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub(super) fn inode(&self) -> Inode {
        self.inode
    }
}

#[cfg(test)]
impl Identity {
    /// A file that a test makes up.
    pub(super) fn sample(inode: u64, size_bytes: u64) -> Self {
        Self { inode: (1, inode), size_bytes, modified: (0, 0), changed: (0, 0) }
    }
}
