//! What can go wrong, classed by what the caller has to do.

use std::io;
use std::path::PathBuf;

use tidegate_domain::JobId;
use tidegate_domain::job::IllegalTransition;

/// Why a running store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A write or sync of the journal failed, so nothing more is promised: the process has to end,
    /// and the next start finds everything that was acknowledged.
    #[error("the store has failed and takes nothing more until the service is restarted")]
    Poisoned,
    /// The store is closing.
    #[error("the store is closed")]
    Closed,
    /// Too little free space; nothing was kept of the attempt. Try again later.
    #[error("too little free space")]
    NoSpace,
    /// No such file: the one that was asked for.
    #[error("no such file")]
    NotFound,
    /// The file's bytes are not those that were asked for. Nothing was changed.
    #[error("the file's SHA-256 is not the one that was given")]
    OtherBytes,
    /// No job of this id.
    #[error("no such job")]
    UnknownJob,
    /// The claim was lost: its lease ran out or the job went on without it. Nothing was changed.
    #[error("the claim is no longer valid")]
    StaleClaim,
    /// Nothing may be claimed now, so a call is not accepted. Nothing was kept of it.
    #[error("the gate is closed")]
    GateClosed,
    /// The same call is being worked on already, as this job. Nothing was kept of this one.
    #[error("the same call is under way as job {0}")]
    Underway(JobId),
    /// As many as there may be.
    #[error("there are too many {0}")]
    TooMany(&'static str),
    /// The job's state doesn't allow it.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// The file system refused.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, without names of senders' files.
        doing: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// The index refused a read or is damaged; `tidegate store rebuild` makes a new one.
    #[error("the queue's index can't be read: {0}")]
    Index(String),
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("another process uses {0}")]
    Locked(PathBuf),
    /// The directory belongs to another version or program.
    #[error(transparent)]
    Layout(#[from] tidegate_migrations::MigrationError),
    /// What must not be missing is missing, or was changed by something else.
    #[error("the journal in {path} is damaged: {what}")]
    Damaged {
        /// The journal's directory or file.
        path: PathBuf,
        /// What is wrong and what to do.
        what: String,
    },
    /// The file system refused.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what; never a sender's file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The index can't be made.
    #[error("the queue's index can't be made: {0}")]
    Index(String),
}

impl OpenError {
    /// The journal could not be read, or is not what it should be.
    pub(crate) fn journal(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::InvalidData => Self::Damaged { path, what: source.to_string() },
            _ => Self::Io { doing: "reading", path, source },
        }
    }

    pub(crate) fn io(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

impl StoreError {
    /// Names what was being done when the file system refused; a full disk has its own name.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => Self::Io { doing, source },
        }
    }

    /// Whether a sync failed, so that nothing is promised any more.
    pub(crate) fn is_failed_sync(&self) -> bool {
        matches!(self, Self::Io { source, .. } if tidegate_disk::is_failed_sync(source))
    }

    /// The same where a file was asked for that need not be there. Anything else that is missing, such as a
    /// directory of the store's own, is no answer to whoever asked.
    pub(crate) fn file(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            _ => Self::io(doing)(source),
        }
    }
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(source) if is_shortage(&source) => Self::io("using the index")(source),
            sled::Error::Io(source) if is_locked(&source) => {
                Self::Io { doing: "locking the index", source: io::ErrorKind::WouldBlock.into() }
            }
            error => Self::Index(error.to_string()),
        }
    }
}

/// Whether somebody else has sled's file open, which sled tells by these words alone.
fn is_locked(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Other && error.to_string().starts_with("could not acquire lock")
}

/// Whether the machine lacks something just now, so that nothing follows for what was to be read.
fn is_shortage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let shortages =
        [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOSPC, Errno::DQUOT, Errno::ACCESS, Errno::ROFS];
    Errno::from_io_error(error).is_some_and(|errno| shortages.contains(&errno))
}
