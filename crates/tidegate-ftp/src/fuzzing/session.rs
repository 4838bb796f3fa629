//! Whole sessions, over loopback: the engine looks at its sockets from the outside, so nothing in memory will do.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::storage::{Site, UPLOAD};
use crate::{Engine, Remarks, Settings, Tls, Visit};

/// Longer than any session takes.
const SESSION_MAX: Duration = Duration::from_mins(1);

/// The reply behind which no text follows.
const TLS_BEGINS: &[u8] = b"234 ";

/// What the first byte of an input asks for.
#[derive(Clone, Copy)]
struct Manner {
    /// No plain word gets anywhere.
    demands_tls: bool,
    /// The client goes without QUIT, which makes each running upload a broken one.
    hangs_up: bool,
}

/// What a client says in a session whose manner the first byte tells. To each port that is offered it connects at once, sends a
/// file and takes what comes. Replies are well-formed and no more than one for each line, nothing is reached
/// without a login or TLS where it is demanded, uploads that end are whole, and the session ends.
///
/// # Panics
/// If one of this does not hold.
pub fn session(bytes: &[u8]) {
    let (first, said) = bytes.split_first().unwrap_or((&0, bytes));
    let manner = Manner { demands_tls: first & 1 != 0, hangs_up: first & 2 != 0 };
    let end: &[u8] = if manner.hangs_up { b"" } else { b"\r\nQUIT\r\n" };
    let said = [said, end].concat();
    let lines = said.split(|byte| *byte == b'\n').count();
    let site = Site::default();
    let replies = hold(&said, manner, &site);
    assert!(replies.is_ok(), "this host can't hold a session: {replies:?}");
    check_replies(&replies.unwrap_or_default(), lines);
    assert!(!manner.demands_tls || !site.has_login(), "a login in the clear");
}

/// Replies as they came, in one piece.
fn hold(said: &[u8], manner: Manner, site: &Site) -> io::Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let client = TcpStream::connect(listener.local_addr()?).await?;
        let (served, _) = listener.accept().await?;
        // As the door does; else replies wait for each other.
        served.set_nodelay(true)?;
        let settings = Settings { passive_ports: 0..=0, ..Settings::default() };
        let engine = Engine::new(settings);
        let (_open, closing) = watch::channel(false);
        let visit = Visit {
            storage: site.clone(),
            accounts: site.clone(),
            digests: None,
            greeting: "one\ntwo".to_owned(),
            remarks: Remarks::default(),
            tls: if manner.demands_tls { Tls::Required(config()) } else { Tls::Optional(config()) },
            passive_host: None,
            closing,
        };
        let (replies, mut speech) = client.into_split();
        let is_over = Notify::new();
        let speaking = async {
            // A session that has ended takes nothing any more.
            let _ = speech.write_all(said).await;
            if !manner.hangs_up {
                is_over.notified().await;
            }
            let _ = speech.shutdown().await;
        };
        // How it ended for the engine is no matter: the client may be gone.
        let session =
            async { tokio::join!(engine.serve(served, visit), speaking, listen(replies, &is_over)).2 };
        timeout(SESSION_MAX, session).await?
    })
}

/// Reads replies to the end, and uses the ports that they offer. Where TLS begins there is no more to say.
async fn listen(replies: OwnedReadHalf, is_over: &Notify) -> io::Result<Vec<u8>> {
    let (mut replies, mut all) = (BufReader::new(replies), Vec::new());
    let mut transfers = JoinSet::new();
    loop {
        let start = all.len();
        match replies.read_until(b'\n', &mut all).await {
            Ok(0) => break,
            Ok(_) => {}
            // Closing on lines that nobody has read resets the connection.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error),
        }
        let line = all.get(start..).unwrap_or_default();
        if line.starts_with(TLS_BEGINS) {
            is_over.notify_one();
        }
        if let Some(port) = offered(line) {
            transfers.spawn(transfer(port));
        }
    }
    is_over.notify_one();
    Ok(all)
}

/// The port that a reply offers.
fn offered(reply: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(reply).ok()?;
    let inner = text.split_once('(')?.1.split_once(')')?.0;
    match text.get(..4)? {
        "229 " => inner.trim_matches('|').parse().ok(),
        "227 " => {
            let numbers: Vec<u8> = inner.split(',').filter_map(|number| number.parse().ok()).collect();
            let [_, _, _, _, high, low] = numbers[..] else { return None };
            Some(u16::from_be_bytes([high, low]))
        }
        _ => None,
    }
}

/// Sends a file and takes what comes; the server knows which of it is wanted.
async fn transfer(port: u16) -> io::Result<()> {
    let mut data = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    data.write_all(UPLOAD).await?;
    data.shutdown().await?;
    let mut taken = Vec::new();
    data.read_to_end(&mut taken).await.map(drop)
}

fn check_replies(all: &[u8], lines: usize) {
    let (mut open, mut answers) = (None, 0);
    for line in all.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\r\n").unwrap_or_default();
        let is_text = !text.is_empty() && !text.iter().any(u8::is_ascii_control);
        assert!(is_text, "no line of a reply: {}", line.escape_ascii());
        let (code, mark) = (text.get(..3).unwrap_or_default(), text.get(3).copied());
        let begins = matches!(code, [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9']);
        assert!(open.is_some() || begins && matches!(mark, Some(b' ' | b'-')), "no reply");
        match (open, mark) {
            (None, Some(b'-')) => open = Some(code),
            (Some(begun), Some(b' ')) if begun == code => open = None,
            _ => {}
        }
        // What begins a transfer answers nothing yet.
        answers += usize::from(open.is_none() && !text.starts_with(b"1"));
        if text.starts_with(TLS_BEGINS) {
            break;
        }
    }
    assert!(open.is_none(), "a reply without end");
    // The greeting answers nothing; what follows the last line end may be too long for a line.
    assert!((1..=lines + 1).contains(&answers), "{answers} answers to {lines} lines");
}

/// Encryption that comes to nothing.
fn config() -> Arc<ServerConfig> {
    Arc::new(ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::new(NoCertificate)))
}

#[derive(Debug)]
struct NoCertificate;

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
