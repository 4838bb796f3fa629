//! One fault at every call that the store makes to its disk, and what must hold afterwards.
//!
//! A *script* is a piece of the store's life: a few uploads, a job with a worker, a start. It runs once to
//! count its calls; then once for each call and each way in which that call can fail. The [`book::Book`]
//! notes what the store acknowledged. Afterwards, on the disk as it is, or on what a power cut would leave
//! of it, a start must find everything in the book once and nothing else, and a worker must be able to end
//! every job.
//!
//! A new script is a test with an async closure on a [`world::World`]: do what a caller does, by the
//! world's verbs, which keep the book; call [`world::World::arm`] where the faults shall begin.
//!
//! `TIDEGATE_FAULT_SEED` and `TIDEGATE_FAULT_CASE` replay the case that a failure prints.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod aftermath;
mod attack;
mod book;
mod images;
mod starts;
mod steps;
mod world;
