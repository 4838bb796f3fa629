//! Senders at every door at once: FTP, FTPS, SFTP and a watched folder.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;

use russh::client;
use russh::keys::PublicKeyOrCertificate;
use russh_sftp::client::RawSftpSession;
use russh_sftp::protocol::{FileAttributes, OpenFlags};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use suppaftp::{FtpResult, ImplFtpStream, RustlsConnector, RustlsFtpStream, TlsStream};

use crate::ledger::{self, Acknowledged};
use crate::rig::{DEADLINE, PASSWORD, Server, Site, logged_in, try_log_in};

/// Ways into the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Door {
    Ftp,
    Ftps,
    Sftp,
    Folder,
}

impl Door {
    pub(crate) const ALL: [Self; 4] = [Self::Ftp, Self::Ftps, Self::Sftp, Self::Folder];
}

/// The certificate and the keys that the server has, as `tidegate init` makes them.
const MADE: &str = "made";

/// A site where all doors are open to A and B; A has the watched folder.
pub(crate) fn site() -> Site {
    let site = Site::without_server();
    std::fs::create_dir(site.path("drop")).unwrap();
    site.run(&["init", site.path(MADE).to_str().unwrap()]);
    let config = format!(
        "data_dir = 'data'\n\
         [ftp]\nlisten = '127.0.0.1:0'\npassive_ports = '0-0'\ntls = 'optional'\n\
         certificate = '{MADE}/tls/certificate.pem'\nkey = '{MADE}/tls/key.pem'\n\
         [ftps_implicit]\nlisten = '127.0.0.1:0'\n\
         [sftp]\nlisten = '127.0.0.1:0'\nhost_keys = ['{MADE}/ssh_host_ed25519_key']\n\
         [[folder]]\npath = 'drop'\norg = 'A'\nsettle = '1s'\nrescan = '1s'\n\
         [limits]\nfree_bytes_min = '1MiB'\n[maintenance]\ntimezone = 'America/Chicago'\n"
    );
    std::fs::write(site.path("tidegate.toml"), config).unwrap();
    site.add_organizations();
    site
}

/// Waits until nothing is left in the watched folder. Each file's removal is followed by a line.
pub(crate) fn wait_until_taken(site: &Site, server: &mut Server) {
    let is_file = |name: &str| !name.starts_with('.');
    while site.files("../drop").iter().any(|name| is_file(name)) {
        server.wait_for_line("file of a watched folder accepted");
    }
}

/// What senders were told at each door, and what they left in the watched folder.
#[derive(Debug, Default)]
pub(crate) struct Book {
    acknowledged: Mutex<BTreeMap<Door, Vec<Acknowledged>>>,
    grown: Condvar,
    left: Mutex<Vec<Acknowledged>>,
    last_seed: AtomicU64,
}

impl Book {
    fn enter(&self, door: Door, upload: Acknowledged) {
        self.acknowledged.lock().unwrap().entry(door).or_default().push(upload);
        self.grown.notify_all();
    }

    pub(crate) fn count(&self, door: Door) -> usize {
        self.acknowledged.lock().unwrap().get(&door).map_or(0, Vec::len)
    }

    /// Waits until so many more were acknowledged at a door, as long as there is one more now and then.
    pub(crate) fn wait_for_more(&self, door: Door, more: usize) {
        for _ in 0..more {
            let before = self.count(door);
            let uploads = self.acknowledged.lock().unwrap();
            let is_as_before =
                |uploads: &mut BTreeMap<Door, Vec<_>>| uploads.get(&door).map_or(0, Vec::len) <= before;
            let waited = self.grown.wait_timeout_while(uploads, DEADLINE, is_as_before).unwrap().1;
            assert!(!waited.timed_out(), "nothing is acknowledged at the door {door:?} any more");
        }
    }

    /// Everything that was acknowledged, and how much at each door. What lay in the watched folder was taken
    /// by now: [`wait_until_taken`].
    pub(crate) fn close(&self) -> (Vec<Acknowledged>, BTreeMap<Door, usize>) {
        for upload in self.left.lock().unwrap().drain(..) {
            self.enter(Door::Folder, upload);
        }
        let uploads = self.acknowledged.lock().unwrap();
        let counts = uploads.iter().map(|(door, uploads)| (*door, uploads.len())).collect();
        (uploads.values().flatten().cloned().collect(), counts)
    }
}

/// Who uploads at a door for an organization.
struct Sender {
    door: Door,
    org: &'static str,
    book: Arc<Book>,
    over: Arc<AtomicBool>,
    uploads_left: Cell<usize>,
}

impl Sender {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed) && self.uploads_left.get() > 0
    }

    /// An upload that there was not yet.
    fn upload(&self) -> Acknowledged {
        let seed = self.book.last_seed.fetch_add(2, Ordering::Relaxed);
        Acknowledged { org: self.org, name: format!("{seed}.hl7"), seeds: [seed, seed + 1] }
    }

    fn acknowledged(&self, upload: Acknowledged) {
        self.uploads_left.set(self.uploads_left.get().saturating_sub(1));
        self.book.enter(self.door, upload);
    }

    fn left(&self, upload: Acknowledged) {
        self.book.left.lock().unwrap().push(upload);
    }
}

/// The name that an upload is begun under: every third comes under a temporary one.
fn first_name(upload: &Acknowledged) -> String {
    let [seed, _] = upload.seeds;
    if seed.is_multiple_of(3) { format!("{seed}.part") } else { upload.name.clone() }
}

/// Senders that upload until they have sent enough, are told to end, or the server is gone.
pub(crate) struct Load {
    over: Arc<AtomicBool>,
    senders: usize,
    end: (mpsc::Sender<Sent>, mpsc::Receiver<Sent>),
}

/// How a sender came to its end: told to, or by a failure.
type Sent = Result<(), Box<dyn Error + Send + Sync>>;

impl Load {
    /// At each door one sender of each organization; one at the watched folder.
    pub(crate) fn start(site: &Site, server: &Server, book: &Arc<Book>) -> Self {
        Self::of(usize::MAX, site, server, book)
    }

    /// Each ends when that many of its uploads were acknowledged.
    pub(crate) fn of(uploads: usize, site: &Site, server: &Server, book: &Arc<Book>) -> Self {
        let mut load = Self { over: Arc::default(), senders: 0, end: mpsc::channel() };
        let trust = trust(&site.path(MADE).join("tls/certificate.pem"));
        let (ftp, sftp, folder) = (server.ftp, server.sftp.unwrap(), site.path("drop"));
        for org in ["a", "b"] {
            load.send(Door::Ftp, org, uploads, book, move |sender| {
                Ok(send_by_ftp(try_log_in(ftp, org)?, sender)?)
            });
            let trust = Arc::clone(&trust);
            load.send(Door::Ftps, org, uploads, book, move |sender| {
                Ok(send_by_ftp(encrypted(ftp, trust, org)?, sender)?)
            });
            load.send(Door::Sftp, org, uploads, book, move |sender| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(send_by_sftp(sftp, sender))
            });
        }
        load.send(Door::Folder, "a", uploads, book, move |sender| {
            drop_into(&folder, sender);
            Ok(())
        });
        load
    }

    fn send(
        &mut self,
        door: Door,
        org: &'static str,
        uploads: usize,
        book: &Arc<Book>,
        send: impl FnOnce(&Sender) -> Sent + Send + 'static,
    ) {
        let (book, over, uploads_left) = (Arc::clone(book), Arc::clone(&self.over), Cell::new(uploads));
        let sender = Sender { door, org, book, over, uploads_left };
        let end = self.end.0.clone();
        self.senders += 1;
        // Who waits for the end may have given up.
        std::thread::spawn(move || drop(end.send(send(&sender))));
    }

    /// Ends it; what failed.
    pub(crate) fn end(self) -> Vec<String> {
        self.over.store(true, Ordering::Relaxed);
        self.ended()
    }

    /// Waits until all have come to their end; what failed.
    pub(crate) fn ended(self) -> Vec<String> {
        let (end, ends) = self.end;
        drop(end);
        let ends = (0..self.senders).map(|_| ends.recv_timeout(DEADLINE).expect("the end of a sender"));
        ends.filter_map(Result::err).map(|error| error.to_string()).collect()
    }
}

fn trust(certificate: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(builder.unwrap().with_root_certificates(roots).with_no_client_auth())
}

fn encrypted(ftp: SocketAddr, trust: Arc<ClientConfig>, account: &str) -> FtpResult<RustlsFtpStream> {
    let session = RustlsFtpStream::connect(ftp)?;
    logged_in(session.into_secure(RustlsConnector::from(trust), "localhost")?, account)
}

fn send_by_ftp<T: TlsStream>(mut session: ImplFtpStream<T>, sender: &Sender) -> FtpResult<()> {
    while sender.goes_on() {
        let upload = sender.upload();
        let first = first_name(&upload);
        session.put_file(&first, &mut &ledger::content(upload.seeds)[..])?;
        if first != upload.name {
            session.rename(&first, &upload.name)?;
        }
        sender.acknowledged(upload);
    }
    Ok(())
}

struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

async fn send_by_sftp(address: SocketAddr, sender: &Sender) -> Sent {
    let config = client::Config { nodelay: true, ..client::Config::default() };
    let mut ssh = client::connect(Arc::new(config), address, Trusting).await?;
    // A connection that is lost meanwhile is told like a password that is wrong.
    if !ssh.authenticate_password(sender.org, PASSWORD).await?.success() {
        return Err("not let in".into());
    }
    let channel = ssh.channel_open_session().await?;
    channel.request_subsystem(true, "sftp").await?;
    let session = RawSftpSession::new(channel.into_stream());
    session.set_timeout(DEADLINE.as_secs());
    session.init().await?;
    let new = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    while sender.goes_on() {
        let upload = sender.upload();
        let first = first_name(&upload);
        let handle = session.open(first.as_str(), new, FileAttributes::empty()).await?.handle;
        session.write(handle.as_str(), 0, ledger::content(upload.seeds)).await?;
        session.close(handle).await?;
        if first != upload.name {
            session.rename(first, upload.name.as_str()).await?;
        }
        sender.acknowledged(upload);
    }
    Ok(())
}

/// Publishes files by rename. One that has gone was acknowledged. One at a time: each that a kill leaves has
/// to be quiet for a while later, which takes the server much longer than one that it sees come.
fn drop_into(folder: &Path, sender: &Sender) {
    while sender.goes_on() {
        let upload = sender.upload();
        publish(folder, &upload.name, upload.seeds);
        if !has_gone(&folder.join(&upload.name), sender) {
            return sender.left(upload);
        }
        sender.acknowledged(upload);
    }
}

/// Writes a file as a server does that publishes uploads by rename.
pub(crate) fn publish(folder: &Path, name: &str, seeds: [u64; 2]) {
    // A name of its own: others may publish into the same folder.
    let hidden: PathBuf = folder.join(format!(".{name}.part"));
    std::fs::write(&hidden, ledger::content(seeds)).unwrap();
    std::fs::rename(hidden, folder.join(name)).unwrap();
}

/// Whether a file was taken before the load is over.
fn has_gone(path: &Path, sender: &Sender) -> bool {
    while path.exists() {
        if sender.over.load(Ordering::Relaxed) {
            return false;
        }
        // A file system tells nobody by itself; asked without a rest, it would keep the server from its work.
        std::thread::park_timeout(Duration::from_millis(1));
    }
    true
}
