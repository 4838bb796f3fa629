//! The section `[ftp]`.
//!
//! Invariant: what [`FtpConfig::validate`] lets through never sends passwords in the clear over a
//! network unless somebody wrote `allow_plaintext = true`.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::{PortRange, Setting};

/// Where and how FTP is spoken (RFC 959).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FtpConfig {
    /// Address and port of the control connection.
    pub listen: SocketAddr,
    /// The implementation of the protocol.
    pub engine: FtpEngine,
    /// Whether connections are encrypted (RFC 4217).
    pub tls: Tls,
    /// Ports for passive data connections; open them in the firewall.
    pub passive_ports: PortRange,
    /// The address that PASV announces, where a sender reaches this host by another address than
    /// its own; the control connection's own address where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passive_host: Option<Ipv4Addr>,
    /// Allows passwords and files in the clear on other addresses than loopback.
    pub allow_plaintext: bool,
}

/// An implementation of FTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FtpEngine {
    /// Our own.
    #[default]
    Tidegate,
    /// The libunftp crate, with its bounds: see `docs/decisions/0008-own-ftp-engine.md`.
    Libunftp,
}

/// Whether a door's connections are encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Nobody logs in without it.
    #[default]
    Required,
    /// Offered, not enforced.
    Optional,
    /// Never.
    Off,
}

impl Default for FtpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 2121)),
            engine: FtpEngine::default(),
            tls: Tls::default(),
            passive_ports: PortRange::default(),
            passive_host: None,
            allow_plaintext: false,
        }
    }
}

impl FtpConfig {
    /// Everything that makes the section unusable.
    pub fn validate(&self) -> Vec<Setting> {
        let mut problems = Vec::new();
        let loopback = self.listen.ip().to_canonical().is_loopback();
        match self.tls {
            Tls::Required | Tls::Optional => problems.push((
                "tls",
                "TLS is not built into this version yet; set tls = \"off\" and listen on loopback, \
                 or set allow_plaintext = true as well if the network is protected otherwise"
                    .to_owned(),
            )),
            Tls::Off if !loopback && !self.allow_plaintext => problems.push((
                "tls",
                format!(
                    "tls = \"off\" sends passwords and files in the clear and {} is not loopback; \
                     listen on 127.0.0.1 or set allow_plaintext = true",
                    self.listen
                ),
            )),
            Tls::Off => {}
        }
        if self.listen.is_ipv6() && self.engine == FtpEngine::Libunftp {
            let message = "libunftp can't open data connections over IPv6; use engine = \"tidegate\"";
            problems.push(("listen", message.to_owned()));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<&'static str> {
        let config: FtpConfig = toml::from_str(text).unwrap();
        config.validate().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn plaintext_needs_loopback_or_permission() {
        assert_eq!(keys("listen = '0.0.0.0:21'\ntls = 'off'"), ["tls"]);
        assert!(keys("listen = '127.0.0.1:21'\ntls = 'off'").is_empty());
        assert!(keys("listen = '0.0.0.0:21'\ntls = 'off'\nallow_plaintext = true").is_empty());
    }

    #[test]
    fn tls_is_the_default_and_refused_until_it_exists() {
        assert_eq!(keys(""), ["tls"]);
        assert_eq!(keys("tls = 'optional'\nlisten = '127.0.0.1:21'"), ["tls"]);
    }

    #[test]
    fn an_engine_is_refused_where_it_can_not_keep_what_is_configured() {
        let text = "listen = '[::1]:21'\ntls = 'off'\n";
        assert!(keys(text).is_empty());
        assert_eq!(keys(&format!("{text}engine = 'libunftp'")), ["listen"]);
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        assert!(toml::from_str::<FtpConfig>("passive_port = '1-2'").is_err());
    }

    #[test]
    fn the_default_survives_its_own_text() {
        let text = toml::to_string(&FtpConfig::default()).unwrap();
        assert_eq!(toml::from_str::<FtpConfig>(&text).unwrap(), FtpConfig::default());
    }
}
