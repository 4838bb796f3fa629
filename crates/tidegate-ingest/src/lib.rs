//! The doors: an upload becomes one accepted job.
//!
//! Invariant: whatever its protocol, an upload is acknowledged only after the store has made its
//! bytes, its name and its job durable, and what was not acknowledged leaves no trace. What becomes
//! of a job afterwards is not decided here.
//!
//! [`accounts`] says who may log in, [`session`] what one connection is, [`storage`] what it sees, and
//! [`ftp`] and [`sftp`] speak the protocols; [`folder`] takes files that something else received. Only the
//! engine module of a door names that protocol's library, so that accounts, sessions and storage carry over
//! to another engine.
//!
//! [`tls`] keeps the certificate that a door proves itself with; it knows no protocol.
//!
//! # Logs
//!
//! Events of this crate carry organizations, accounts, job ids and sizes, never a file's name or
//! contents. libunftp records the arguments of its functions, paths among them, as spans of target
//! `libunftp`: **the binary's subscriber has to switch that target off** (`libunftp=off`, and
//! `unftp_core=off`).

mod accept;
pub mod accounts;
mod announcement;
pub mod audit;
pub mod config;
pub mod folder;
pub mod ftp;
mod intake;
pub mod session;
pub mod sftp;
pub mod storage;
mod tally;
pub mod tls;
mod upload_rates;
mod watch;

pub use announcement::Announcement;
pub use intake::{Intake, TurnedAway, UsedUp};
pub use tally::Tally;
