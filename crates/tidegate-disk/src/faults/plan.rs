//! Which call fails, and how.

use std::io;

use rustix::io::Errno;

use crate::Call;

/// What a call does, whatever it does it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Creates or empties a file.
    Create,
    /// Opens a file or directory.
    Open,
    /// Writes.
    Write,
    /// Cuts a file.
    Cut,
    /// Sets room aside.
    Reserve,
    /// Makes a directory.
    MakeDir,
    /// Renames.
    Rename,
    /// Links.
    Link,
    /// Removes.
    Remove,
    /// Syncs a file, a directory or everything.
    Sync,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No space left (ENOSPC); nothing of it happens.
    NoSpace,
    /// Input/output error (EIO) of anything but a sync; nothing of it happens.
    Broken,
    /// Input/output error of a sync: the bytes that it should have written are lost.
    FailedSync,
    /// Too many open files (EMFILE).
    NoFiles,
    /// A part of a write happens, then there is no space left.
    Short(Part),
    /// The power is cut just before it; all later calls fail.
    PowerCut,
}

/// How much of a write happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first byte.
    First,
    /// Half of it.
    Half,
    /// All but the last byte.
    AllButLast,
}

/// One fault at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The first call that may fail, counted from 0; it is that one or the next that can fail so.
    pub call: usize,
    /// How it fails.
    pub fault: Fault,
}

impl Plan {
    pub(super) fn strikes(&self, number: usize, kind: Kind) -> bool {
        number >= self.call && self.fault.fits(kind)
    }
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 8] = [
        Self::NoSpace,
        Self::Broken,
        Self::FailedSync,
        Self::NoFiles,
        Self::Short(Part::First),
        Self::Short(Part::Half),
        Self::Short(Part::AllButLast),
        Self::PowerCut,
    ];

    /// Whether a call of a kind can fail so.
    pub const fn fits(self, kind: Kind) -> bool {
        match self {
            Self::NoSpace => matches!(kind, Kind::Create | Kind::Write | Kind::Reserve),
            Self::NoFiles => matches!(kind, Kind::Create | Kind::Open),
            Self::Short(_) => matches!(kind, Kind::Write),
            Self::Broken => !matches!(kind, Kind::Sync),
            Self::FailedSync => matches!(kind, Kind::Sync),
            Self::PowerCut => true,
        }
    }

    pub(super) fn error(self) -> io::Error {
        match self {
            Self::NoSpace | Self::Short(_) => Errno::NOSPC.into(),
            Self::NoFiles => Errno::MFILE.into(),
            Self::Broken | Self::FailedSync | Self::PowerCut => Errno::IO.into(),
        }
    }
}

impl Part {
    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        let len = match self {
            Self::First => 1,
            Self::Half => bytes.len() / 2,
            Self::AllButLast => bytes.len().saturating_sub(1),
        };
        bytes.get(..len).unwrap_or(bytes)
    }
}

impl Kind {
    pub(super) const fn of(call: &Call<'_>) -> Self {
        match call {
            Call::Create(_) => Self::Create,
            Call::Open(_) => Self::Open,
            Call::Write { .. } => Self::Write,
            Call::Cut { .. } => Self::Cut,
            Call::Reserve { .. } => Self::Reserve,
            Call::MakeDir(_) => Self::MakeDir,
            Call::Rename { .. } | Call::Exchange { .. } => Self::Rename,
            Call::Link { .. } => Self::Link,
            Call::Remove(_) => Self::Remove,
            Call::Sync(_) | Call::SyncAll => Self::Sync,
        }
    }
}
