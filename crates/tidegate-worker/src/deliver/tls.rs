//! Whom targets are believed: the authorities that sign the registry's certificate.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::OpenTargetError;

/// Where Linux distributions keep the authorities of the system: Debian and its kin, Red Hat's, SUSE, Alpine.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Encrypts with TLS 1.2 or 1.3 and trusts the authorities in `ca`, or those of the system.
pub(super) fn client(ca: Option<&Path>) -> Result<Arc<ClientConfig>, OpenTargetError> {
    let wrong = |error: rustls::Error| OpenTargetError::new("ca", error.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(wrong)?;
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(authorities(ca)?);
    Ok(Arc::new(builder.with_root_certificates(store).with_no_client_auth()))
}

/// The same for HTTP.
pub(super) fn agent(ca: Option<&Path>) -> Result<TlsConfig, OpenTargetError> {
    let authorities: Vec<_> =
        authorities(ca)?.iter().map(|one| Certificate::from_der(one).to_owned()).collect();
    let provider = Arc::new(ring::default_provider());
    let trusted = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&authorities));
    Ok(trusted.unversioned_rustls_crypto_provider(provider).build())
}

/// Those that can be used; at least one.
fn authorities(ca: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, OpenTargetError> {
    let system = || SYSTEM.map(Path::new).into_iter().find(|path| path.exists());
    let Some(path) = ca.or_else(system) else {
        return Err(OpenTargetError::new("ca", "this system has no list of authorities; name one"));
    };
    let shown = path.display();
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let certificates =
        certificates.map_err(|error| OpenTargetError::new("ca", format!("{shown}: {error}")))?;
    // Lists of a system may hold certificates that nobody can use.
    let is_usable = |one: &CertificateDer<'static>| RootCertStore::empty().add(one.clone()).is_ok();
    let usable: Vec<_> = certificates.into_iter().filter(is_usable).collect();
    if usable.is_empty() {
        return Err(OpenTargetError::new("ca", format!("{shown} holds no certificate in PEM form")));
    }
    Ok(usable)
}
