//! Whom targets are believed: the authorities that sign the registry's certificate.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

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
    Ok(Arc::new(builder.with_root_certificates(authorities(ca)?).with_no_client_auth()))
}

fn authorities(ca: Option<&Path>) -> Result<RootCertStore, OpenTargetError> {
    let system = || SYSTEM.map(Path::new).into_iter().find(|path| path.exists());
    let Some(path) = ca.or_else(system) else {
        return Err(OpenTargetError::new("ca", "this system has no list of authorities; name one"));
    };
    let shown = path.display();
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let certificates =
        certificates.map_err(|error| OpenTargetError::new("ca", format!("{shown}: {error}")))?;
    let mut store = RootCertStore::empty();
    // Lists of a system may hold certificates that nobody can use.
    let (added, _) = store.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(OpenTargetError::new("ca", format!("{shown} holds no certificate in PEM form")));
    }
    Ok(store)
}
