//! The store from outside: what its callers may rely on, whatever happens to the machine.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod abandoned;
mod accept;
mod backup;
mod broken;
mod calls;
mod claim;
mod clock;
mod compaction;
mod damage;
mod deferred;
mod large;
mod layouts;
mod leak;
mod maintenance;
mod outbox;
mod recovery;
mod renewal;
mod retention;
mod review;
mod rig;
mod room;
mod staged;
