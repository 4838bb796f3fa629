//! The FTP door over TCP: a real store, a real listener on port 0, a client that can misbehave.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod broken;
mod client;
mod limits;
mod logins;
mod names;
mod outbox;
mod rig;
mod stopping;
mod uploads;
