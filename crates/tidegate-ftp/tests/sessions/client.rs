//! An engine with one visitor, and a client that says exactly what a test wants.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidegate_ftp::{Engine, Settings, Tls, Visit};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::memory::{Accounts, Known, Memory};

/// Longer than anything takes on a busy machine; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The address that clients are told of.
pub(crate) const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);

/// A connection, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) struct Client {
    pub(crate) control: BufReader<Box<dyn Stream>>,
    host: IpAddr,
    pub(crate) memory: Memory,
    pub(crate) closing: watch::Sender<bool>,
    pub(crate) session: JoinHandle<std::io::Result<()>>,
}

/// A connection to `host`, and its other end.
pub(crate) async fn pair(host: &str) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((host, 0)).await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (stream, listener.accept().await.unwrap().0)
}

pub(crate) fn settings() -> Settings {
    Settings { passive_ports: 0..=0, active_mode: true, ..Settings::default() }
}

impl Client {
    /// Connected; the greeting was read.
    pub(crate) async fn connect(settings: Settings) -> Self {
        Self::connect_with(settings, Tls::Off).await.greeted().await
    }

    /// Connected; nothing was read.
    pub(crate) async fn connect_with(settings: Settings, tls: Tls) -> Self {
        let (stream, served) = pair("127.0.0.1").await;
        Self::over(stream, served, settings, tls)
    }

    /// With a connection of one's own; nothing was read.
    pub(crate) fn over(stream: TcpStream, served: TcpStream, settings: Settings, tls: Tls) -> Self {
        let (closing, seen) = watch::channel(false);
        let memory = Memory::default();
        let visit = Visit {
            storage: memory.clone(),
            accounts: Accounts,
            digests: Some(Arc::new(Known)),
            greeting: "One\nTwo".to_owned(),
            remarks: memory.remarks.clone(),
            tls,
            passive_host: Some(OUTSIDE),
            closing: seen,
        };
        let engine = Arc::new(Engine::new(settings));
        let session = tokio::spawn(async move { engine.serve(served, visit).await });
        let host = stream.peer_addr().unwrap().ip();
        let control = BufReader::new(Box::new(stream) as Box<dyn Stream>);
        Self { control, host, memory, closing, session }
    }

    pub(crate) async fn greeted(mut self) -> Self {
        assert_eq!(self.reply().await, "220-One\r\n220-Two\r\n220 ready\r\n");
        self
    }

    pub(crate) async fn login() -> Self {
        Self::connect(settings()).await.logged_in().await
    }

    pub(crate) async fn logged_in(mut self) -> Self {
        self.expect("USER ann", 331).await;
        self.expect("PASS secret", 230).await;
        self
    }

    pub(crate) async fn send(&mut self, line: impl AsRef<[u8]>) {
        // In one piece: the system would keep a second one back for a while.
        self.control.write_all(&[line.as_ref(), b"\r\n"].concat()).await.unwrap();
    }

    /// Reads a reply, of several lines if it has them.
    pub(crate) async fn reply(&mut self) -> String {
        let mut text = String::new();
        loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, self.control.read_line(&mut line)).await;
            assert_ne!(read.expect("a reply in time").unwrap(), 0, "the connection ended after {text:?}");
            text.push_str(&line);
            if line.as_bytes()[..3].iter().all(u8::is_ascii_digit) && line.as_bytes()[3] == b' ' {
                return text;
            }
        }
    }

    /// Sends a command whose reply has to begin with `code`; the reply.
    pub(crate) async fn expect(&mut self, line: impl AsRef<[u8]>, code: u16) -> String {
        let said = String::from_utf8_lossy(line.as_ref()).into_owned();
        self.send(line).await;
        let reply = self.reply().await;
        assert!(reply.starts_with(&code.to_string()), "{said}: {reply}");
        reply
    }

    pub(crate) async fn expect_reply(&mut self, code: u16) {
        let reply = self.reply().await;
        assert!(reply.starts_with(&code.to_string()), "{code}: {reply}");
    }

    pub(crate) async fn passive(&mut self) -> TcpStream {
        let reply = self.expect("EPSV", 229).await;
        let port = reply.split('|').nth(3).unwrap().parse().unwrap();
        let address = SocketAddr::new(self.host, port);
        TcpStream::connect(address).await.unwrap()
    }

    /// A data connection whose transfer has begun.
    pub(crate) async fn begin(&mut self, line: impl AsRef<[u8]>) -> TcpStream {
        let data = self.passive().await;
        self.expect(line, 150).await;
        data
    }

    pub(crate) async fn upload(&mut self, line: impl AsRef<[u8]>, bytes: &[u8], code: u16) {
        let mut data = self.begin(line).await;
        data.write_all(bytes).await.unwrap();
        drop(data);
        self.expect_reply(code).await;
    }

    pub(crate) async fn fetch(&mut self, line: impl AsRef<[u8]>) -> String {
        let mut data = self.begin(line).await;
        let mut bytes = Vec::new();
        data.read_to_end(&mut bytes).await.unwrap();
        self.expect_reply(226).await;
        String::from_utf8(bytes).unwrap()
    }

    pub(crate) fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.memory.files.lock().unwrap().get(Path::new(path)).cloned()
    }

    /// Waits for the end of the session; what was still said.
    pub(crate) async fn closed(mut self) -> String {
        let mut rest = String::new();
        let read = timeout(PATIENCE, self.control.read_to_string(&mut rest)).await;
        read.expect("an end in time").unwrap();
        drop(self.control);
        timeout(PATIENCE, self.session).await.expect("an end in time").unwrap().unwrap();
        rest
    }
}
