//! The journal: an append-only log of every change, and the truth of the store.
//!
//! Invariants: a batch is on stable storage before anyone hears of it; nothing is appended behind a
//! batch that is not; so whatever is unreadable at the very end was never acknowledged. Everything
//! else in the data directory but the payload files can be made again from here.
//!
//! Segments are named by the first change in them. A small upload's bytes ride in the batch that
//! accepts it, so that many uploads share one sync; when a segment is full it is *sealed*: rewritten
//! without those bytes, once the files that hold them are durable themselves.

mod compact;
mod end;
mod frame;
mod reader;
mod rewrite;
mod seal;
mod segment;
mod writer;

pub(crate) use compact::{Load, Run};
pub(crate) use frame::{BATCH_BYTES_MAX, BatchBuilder, Item};
pub(crate) use reader::{Damage, Journal, Standing};
pub(crate) use rewrite::remove_unfinished;
pub(crate) use seal::seal;
pub(crate) use segment::Segment;
pub(crate) use writer::{AppendError, Writer};
