//! The sections of the configuration file that this crate owns.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// The section `[metrics]`: where monitoring may ask, without login. It tells numbers and the codes of
/// organizations, never names of files or people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Address and port; plain HTTP.
    pub listen: SocketAddr,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9464)) }
    }
}

/// What the senders' portal does while the gate is closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortalMode {
    /// It takes files, which wait, and says so.
    #[default]
    Open,
    /// It answers 503 with the sentence of the notice.
    UnavailableInMaintenance,
}
