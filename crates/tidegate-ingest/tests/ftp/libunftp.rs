//! The sessions of `main.rs`, spoken to libunftp.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod audit;
mod broken;
mod client;
mod completion;
mod defence;
mod limits;
mod logins;
mod names;
mod outbox;
mod rig;
#[path = "../site/mod.rs"]
mod site;
mod stopping;
mod unresumed;
mod uploads;

use tidegate_ingest::config::FtpEngine;

/// The engine that these sessions speak to.
const ENGINE: FtpEngine = FtpEngine::Libunftp;
/// The reply to a client that says nothing for too long; RFC 959, 5.4 would have 421.
const IDLE: &str = "221";
