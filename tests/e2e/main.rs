//! The product from outside: the real binary, real clients' libraries, real kills.
//!
//! Nothing here sleeps for an answer: servers are waited for by their ready line, jobs by the log line
//! that tells their end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod backup;
mod bad_input;
mod crash;
mod delivery;
mod doors;
mod folder;
mod hostile;
mod ledger;
mod privacy;
mod registry;
mod rig;
mod store_damage;
mod web_service;
mod window;
