//! The certificate that doors prove themselves with, kept up to date.
//!
//! Invariant: what can't be used changes nothing: the pair of certificate and key that was in force stays
//! in force until a better one is there. Keys are never printed.

mod files;
mod server;

pub use files::{Certificate, TlsFiles};
pub use server::{ServerTls, watch_tls as watch};
