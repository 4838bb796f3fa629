//! Whole sessions against a backend in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod client;
mod data;
mod encrypted;
#[path = "../../src/fuzzing/entry.rs"]
mod entry;
mod hashes;
mod interrupted;
mod logins;
mod memory;
mod secrets;
mod tree;
