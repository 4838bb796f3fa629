//! The worker on a real store, with a clock that stands still and a target that does as it is told.
//!
//! Nothing here sleeps: a test waits for a state of the store or a call of the target, and for no
//! longer than [`rig::PATIENCE`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod answers;
mod away;
mod calls;
mod closed_gate;
mod crash;
mod doubt;
mod failures;
mod fairness;
mod files;
mod in_hand;
mod leak;
mod mllp;
mod probe;
mod registry;
mod repeats;
mod retention;
mod rig;
mod stopping;
mod web;
