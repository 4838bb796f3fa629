//! From PEM files to what TLS needs.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use zeroize::Zeroizing;

use crate::config::Setting;

/// Where a door's certificate and what belongs to it lie, each in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, then those between it and its authority's.
    pub certificate: PathBuf,
    /// Its private key, not encrypted.
    pub key: PathBuf,
    /// Authorities whose clients' certificates are trusted; without it clients are not asked for one.
    pub client_ca: Option<PathBuf>,
    /// Whether clients without a certificate are turned away.
    pub client_certificate_required: bool,
}

/// What the files hold.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// For TLS 1.2 and 1.3.
    pub config: Arc<ServerConfig>,
    /// When the certificate ceases to be valid.
    pub expires_at: SystemTime,
    /// Changes when a byte of the files does.
    pub(super) fingerprint: u64,
}

impl TlsFiles {
    /// Reads the files, or all that is wrong with them, by key. Blocks.
    pub fn load(&self) -> Result<Certificate, Vec<Setting>> {
        let certificate = read("certificate", &self.certificate);
        let key = read("key", &self.key);
        let client_ca = self.client_ca.as_deref().map(|path| read("client_ca", path)).transpose();
        let (certificate, key, client_ca) = match (certificate, key, client_ca) {
            (Ok(certificate), Ok(key), Ok(client_ca)) => (certificate, key, client_ca),
            (certificate, key, client_ca) => {
                let problems = [certificate.err(), key.err(), client_ca.err()];
                return Err(problems.into_iter().flatten().collect());
            }
        };
        let mut hasher = DefaultHasher::new();
        (&*certificate, &*key, client_ca.as_deref()).hash(&mut hasher);
        self.understand(&certificate, &key, client_ca.as_deref().map(Vec::as_slice))
            .map(|(config, expires_at)| Certificate { config, expires_at, fingerprint: hasher.finish() })
            .map_err(|problem| vec![problem])
    }

    fn understand(
        &self,
        certificate: &[u8],
        key: &[u8],
        client_ca: Option<&[u8]>,
    ) -> Result<(Arc<ServerConfig>, SystemTime), Setting> {
        let chain = certificates("certificate", &self.certificate, certificate)?;
        let expires_at = expiry(chain.first()).ok_or_else(|| {
            ("certificate", format!("{} holds a certificate that can't be read", self.certificate.display()))
        })?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
            ("key", format!("{} holds no private key in PEM form, without a password", self.key.display()))
        })?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| ("certificate", error.to_string()))?;
        let builder = match (&self.client_ca, client_ca) {
            (Some(path), Some(pem)) => builder.with_client_cert_verifier(self.verifier(path, pem, provider)?),
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| self.mismatch(&error))?;
        // Where the system has no randomness sessions are just not resumed.
        if let Ok(ticketer) = ring::Ticketer::new() {
            config.ticketer = ticketer;
        }
        Ok((Arc::new(config), expires_at))
    }

    fn verifier(
        &self,
        path: &Path,
        pem: &[u8],
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, Setting> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates("client_ca", path, pem)?);
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let builder =
            if self.client_certificate_required { builder } else { builder.allow_unauthenticated() };
        builder.build().map_err(|error| ("client_ca", format!("{}: {error}", path.display())))
    }

    fn mismatch(&self, error: &rustls::Error) -> Setting {
        match error {
            rustls::Error::InconsistentKeys(_) => {
                let (key, certificate) = (self.key.display(), self.certificate.display());
                ("key", format!("{key} is not the key of the certificate in {certificate}"))
            }
            rustls::Error::InvalidCertificate(_) => {
                ("certificate", format!("{}: {error}", self.certificate.display()))
            }
            error => ("key", format!("{}: {error}", self.key.display())),
        }
    }
}

fn read(key: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, Setting> {
    let read = fs::read(path).map(Zeroizing::new);
    read.map_err(|error| (key, format!("{} can't be read: {error}", path.display())))
}

fn certificates(key: &'static str, path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Setting> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.ok()
        .filter(|found| !found.is_empty())
        .ok_or_else(|| (key, format!("{} holds no certificate in PEM form", path.display())))
}

fn expiry(certificate: Option<&CertificateDer<'static>>) -> Option<SystemTime> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate?).ok()?;
    let seconds = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
