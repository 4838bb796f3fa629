//! Certificates that are made for a test, and both sides of a handshake.

use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use tidegate_ftp::Tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::client::{Client, Stream, settings};

pub(crate) const BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// An authority, and what it has signed.
pub(crate) struct Secrets {
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Secrets {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self { authority: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    fn signed(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let (params, key) = (CertificateParams::new(["localhost".to_owned()]), KeyPair::generate().unwrap());
        let certificate = params.unwrap().signed_by(&key, &self.authority).unwrap();
        (vec![certificate.der().clone()], key.into())
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        roots
    }

    /// A server that looks at certificates of clients and asks for none.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots().into(), provider.clone());
        let (chain, key) = self.signed();
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder =
            builder.unwrap().with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap());
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.ticketer = ring::Ticketer::new().unwrap();
        Arc::new(config)
    }

    pub(crate) fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(versions).unwrap();
        Arc::new(builder.with_root_certificates(self.roots()).with_no_client_auth())
    }

    pub(crate) fn certified_client(&self) -> Arc<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let (chain, key) = self.signed();
        Arc::new(builder.with_root_certificates(self.roots()).with_client_auth_cert(chain, key).unwrap())
    }
}

/// The client's side of a handshake.
pub(crate) async fn shake<S: Stream>(config: &Arc<ClientConfig>, stream: S) -> TlsStream<S> {
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::clone(config)).connect(name, stream).await.unwrap()
}

impl Client {
    /// Goes on encrypted.
    pub(crate) async fn encrypted(mut self, config: &Arc<ClientConfig>) -> Self {
        assert!(self.control.buffer().is_empty());
        self.control = BufReader::new(Box::new(shake(config, self.control.into_inner()).await));
        self
    }

    /// Logged in by AUTH TLS, before PROT P.
    pub(crate) async fn secure(tls: Tls, config: &Arc<ClientConfig>) -> Self {
        let mut client = Self::connect_with(settings(), tls).await.greeted().await;
        client.expect("AUTH TLS", 234).await;
        let mut client = client.encrypted(config).await.logged_in().await;
        client.expect("PBSZ 0", 200).await;
        client
    }

    /// The same, ready for encrypted transfers.
    pub(crate) async fn private(secrets: &Secrets, config: &Arc<ClientConfig>) -> Self {
        let mut client = Self::secure(Tls::Required(secrets.server()), config).await;
        client.expect("PROT P", 200).await;
        client
    }

    /// An encrypted data connection whose transfer has begun.
    pub(crate) async fn begin_private(
        &mut self,
        config: &Arc<ClientConfig>,
        line: &str,
    ) -> TlsStream<TcpStream> {
        let data = self.begin(line).await;
        shake(config, data).await
    }
}

/// Ends an upload as it should be; the server's end of the connection has to be as good.
pub(crate) async fn finish(mut data: TlsStream<TcpStream>) {
    data.shutdown().await.unwrap();
    assert_eq!(data.read(&mut [0]).await.unwrap(), 0, "close_notify comes back");
    assert_eq!(data.get_ref().1.tls13_tickets_received(), 0, "nothing that a client could leave unread");
}
