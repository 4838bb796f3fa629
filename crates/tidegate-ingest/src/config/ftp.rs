//! The section `[ftp]`.
//!
//! Invariant: what [`FtpConfig::validate`] lets through never sends passwords in the clear over a
//! network unless somebody wrote `allow_plaintext = true`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{PortRange, Setting};
use crate::tls::TlsFiles;

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
    /// The certificate, then those between it and its authority's: a PEM file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// The certificate's private key: a PEM file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Authorities of clients' certificates: a PEM file. A client that shows a certificate must have it
    /// from one of them; without this key none is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
    /// Turns clients without a certificate away.
    pub client_certificate_required: bool,
    /// Ports for passive data connections; open them in the firewall.
    pub passive_ports: PortRange,
    /// The address that PASV announces, where a sender reaches this host by another address than
    /// its own; the control connection's own address where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passive_host: Option<Ipv4Addr>,
    /// Whether senders may have data connections made to them (PORT, EPRT); to their own address only.
    pub active: bool,
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
            certificate: None,
            key: None,
            client_ca: None,
            client_certificate_required: false,
            passive_ports: PortRange::default(),
            passive_host: None,
            active: false,
            allow_plaintext: false,
        }
    }
}

impl FtpConfig {
    /// Everything that makes the section unusable.
    pub fn validate(&self) -> Vec<Setting> {
        let mut problems = self.validate_certificate();
        let loopback = self.listen.ip().to_canonical().is_loopback();
        if self.tls == Tls::Off && !loopback && !self.allow_plaintext {
            let message = format!(
                "tls = \"off\" sends passwords and files in the clear and {} is not loopback; \
                 listen on 127.0.0.1 or set allow_plaintext = true",
                self.listen
            );
            problems.push(("tls", message));
        }
        if self.engine == FtpEngine::Libunftp {
            problems.extend(self.validate_libunftp());
        }
        problems
    }

    /// The files of the certificate, if both are named.
    pub fn tls_files(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.certificate.clone()?,
            key: self.key.clone()?,
            client_ca: self.client_ca.clone(),
            client_certificate_required: self.client_certificate_required,
        })
    }

    fn validate_certificate(&self) -> Vec<Setting> {
        let mut problems = Vec::new();
        let mut problem = |key, message: &str| problems.push((key, message.to_owned()));
        match (&self.certificate, &self.key) {
            (Some(_), None) => problem("key", "is missing: the PEM file with the certificate's private key"),
            (None, Some(_)) => problem("certificate", "is missing: the PEM file that the key belongs to"),
            (None, None) if self.tls != Tls::Off => problem(
                "certificate",
                "is missing, and so is key: encryption needs both, as PEM files. `tidegate init` makes a \
                 pair to try things with; tls = \"off\" goes without, on loopback",
            ),
            (None, None) if self.client_ca.is_some() => {
                problem("client_ca", "is of no use without certificate and key");
            }
            _ => {}
        }
        if self.client_certificate_required && self.client_ca.is_none() {
            problem("client_certificate_required", "needs client_ca: whose certificates are meant?");
        }
        problems
    }

    fn validate_libunftp(&self) -> Vec<Setting> {
        let mut problems = Vec::new();
        let mut problem = |key, what: &str| {
            problems.push((key, format!("libunftp {what}; use engine = \"tidegate\"")));
        };
        if self.listen.is_ipv6() {
            problem("listen", "can't open data connections over IPv6");
        }
        if self.tls != Tls::Off {
            problem(
                "tls",
                "lets data go in the clear although TLS is required, and hangs on failed handshakes",
            );
        }
        if self.client_ca.is_some() {
            problem("client_ca", "is not used with TLS here");
        }
        if self.active {
            problem("active", "has no active mode here");
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
    fn tls_is_the_default_and_needs_a_certificate_with_its_key() {
        assert_eq!(keys(""), ["certificate"]);
        assert_eq!(keys("tls = 'optional'\nlisten = '127.0.0.1:21'"), ["certificate"]);
        assert_eq!(keys("certificate = 'c.pem'"), ["key"]);
        assert_eq!(keys("key = 'k.pem'"), ["certificate"]);
        assert!(keys("certificate = 'c.pem'\nkey = 'k.pem'").is_empty());
        assert_eq!(keys("listen = '127.0.0.1:21'\ntls = 'off'\nkey = 'k.pem'"), ["certificate"]);
    }

    #[test]
    fn certificates_of_clients_need_somebody_to_vouch_for_them() {
        let pair = "certificate = 'c.pem'\nkey = 'k.pem'\n";
        assert_eq!(
            keys(&format!("{pair}client_certificate_required = true")),
            ["client_certificate_required"]
        );
        assert!(keys(&format!("{pair}client_certificate_required = true\nclient_ca = 'a.pem'")).is_empty());
        assert_eq!(keys("listen = '127.0.0.1:21'\ntls = 'off'\nclient_ca = 'a.pem'"), ["client_ca"]);
    }

    #[test]
    fn an_engine_is_refused_where_it_can_not_keep_what_is_configured() {
        let text = "listen = '[::1]:21'\ntls = 'off'\n";
        assert!(keys(text).is_empty());
        assert_eq!(keys(&format!("{text}engine = 'libunftp'")), ["listen"]);
        let text = "engine = 'libunftp'\ncertificate = 'c.pem'\nkey = 'k.pem'\nclient_ca = 'a.pem'\n";
        assert_eq!(keys(text), ["tls", "client_ca"]);
        assert_eq!(
            keys("engine = 'libunftp'\nlisten = '127.0.0.1:21'\ntls = 'off'\nactive = true"),
            ["active"]
        );
        assert_eq!(keys(&format!("{text}tls = 'optional'")), ["tls", "client_ca"]);
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
