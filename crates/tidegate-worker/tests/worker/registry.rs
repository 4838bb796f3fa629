//! A registry that speaks MLLP, does as its script says, and keeps a ledger of every message that it read.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::rig::PATIENCE;

/// What it does with one message.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    /// Acknowledges it with this code and what stands behind MSA-2.
    Answer(&'static str, &'static str),
    /// Acknowledges it with AA, twice.
    Twice,
    /// Acknowledges it, then closes the connection.
    AnswerAndClose,
    /// Closes the connection without an answer.
    Close,
    /// Never answers; reads on.
    Silence,
    /// Acknowledges it once the other side has hung up.
    Late,
    /// Answers with these bytes.
    Bytes(Vec<u8>),
    /// The same, and closes the connection.
    BreakOff(Vec<u8>),
}

pub(crate) const AA: Reaction = Reaction::Answer("AA", "");

type Script = Box<dyn FnMut(&str) -> Reaction + Send>;

/// A listener that reads until the test ends.
pub(crate) struct Registry {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<Script>,
    ledger: Mutex<Vec<String>>,
    grown: Condvar,
    connections: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl Registry {
    /// In the clear; `script` is asked for each control id.
    pub(crate) fn start(script: impl FnMut(&str) -> Reaction + Send + 'static) -> Self {
        Self::listen((Ipv4Addr::LOCALHOST, 0).into(), None, script)
    }

    /// At an address of its own, with TLS if there is a configuration for it.
    pub(crate) fn listen(
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        script: impl FnMut(&str) -> Reaction + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            ledger: Mutex::default(),
            grown: Condvar::new(),
            connections: AtomicUsize::new(0),
            open: Mutex::default(),
        });
        let address = listener.local_addr().unwrap();
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for tcp in listener.incoming().map_while(Result::ok) {
                let (shared, tls) = (Arc::clone(&of_thread), tls.clone());
                shared.connections.fetch_add(1, Ordering::SeqCst);
                shared.open.lock().unwrap().push(tcp.try_clone().unwrap());
                std::thread::spawn(move || {
                    let closing = tcp.try_clone().unwrap();
                    match tls {
                        None => shared.converse(tcp),
                        Some(config) => {
                            let connection = ServerConnection::new(config).unwrap();
                            shared.converse(StreamOwned::new(connection, tcp));
                        }
                    }
                    // Others hold the socket, too.
                    let _ = closing.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, shared }
    }

    /// Control ids in the order in which they were read.
    pub(crate) fn ledger(&self) -> Vec<String> {
        self.shared.ledger.lock().unwrap().clone()
    }

    /// Waits until so many messages were read.
    pub(crate) fn wait_for(&self, count: usize) {
        let ledger = self.shared.ledger.lock().unwrap();
        let waiting = self.shared.grown.wait_timeout_while(ledger, PATIENCE, |ledger| ledger.len() < count);
        assert!(!waiting.unwrap().1.timed_out(), "{count} messages never came");
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Breaks every connection, as if the machine had gone.
    pub(crate) fn cut(&self) {
        for tcp in self.shared.open.lock().unwrap().drain(..) {
            let _ = tcp.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    /// Reads frames until the other side is done.
    fn converse(&self, mut stream: impl Read + Write) {
        let (mut read, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            while let Some(end) = read.windows(2).position(|two| two == b"\x1c\r") {
                assert_eq!(read[0], 0x0b, "a frame begins");
                let message = String::from_utf8(read[1..end].to_vec()).unwrap();
                read.drain(..end + 2);
                let id = message.split('|').nth(9).unwrap().to_owned();
                self.ledger.lock().unwrap().push(id.clone());
                self.grown.notify_all();
                let reaction = (self.script.lock().unwrap())(&id);
                if !react(&mut stream, &reaction, &id) {
                    return;
                }
            }
            match stream.read(&mut piece) {
                Ok(length) if length > 0 => read.extend_from_slice(&piece[..length]),
                _ => return,
            }
        }
    }
}

/// Whether the connection stays.
fn react(stream: &mut (impl Read + Write), reaction: &Reaction, id: &str) -> bool {
    let ack = |code: &str, more: &str| {
        format!("\x0bMSH|^~\\&|IIS|STATE|||20240301||ACK|9|P|2.5.1\rMSA|{code}|{id}{more}\r\x1c\r")
            .into_bytes()
    };
    let answer = match reaction {
        Reaction::Answer(code, more) => ack(code, more),
        Reaction::Twice => ack("AA", "").repeat(2),
        Reaction::AnswerAndClose => ack("AA", ""),
        Reaction::Close => return false,
        Reaction::Silence => return true,
        Reaction::Late => {
            // Nothing comes but the end: nobody sends a message before the last one is answered.
            let _ = stream.read(&mut [0]);
            ack("AA", "")
        }
        Reaction::Bytes(bytes) | Reaction::BreakOff(bytes) => bytes.clone(),
    };
    let written = stream.write_all(&answer).and_then(|()| stream.flush());
    written.is_ok() && !matches!(reaction, Reaction::AnswerAndClose | Reaction::BreakOff(_))
}
