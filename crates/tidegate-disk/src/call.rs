//! What a watched disk tells, and what it may be told.

use std::fmt::Debug;
use std::io;
use std::path::Path;

/// A call on its way to the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call<'a> {
    /// A file is created, or emptied.
    Create(&'a Path),
    /// A file or directory is opened, or from here on is written past the page cache; nothing changes.
    Open(&'a Path),
    /// Bytes are written to a file at an offset.
    Write {
        /// The name under which the file was opened.
        path: &'a Path,
        /// Where, in bytes from its start.
        at: u64,
        /// What.
        bytes: &'a [u8],
    },
    /// A file is cut to a length in bytes.
    Cut {
        /// The name under which the file was opened.
        path: &'a Path,
        /// Its new length.
        len: u64,
    },
    /// Room is set aside for a file from its start on; its bytes and its length stay as they are.
    Reserve {
        /// Its name.
        path: &'a Path,
        /// Up to here, in bytes.
        len: u64,
    },
    /// A directory is made, with those above it.
    MakeDir(&'a Path),
    /// A file gets another name.
    Rename {
        /// Its name.
        from: &'a Path,
        /// Its new name; whatever has it goes.
        to: &'a Path,
    },
    /// Two files or directories get each other's name.
    Exchange {
        /// The one.
        one: &'a Path,
        /// The other.
        other: &'a Path,
    },
    /// A file gets a second name; nothing happens if something has that already.
    Link {
        /// Its name.
        from: &'a Path,
        /// The second one.
        to: &'a Path,
    },
    /// A file, or a directory with everything in it, goes.
    Remove(&'a Path),
    /// The bytes of a file, or the entries of a directory, shall be durable.
    Sync(&'a Path),
    /// Everything on the file system shall be durable.
    SyncAll,
}

/// How much of a call may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// All of it.
    Whole,
    /// Of a write only the first so many bytes; then it fails as on a full disk.
    Bytes(usize),
    /// Of a sync nothing, though it succeeds: whoever watches keeps the books of what is durable.
    Pretence,
}

/// Hears of each call before it is made; may be called by several threads at once.
pub trait Watch: Send + Sync + Debug {
    /// Lets the call happen, or says why it fails.
    fn before(&self, call: &Call<'_>) -> io::Result<Grant>;
}
