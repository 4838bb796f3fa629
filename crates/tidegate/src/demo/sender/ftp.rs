//! A sender by FTP or FTPS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use suppaftp::types::{FileType, Mode};
use suppaftp::{RustlsConnector, RustlsFtpStream};

use super::{PASSWORD, Sender};

pub(super) struct Ftp {
    ftp: RustlsFtpStream,
    greeting: String,
}

impl Ftp {
    /// Encrypted if the server has a certificate to be known by.
    pub(super) fn log_in(address: SocketAddr, certificate: Option<&Path>, account: &str) -> Result<Self> {
        let mut ftp = RustlsFtpStream::connect(address).context("while connecting to the FTP door")?;
        let greeting = ftp.get_welcome_msg().unwrap_or_default().trim().to_owned();
        if let Some(certificate) = certificate {
            let connector = RustlsConnector::from(trusting(certificate)?);
            ftp = ftp.into_secure(connector, "localhost").context("while encrypting")?;
        }
        ftp.set_mode(Mode::ExtendedPassive);
        ftp.login(account, PASSWORD).with_context(|| format!("while logging in as {account}"))?;
        ftp.transfer_type(FileType::Binary).context("while choosing binary transfers")?;
        Ok(Self { ftp, greeting })
    }
}

impl Sender for Ftp {
    fn greeting(&self) -> String {
        self.greeting.clone()
    }

    fn upload(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.ftp.put_file(name, &mut &*bytes).with_context(|| format!("while uploading {name}"))?;
        Ok(())
    }

    fn outbox(&mut self) -> Result<Vec<String>> {
        self.ftp.nlst(Some("/outbox")).context("while listing the outbox")
    }

    fn fetch(&mut self, name: &str) -> Result<Vec<u8>> {
        let path = format!("/outbox/{name}");
        let bytes = self.ftp.retr_as_buffer(&path).with_context(|| format!("while fetching {name}"))?;
        Ok(bytes.into_inner())
    }

    fn leave(mut self: Box<Self>) -> Result<()> {
        self.ftp.quit().context("while logging out")
    }
}

/// Trusts who has this certificate, and nobody else.
fn trusting(certificate: &Path) -> Result<Arc<ClientConfig>> {
    let doing = "while taking up the server's certificate";
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).context(doing)?).context(doing)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().context(doing)?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
