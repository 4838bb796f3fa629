//! The FTP door (RFC 959, 4217): accepts connections and hands each to the engine.
//!
//! Invariant: a connection that can't be served never stops the next one from being accepted, and
//! what runs when the service stops may end in peace. Only the module `libunftp_engine` names libunftp.

mod accept;
mod greeting;
mod libunftp_engine;
mod own_engine;
mod passive_ports;
mod serve;

pub use accept::{FtpDoor, FtpListeners, run};
