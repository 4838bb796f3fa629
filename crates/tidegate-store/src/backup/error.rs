//! Why there is no backup.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// Why a backup was not made, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Another one is being made.
    #[error("another backup is being made: wait for its end")]
    Busy,
    /// There is something in the way.
    #[error("{path} is not empty: name a directory that does not exist yet, or an empty one")]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The rest of a backup lies there.
    #[error("{path} holds a backup that was interrupted: remove it, or name another directory")]
    Rest {
        /// The directory.
        path: PathBuf,
    },
    /// It would copy itself.
    #[error("{path} lies inside the data directory: name a directory elsewhere, best on another disk")]
    Inside {
        /// The directory.
        path: PathBuf,
    },
    /// The target can't be used.
    #[error(
        "{doing} {path}: {source}; the server's user makes the backup, and needs the right to write there"
    )]
    Target {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The target's disk is full, or would soon be too full for uploads.
    #[error(
        "too little space in {path}: what was copied so far is no backup; remove it, and make room or name \
         another disk"
    )]
    NoSpace {
        /// The backup's directory.
        path: PathBuf,
    },
    /// The journal, or its copy, can't be read throughout.
    #[error(
        "{path} is damaged: what the index alone still knows would be missing from a backup. See `tidegate store \
         verify`; stop the service and copy the whole data directory"
    )]
    Damaged {
        /// The journal's directory.
        path: PathBuf,
    },
    /// Whoever asked went away, or the server stops.
    #[error("the backup was interrupted and is not whole: remove its directory and begin anew")]
    Interrupted,
    /// A file can't be copied.
    #[error("copying {what}: {source}; what was copied so far is no backup: remove it")]
    Copy {
        /// What, without names of senders' files.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// The store itself has failed or is closed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    pub(super) fn target(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { path },
            _ => Self::Target { doing, path, source },
        }
    }

    pub(super) fn copy(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Copy { what, source }
    }
}

/// The journal is read from its copy, so reading it fails where the copy can't be read.
impl From<io::Error> for BackupError {
    fn from(source: io::Error) -> Self {
        Self::Copy { what: "the journal", source }
    }
}
