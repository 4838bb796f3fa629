//! Whether a session is encrypted (RFC 4217).

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;

/// What a session has to do with TLS. It keeps its certificate to its end: whoever replaces certificates
/// gives the new one to the next session.
#[derive(Clone, Default)]
pub enum Tls {
    /// Nothing is encrypted.
    #[default]
    Off,
    /// The client may ask for it, with AUTH TLS and PROT P.
    Optional(Arc<ServerConfig>),
    /// Nobody logs in and no file moves without it.
    Required(Arc<ServerConfig>),
    /// The connection is encrypted from its first byte on, and so are those for data.
    Implicit(Arc<ServerConfig>),
}

impl Tls {
    pub(crate) fn config(&self) -> Option<&Arc<ServerConfig>> {
        match self {
            Self::Off => None,
            Self::Optional(config) | Self::Required(config) | Self::Implicit(config) => Some(config),
        }
    }

    /// Whether nothing of value goes in the clear.
    pub(crate) fn is_demanded(&self) -> bool {
        matches!(self, Self::Required(_) | Self::Implicit(_))
    }
}

impl fmt::Debug for Tls {
    /// Without keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::Optional(_) => "Optional",
            Self::Required(_) => "Required",
            Self::Implicit(_) => "Implicit",
        })
    }
}
