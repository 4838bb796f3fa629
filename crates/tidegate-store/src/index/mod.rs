//! The queue's index in sled: a view of the journal, for quick answers and a quick start.
//!
//! Invariant: the index shows the changes up to its mark and none after it. It is written by one
//! thread, which gives sled what it has collected in one batch, the mark inside it; sled recovers a
//! batch whole or not at all. The mark carries a digest over everything else, so that a start notices
//! an index that lost or kept what it should not, and makes a new one from the journal.
//!
//! One tree with tagged keys serves, because sled's batches are atomic within a tree only.

mod apply;
mod database;
mod digest;
mod keys;
mod lock;
mod mark;
mod read;
mod recent;
mod renewal;
mod room;
mod write;

pub(crate) use apply::Applied;
pub(crate) use database::Former;
pub(crate) use lock::wait_until_unlocked;
pub(crate) use mark::Mark;
pub(crate) use read::{InboxFile, Reader};
pub(crate) use renewal::contained;
pub(crate) use write::{Condition, Durability, Index};
