use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tidegate_domain::job::Protocol;
use tidegate_ingest::accounts::Fingerprint;
use tidegate_ingest::tls::TlsFiles;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{Client, Reply, Stream};
use crate::rig::{PASSWORD, Rig, Setup};
use crate::site::write_org;

/// A certificate of localhost in a folder, and who trusts it.
fn issue(folder: &Path) -> Arc<ClientConfig> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("certificate.pem"), cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    trusting(cert.der())
}

fn trusting(certificate: &CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
        client_ca: None,
        client_certificate_required: false,
    }
}

async fn door() -> (Rig, TempDir, Arc<ClientConfig>) {
    let folder = tempfile::tempdir().unwrap();
    let config = issue(folder.path());
    let rig = Rig::with(Setup { tls: Some(files(folder.path())), ..Setup::default() }).await;
    (rig, folder, config)
}

async fn shake<S: Stream>(config: &Arc<ClientConfig>, stream: S) -> std::io::Result<TlsStream<S>> {
    TlsConnector::from(Arc::clone(config)).connect("localhost".try_into().unwrap(), stream).await
}

/// Encrypted, and not logged in.
async fn explicit(address: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<Client> {
    let mut client = Client::connect(address).await;
    assert_eq!(client.command("AUTH TLS").await.code, 234);
    client.control = BufReader::new(Box::new(shake(config, client.control.into_inner()).await?));
    Ok(client)
}

async fn login(rig: &Rig, config: &Arc<ClientConfig>) -> Client {
    let mut client = explicit(rig.address, config).await.unwrap();
    assert_eq!(client.try_login("acme", PASSWORD).await.code, 230);
    for line in ["PBSZ 0", "PROT P"] {
        assert_eq!(client.command(line).await.code, 200);
    }
    client
}

/// Uploads and ends with a `close_notify`, or without.
async fn store(client: &mut Client, config: &Arc<ClientConfig>, bytes: &[u8], says_so: bool) -> Reply {
    let data = client.begin("STOR a.hl7").await;
    let mut data = shake(config, data).await.unwrap();
    data.write_all(bytes).await.unwrap();
    data.flush().await.unwrap();
    if says_so {
        data.shutdown().await.unwrap();
    }
    drop(data);
    client.reply().await
}

#[tokio::test]
async fn an_encrypted_upload_is_a_job_that_came_by_ftps() {
    let (rig, _folder, config) = door().await;
    assert_eq!(Client::connect(rig.address).await.command("USER acme").await.code, 530);
    let mut client = login(&rig, &config).await;
    assert_eq!(store(&mut client, &config, b"MSH", true).await.code, 226);
    let stream = TcpStream::connect(rig.implicit).await.unwrap();
    let stream = shake(&config, stream).await.unwrap();
    let mut client = Client::greeted(Box::new(stream), rig.implicit.ip()).await;
    assert_eq!(client.try_login("acme", PASSWORD).await.code, 230);
    assert_eq!(store(&mut client, &config, b"MSH", true).await.code, 226);
    let announced = |reply: Reply| reply.text.starts_with("227 Entering Passive Mode (203,0,113,5,");
    assert!(announced(client.command("PASV").await), "each entrance may have an address of its own");
    assert!(!announced(login(&rig, &config).await.command("PASV").await));
    let protocols: Vec<Protocol> = rig.jobs().iter().map(|job| job.submission.protocol).collect();
    assert_eq!(protocols, [Protocol::Ftps; 2]);
}

#[tokio::test]
async fn an_upload_that_just_stops_is_accepted_only_if_its_trailer_proves_it_whole() {
    let (rig, _folder, config) = door().await;
    let mut client = login(&rig, &config).await;
    let whole = b"BHS|^~\\&\rMSH|^~\\&\rBTS|1\r";
    for cut in [0, 1, 8, whole.len() - 1] {
        let reply = store(&mut client, &config, &whole[..cut], false).await;
        assert_eq!(reply.code, 426, "{cut}");
        assert!(reply.text.contains("wrap the file"), "who always ends so reads what to do");
    }
    assert_eq!(rig.jobs().len(), 0);
    assert_eq!(store(&mut client, &config, whole, false).await.code, 226);
    assert_eq!(rig.jobs().len(), 1);
}

#[tokio::test]
async fn a_client_that_is_killed_has_submitted_nothing_although_its_trailer_was_sent() {
    let (rig, _folder, config) = door().await;
    let mut client = login(&rig, &config).await;
    let data = client.begin("STOR a.hl7").await;
    let mut data = shake(&config, data).await.unwrap();
    data.write_all(b"BHS|^~\\&\rMSH|^~\\&\rBTS|1\r").await.unwrap();
    data.flush().await.unwrap();
    drop(client);
    drop(data);
    assert_eq!(crate::rig::jobs(&rig.stop().await).len(), 0);
}

#[tokio::test]
async fn a_new_certificate_serves_who_comes_next_and_nobody_is_sent_away() {
    let (rig, folder, old) = door().await;
    let mut client = login(&rig, &old).await;
    let new = issue(folder.path());
    rig.tls.as_ref().unwrap().reload();
    assert_eq!(store(&mut client, &old, b"MSH", true).await.code, 226, "a session keeps its own");
    assert!(explicit(rig.address, &old).await.is_err());
    let mut client = login(&rig, &new).await;
    assert_eq!(store(&mut client, &new, b"MSH", true).await.code, 226);
}

#[tokio::test]
async fn a_client_without_a_certificate_is_turned_away_where_one_is_required() {
    let folder = tempfile::tempdir().unwrap();
    let config = issue(folder.path());
    let client_ca = Some(folder.path().join("certificate.pem"));
    for (client_certificate_required, lets_in) in [(false, true), (true, false)] {
        let tls =
            TlsFiles { client_ca: client_ca.clone(), client_certificate_required, ..files(folder.path()) };
        let rig = Rig::with(Setup { tls: Some(tls), ..Setup::default() }).await;
        let mut client = explicit(rig.address, &config).await.unwrap();
        client.control.write_all(b"NOOP\r\n").await.unwrap();
        // With TLS 1.3 a client learns only now what its handshake was worth.
        let mut reply = [0; 3];
        let read = client.control.read_exact(&mut reply).await;
        assert_eq!(read.is_ok() && &reply == b"200", lets_in);
    }
}

/// A certificate of a client's own, which is its own authority: with what it connects, as PEM, and its
/// fingerprint.
fn certified(server: &CertificateDer<'static>) -> (Arc<ClientConfig>, String, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["client".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(server.clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = builder.with_client_auth_cert(vec![cert.der().clone()], key).unwrap();
    (Arc::new(config), cert.pem(), Fingerprint::of(cert.der()).to_string())
}

#[tokio::test]
async fn an_account_that_is_bound_to_a_certificate_needs_it_and_another_ones_does_not_do() {
    let folder = tempfile::tempdir().unwrap();
    let nobodys = issue(folder.path());
    let server = CertificateDer::from_pem_file(folder.path().join("certificate.pem")).unwrap();
    let (acmes, acmes_pem, acmes_fingerprint) = certified(&server);
    let (betas, betas_pem, betas_fingerprint) = certified(&server);
    let authorities = folder.path().join("senders.pem");
    std::fs::write(&authorities, acmes_pem + &betas_pem).unwrap();
    let tls = TlsFiles { client_ca: Some(authorities), ..files(folder.path()) };
    let rig = Rig::with(Setup { tls: Some(tls), ..Setup::default() }).await;
    let bind = |code: &str, account: &str, fingerprints: &str| {
        let more = format!("client_certificates = [{fingerprints}]");
        write_org(rig.directory.path(), code, account, &more);
        assert_eq!(rig.directory.reload(), []);
    };
    let logs_in = async |account: &str, config: &Arc<ClientConfig>| {
        let mut client = explicit(rig.address, config).await.unwrap();
        let reply = client.try_login(account, PASSWORD).await;
        assert!(
            ["230 Welcome\r\n", "530 User name or password is wrong\r\n"].contains(&&*reply.text),
            "{reply:?}"
        );
        reply.code == 230
    };
    bind("ACME01", "acme", &format!("'{acmes_fingerprint}'"));
    assert!(logs_in("acme", &acmes).await);
    assert!(!logs_in("acme", &betas).await && !logs_in("acme", &nobodys).await);
    assert!(logs_in("beta", &betas).await && logs_in("beta", &acmes).await, "it is bound to none");
    assert!(rig.audit_log().await.contains("none of the account's certificates"));

    bind("ACME01", "acme", &format!("'{acmes_fingerprint}', '{betas_fingerprint}'"));
    assert!(logs_in("acme", &acmes).await && logs_in("acme", &betas).await);
    bind("BETA02", "beta", &format!("'{betas_fingerprint}'"));
    assert!(!logs_in("beta", &acmes).await && logs_in("beta", &betas).await);

    // Encrypted from the first byte on.
    let implicit = TcpStream::connect(rig.implicit).await.unwrap();
    let implicit = shake(&acmes, implicit).await.unwrap();
    let mut client = Client::greeted(Box::new(implicit), rig.implicit.ip()).await;
    assert_eq!(client.try_login("beta", PASSWORD).await.code, 530);
    assert_eq!(client.try_login("acme", PASSWORD).await.code, 230);
}
