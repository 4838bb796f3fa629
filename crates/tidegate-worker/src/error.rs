//! What ends the worker; everything else ends, at most, one attempt at one job.

use std::io;

use tidegate_store::StoreError;

/// Why the worker ended although nobody told it to.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The store failed or was closed under it: the process has to end, the next start goes on.
    #[error("the worker ended: {0}")]
    Store(#[source] StoreError),
    /// Delivered messages could not be made durable. A failed sync is never tried again, since it may
    /// succeed without having written: the process has to end, the next start delivers them again.
    #[error("the worker ended: syncing delivered messages: {0}")]
    Settle(#[source] io::Error),
}
