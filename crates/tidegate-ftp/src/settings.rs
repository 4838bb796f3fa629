//! What all sessions of an engine share.

use std::ops::RangeInclusive;
use std::time::Duration;

/// How an engine behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The last line of the greeting.
    pub ready: String,
    /// Ports for passive data connections. Each waits for one data connection at a time, so this many
    /// transfers can begin at once. `0..=0` stands for whatever the system has free.
    pub passive_ports: RangeInclusive<u16>,
    /// Whether PORT and EPRT are offered. They lead to the client's own address only.
    pub active_mode: bool,
    /// After this long without a command, outside transfers, a session ends.
    pub idle_max: Duration,
    /// Who has not logged in after this long is disconnected.
    pub login_max: Duration,
    /// How long a data connection may take to come about.
    pub connect_max: Duration,
    /// How long a TLS handshake may take.
    pub handshake_max: Duration,
    /// How long a file may take to be hashed (HASH, XSHA256).
    pub hash_max: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ready: "ready".to_owned(),
            passive_ports: 50_000..=50_100,
            active_mode: false,
            idle_max: Duration::from_mins(5),
            login_max: Duration::from_mins(1),
            connect_max: Duration::from_secs(30),
            handshake_max: Duration::from_secs(30),
            hash_max: Duration::from_mins(1),
        }
    }
}
