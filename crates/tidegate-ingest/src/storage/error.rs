//! What can go wrong with a sender's request, and the reply to each.
//!
//! Invariant: this is the one place where failures become replies, of FTP and of SFTP. FTP's 4xx: the same
//! request may succeed later (RFC 959, 4.2.1); 5xx: it never will. No text names a file.
//!
//! | failure | FTP | SFTP |
//! |---|---|---|
//! | name refused by [`tidegate_domain::UploadName`], or a directory's | 553 | failure |
//! | larger than `upload_bytes_max` | 552 | failure |
//! | too little free space; too many files wait, or were sent within a minute | 452 | failure |
//! | control or data connection lost, ended without `close_notify`, or stalled | 426 | failure |
//! | no such file or directory | 550 | no such file |
//! | accepted files can't be read, changed or deleted; account shut out | 550 | permission denied |
//! | nothing to go on with | 550 | failure |
//! | a sidecar that submits nothing | 550 | failure |
//! | a write that can't be put in its place, or bytes that never came | - | failure |
//! | the service stops | - | failure |
//! | the store or this host failed | 451 | failure |

use std::io;

use russh_sftp::protocol::StatusCode;
use tidegate_domain::NameError;
use tidegate_store::StoreError;
use unftp_core::storage::{Error, ErrorKind};

use super::sidecar::SidecarError;
use crate::accounts::LoginRefused;
use crate::intake::UsedUp;

/// Why a request of a sender failed.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The upload's name can't be taken.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The upload is too long.
    #[error("the file is larger than the server takes")]
    TooLarge,
    /// The control connection is gone, so nobody would read the reply.
    #[error("the control connection was lost")]
    ControlLost,
    /// The data connection broke off.
    #[error("the data connection was lost: {0}")]
    DataLost(io::ErrorKind),
    /// An encrypted data connection ended without saying so, and the file's trailer does not prove it whole.
    #[error(
        "the data connection ended without close_notify, and no FTS or BTS at the file's end proves it whole: \
         send it again; if your client always ends so, wrap the file in a batch"
    )]
    Unclosed,
    /// For too long not a byte went through, or too few of an upload.
    #[error("the transfer stalled")]
    Stalled,
    /// There is no such file.
    #[error("no such file")]
    NoSuchFile,
    /// There is no such directory.
    #[error("no such directory")]
    NoSuchDirectory,
    /// The tree does not allow it.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// The account was shut out since it logged in.
    #[error("the account is no longer let in: {0}")]
    ShutOut(#[from] LoginRefused),
    /// The organization has used up what it may for now.
    #[error(transparent)]
    UsedUp(#[from] UsedUp),
    /// No broken or staged upload of this name has so many bytes.
    #[error("there is nothing here to go on with from there; send the whole file")]
    NoResume,
    /// A sidecar submits nothing.
    #[error(transparent)]
    Sidecar(#[from] SidecarError),
    /// An SFTP write that changes bytes that have arrived, or is too far ahead of them.
    #[error("this write is out of order; write the file from its beginning to its end")]
    OutOfOrder,
    /// An SFTP upload was closed although bytes in its middle never came.
    #[error("bytes in the middle of the file are missing; send the whole file")]
    Hole,
    /// An SFTP upload was closed although a write of it was refused.
    #[error("a write was refused, so the file is not whole")]
    Broken,
    /// An upload by SFTP was begun after the service was told to stop.
    #[error("the service stops; try again later")]
    Stopping,
    /// Reading a response failed.
    #[error("a response can't be read: {0}")]
    Response(io::ErrorKind),
    /// The store failed or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TransferError {
    /// Whether the upload may be gone on with: what came is fine, and more of it could not come.
    pub(crate) fn is_break(&self) -> bool {
        matches!(self, Self::ControlLost | Self::DataLost(_) | Self::Unclosed | Self::Stalled)
    }

    /// The reply.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Name(_) => ErrorKind::FileNameNotAllowedError,
            Self::TooLarge => ErrorKind::ExceededStorageAllocationError,
            Self::ControlLost | Self::DataLost(_) | Self::Unclosed | Self::Stalled => {
                ErrorKind::ConnectionClosed
            }
            Self::NoSuchFile | Self::NoResume | Self::Sidecar(_) | Self::Store(StoreError::NotFound) => {
                ErrorKind::PermanentFileNotAvailable
            }
            Self::NoSuchDirectory => ErrorKind::PermanentDirectoryNotAvailable,
            Self::NotAllowed(_) | Self::ShutOut(_) => ErrorKind::PermissionDenied,
            Self::UsedUp(_) | Self::Store(StoreError::NoSpace) => ErrorKind::InsufficientStorageSpaceError,
            Self::OutOfOrder
            | Self::Hole
            | Self::Broken
            | Self::Stopping
            | Self::Response(_)
            | Self::Store(_) => ErrorKind::LocalError,
        }
    }
}

impl TransferError {
    /// The status that says so over SFTP. Version 3 of the protocol has few codes; the text says the rest.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchFile | Self::NoSuchDirectory | Self::Store(StoreError::NotFound) => {
                StatusCode::NoSuchFile
            }
            Self::NotAllowed(_) | Self::ShutOut(_) => StatusCode::PermissionDenied,
            _ => StatusCode::Failure,
        }
    }
}

impl From<TransferError> for Error {
    fn from(error: TransferError) -> Self {
        Self::new(error.kind(), error)
    }
}
