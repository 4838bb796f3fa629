//! The sections of the configuration file that this crate owns.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tidegate_ingest::config::{FtpConfig, Setting};
use tidegate_ingest::tls::TlsFiles;

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

/// The section `[web]`: the public status, the senders' portal, the staff console and the web service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Whether connections are encrypted.
    pub tls: WebTls,
    /// The certificate, then those between it and its authority's: a PEM file. That of `[ftp]` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// The certificate's private key: a PEM file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Allows passwords and files in the clear on other addresses than loopback.
    pub allow_plaintext: bool,
    /// The portal while the gate is closed.
    pub portal: PortalMode,
    /// Where partners reach this address, such as `https://registry.example`, for the description of the web service;
    /// what a request says in `Host` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
}

/// Whether browsers come over TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebTls {
    /// Always.
    #[default]
    Required,
    /// Never: for a proxy on the same host.
    Off,
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

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8443)),
            tls: WebTls::default(),
            certificate: None,
            key: None,
            allow_plaintext: false,
            portal: PortalMode::default(),
            public_url: None,
        }
    }
}

impl WebConfig {
    /// Everything that makes the section unusable; `ftp` lends its certificate.
    pub fn validate(&self, ftp: Option<&FtpConfig>) -> Vec<Setting> {
        let mut problems = Vec::new();
        let mut problem = |key, message: &str| problems.push((key, message.to_owned()));
        match (&self.certificate, &self.key) {
            (Some(_), None) => problem("key", "is missing: the PEM file with the certificate's private key"),
            (None, Some(_)) => problem("certificate", "is missing: the PEM file that the key belongs to"),
            (None, None) if self.tls == WebTls::Required && self.tls_files(ftp).is_none() => problem(
                "certificate",
                "is missing, and so is key, and [ftp] has none: encryption needs both, as PEM files",
            ),
            _ => {}
        }
        let is_loopback = self.listen.ip().to_canonical().is_loopback();
        if self.tls == WebTls::Off && !is_loopback && !self.allow_plaintext {
            problem(
                "tls",
                "\"off\" sends passwords and files in the clear, and listen is not loopback; listen on 127.0.0.1 \
                 behind a proxy, or set allow_plaintext = true",
            );
        }
        if self.public_url.as_deref().is_some_and(|url| !is_public_url(url)) {
            problem("public_url", "write https:// and a host: \"https://registry.example\"");
        }
        problems
    }

    /// Whether the portal takes files while the gate is closed, too.
    pub fn takes_files_always(&self) -> bool {
        self.portal == PortalMode::Open
    }

    /// The files of the certificate, if connections are encrypted: its own, or those of `ftp`.
    pub fn tls_files(&self, ftp: Option<&FtpConfig>) -> Option<TlsFiles> {
        if self.tls == WebTls::Off {
            return None;
        }
        let own = self.certificate.clone().zip(self.key.clone());
        let lent = || ftp.and_then(|ftp| ftp.certificate.clone().zip(ftp.key.clone()));
        let (certificate, key) = own.or_else(lent)?;
        Some(TlsFiles { certificate, key, client_ca: None, client_certificate_required: false })
    }
}

/// Of characters that mean nothing in XML.
fn is_public_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/[]~".contains(&byte);
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str, ftp: Option<&FtpConfig>) -> Vec<&'static str> {
        toml::from_str::<WebConfig>(text).unwrap().validate(ftp).into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn encryption_is_the_default_and_goes_without_on_loopback_only() {
        assert_eq!(keys("", None), ["certificate"]);
        assert_eq!(keys("key = 'k.pem'", None), ["certificate"]);
        assert_eq!(keys("certificate = 'c.pem'", None), ["key"]);
        assert!(keys("tls = 'off'", None).is_empty());
        assert_eq!(keys("tls = 'off'\nlisten = '0.0.0.0:80'", None), ["tls"]);
        assert!(keys("tls = 'off'\nlisten = '0.0.0.0:80'\nallow_plaintext = true", None).is_empty());
    }

    #[test]
    fn a_public_address_is_one() {
        for url in ["https://registry.example", "http://[::1]:8080/iis/"] {
            assert!(keys(&format!("tls = 'off'\npublic_url = '{url}'"), None).is_empty(), "{url}");
        }
        for url in
            ["registry.example", "https://", "https:///x", "https://a b", "https://a\"b", "https://a<b"]
        {
            assert_eq!(keys(&format!("tls = 'off'\npublic_url = '{url}'"), None), ["public_url"], "{url}");
        }
    }

    #[test]
    fn the_certificate_of_ftp_does_for_browsers_too_but_asks_them_for_none() {
        let ftp: FtpConfig = toml::from_str(
            "certificate = 'c.pem'\nkey = 'k.pem'\nclient_ca = 'a.pem'\nclient_certificate_required = true",
        )
        .unwrap();
        assert!(keys("", Some(&ftp)).is_empty());
        let files = WebConfig::default().tls_files(Some(&ftp)).unwrap();
        assert!(files.client_ca.is_none() && !files.client_certificate_required);
    }
}
