//! What a sender sees behind a door: `/` with `inbox/` and `outbox/`, on top of the store.
//!
//! Invariant: no path of a client is ever opened. Paths are places in a tree that exists only here;
//! names are looked up in the store. [`InboxStorage`] implements unftp-core's `StorageBackend` and
//! knows no engine.

mod backend;
mod changes;
mod completion;
mod digests;
mod entry;
mod error;
mod pace;
mod place;
mod proved;
mod reading;
mod receive;
mod resume;
mod sidecar;
mod submitted;
mod tail;
mod temporary;

pub use backend::InboxStorage;
pub use entry::Entry;
pub use error::TransferError;
pub(crate) use pace::Pace;
pub use place::Place;
pub use sidecar::SidecarError;
pub use temporary::TemporaryNames;
