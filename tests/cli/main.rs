//! Runs the real binary as staff do: configuration, a server on port 0, and every command against it.
//!
//! Nothing here sleeps: a server is waited for by its "ready" line, a command by its end.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, helpers too"
)]

mod alerts;
mod audit;
mod backup;
mod bans;
mod configuration;
mod manager;
mod metrics;
mod notices;
mod offline;
mod organizations;
mod pages;
mod queue;
mod retention;
mod server;
mod support;
mod terminal;
mod watch;
mod windows;
