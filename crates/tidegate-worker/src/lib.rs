//! Takes jobs from the store while the gate is open: checks, delivers, answers, finishes.
//!
//! Invariant: nothing of a file is delivered before its end was seen, nothing is begun while the gate
//! is closed, and a message that was recorded as delivered is on stable storage. One file, one target
//! or one organization never stops the others.
//!
//! Delivery is at least once: after a crash the messages since a file's last checkpoint, 1,000 at most,
//! are delivered again under the same [`Key`], by which a target recognises them.
//!
//! It speaks to the doors through the store only, but for senders that wait for their answer ([`Calls`]), and to
//! registries through targets ([`Deliver`]).

mod calls;
pub mod config;
mod deliver;
mod dispatch;
mod error;
mod gate_watch;
mod process;
mod retention;
mod targets;
mod worker;

pub use calls::{Answer, Calls, Message};
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use deliver::fuzzing;
pub use deliver::{
    Code, Deliver, DeliverError, Delivered, DirectoryTarget, HttpTarget, Key, MllpTarget, OpenTargetError,
    SoapTarget, open,
};
pub use error::WorkerError;
pub use process::{is_query, profile};
pub use retention::{Note, Pass, Passed, Retention};
pub use targets::Targets;
pub use worker::Worker;
