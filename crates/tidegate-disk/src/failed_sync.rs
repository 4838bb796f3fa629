//! The mark on an error that came from a sync.
//!
//! A sync that failed must never be tried again: the kernel may have dropped what it could not write,
//! and the second attempt would succeed without it. So whoever handles an error has to be able to tell.

use std::io;

/// A sync failed, for the reason inside.
#[derive(Debug)]
struct FailedSync(io::Error);

impl std::fmt::Display for FailedSync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sync failed: {}", self.0)
    }
}

impl std::error::Error for FailedSync {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

pub(crate) fn mark(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), FailedSync(error))
}

/// Whether an error of a [`Disk`](crate::Disk) says that a sync failed: nothing that was to be durable
/// by it may be taken for durable any more, whatever a later sync says.
pub fn is_failed_sync(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<FailedSync>()).is_some()
}
