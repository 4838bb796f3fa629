//! Serves a directory to one account, by FTP and, with a certificate, by explicit FTPS:
//!
//! ```console
//! $ cargo run -p tidegate-ftp --example directory -- 127.0.0.1:2121 /srv/files ann secret
//! ```
//!
//! It shows all that the engine needs, and it is what other people's test suites are run against
//! (`docs/conformance.md`). It is no server to put on a network: it bounds neither connections nor failed logins.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tidegate_ftp::{Engine, Remarks, Settings, Tls, Visit};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use unftp_core::auth::{
    AuthenticationError, Authenticator, Credentials, DefaultUser, Principal, UserDetailError,
    UserDetailProvider,
};
use unftp_sbe_fs::Filesystem;

const USAGE: &str = "arguments: ADDRESS DIRECTORY ACCOUNT PASSWORD [CERTIFICATE KEY]";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, directory, name, password, secrets @ ..] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let tls = match secrets {
        [] => Tls::Off,
        [certificate, key] => Tls::Optional(encryption(certificate.as_ref(), key.as_ref())?),
        _ => return Err(USAGE.into()),
    };
    let settings = Settings { passive_ports: 0..=0, active_mode: true, ..Settings::default() };
    let engine = Arc::new(Engine::new(settings));
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let (_open, closing) = watch::channel(false);
    loop {
        let (stream, _) = listener.accept().await?;
        // Replies are short; without this, each waits for the client's acknowledgement of the one before.
        stream.set_nodelay(true)?;
        let visit = Visit {
            storage: Filesystem::new(directory)?,
            accounts: Account { name: name.clone(), password: password.clone() },
            digests: None,
            greeting: String::new(),
            remarks: Remarks::default(),
            tls: tls.clone(),
            passive_host: None,
            closing: closing.clone(),
        };
        let engine = Arc::clone(&engine);
        // A session that ends with an error has lost its client.
        tokio::spawn(async move { engine.serve(stream, visit).await });
    }
}

fn encryption(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    Ok(Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?))
}

/// The only one there is.
struct Account {
    name: String,
    password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").finish_non_exhaustive()
    }
}

#[async_trait]
impl Authenticator for Account {
    async fn authenticate(&self, name: &str, given: &Credentials) -> Result<Principal, AuthenticationError> {
        if name == self.name && given.password.as_ref() == Some(&self.password) {
            return Ok(Principal { username: name.to_owned() });
        }
        Err(AuthenticationError::BadPassword)
    }
}

#[async_trait]
impl UserDetailProvider for Account {
    type User = DefaultUser;

    async fn provide_user_detail(&self, _: &Principal) -> Result<DefaultUser, UserDetailError> {
        Ok(DefaultUser)
    }
}
