//! A backend's errors as replies.

use std::error::Error as _;
use std::io;

use unftp_core::storage::{Error, ErrorKind};

use crate::reply::Reply;

/// The reply to a request that the backend refused. Its own words are passed on, so that a client
/// learns more than a code; an operating system's are not, which speak of the server's insides.
pub(crate) fn reply(error: &Error) -> Reply {
    let (code, text) = of_kind(error.kind());
    let own = error.source().filter(|source| !source.is::<io::Error>()).map(ToString::to_string);
    Reply::new(code, own.as_deref().filter(|own| !own.is_empty()).unwrap_or(text))
}

/// Codes by RFC 959, 4.2.1: 4xx may succeed later, 5xx never will.
fn of_kind(kind: ErrorKind) -> (u16, &'static str) {
    match kind {
        ErrorKind::TransientFileNotAvailable => (450, "The file is not available now; try again"),
        ErrorKind::PermanentFileNotAvailable => (550, "No such file"),
        ErrorKind::PermanentDirectoryNotAvailable => (550, "No such directory"),
        ErrorKind::PermanentDirectoryNotEmpty => (550, "The directory is not empty"),
        ErrorKind::PermissionDenied => (550, "Not allowed"),
        ErrorKind::ConnectionClosed => (426, "The transfer was given up: aborted, or a connection was lost"),
        ErrorKind::LocalError => (451, "The server failed; try again later"),
        ErrorKind::PageTypeUnknown => (551, "Page type unknown"),
        ErrorKind::InsufficientStorageSpaceError => (452, "Too little space; try again later"),
        ErrorKind::ExceededStorageAllocationError => (552, "Larger than allowed"),
        ErrorKind::FileNameNotAllowedError => (553, "The name is not allowed"),
        ErrorKind::CommandNotImplemented => (502, "Not supported"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backends_words_are_passed_on_but_not_the_systems() {
        let own = Error::new(ErrorKind::ExceededStorageAllocationError, "at most 2 GiB");
        assert_eq!(reply(&own).to_bytes(), b"552 at most 2 GiB\r\n");
        let system = Error::new(ErrorKind::LocalError, io::Error::other("/srv/secret: broken"));
        assert_eq!(reply(&system).to_bytes(), b"451 The server failed; try again later\r\n");
        assert_eq!(reply(&ErrorKind::PermissionDenied.into()).to_bytes(), b"550 Not allowed\r\n");
    }
}
