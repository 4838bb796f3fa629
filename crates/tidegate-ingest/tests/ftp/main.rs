//! The FTP door over TCP with the engine of our own: a real store, a real listener on port 0, a client that
//! can misbehave. `libunftp.rs` says the same to the other engine.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod audit;
mod broken;
mod client;
mod completion;
mod defence;
mod encrypted;
mod hashes;
mod limits;
mod logins;
mod names;
mod outbox;
mod resume;
mod rig;
#[path = "../site/mod.rs"]
mod site;
mod stopping;
mod uploads;

use tidegate_ingest::config::FtpEngine;

/// The engine that these sessions speak to.
const ENGINE: FtpEngine = FtpEngine::Tidegate;
/// The reply to a client that says nothing for too long (RFC 959, 5.4).
const IDLE: &str = "421";
