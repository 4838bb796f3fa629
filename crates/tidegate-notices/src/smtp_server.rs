//! A mail server for tests that takes mails, or fails as it is told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What goes wrong, once, at that recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Refuse(&'static str),
    Closing(&'static str),
    DropBeforeData(&'static str),
    /// The mail is kept, its answer lost.
    DropAfterData(&'static str),
    RefuseLogin,
}

#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) from: String,
    pub(crate) text: String,
}

pub(crate) struct SmtpServer {
    address: SocketAddr,
    mails: Arc<Mutex<Vec<Received>>>,
}

type Shared = (Arc<Mutex<Vec<Received>>>, Arc<Mutex<Vec<Fault>>>);

impl SmtpServer {
    /// Serves until the process ends.
    pub(crate) fn start(faults: Vec<Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mails = Arc::default();
        let shared: Shared = (Arc::clone(&mails), Arc::new(Mutex::new(faults)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = shared.clone();
                std::thread::spawn(move || talk(&stream.unwrap(), &shared));
            }
        });
        Self { address, mails }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn mails(&self) -> Vec<Received> {
        self.mails.lock().unwrap().clone()
    }
}

/// Whether that was to go wrong; it does so once.
fn takes(faults: &Mutex<Vec<Fault>>, is_it: impl Fn(&Fault) -> bool) -> bool {
    let mut faults = faults.lock().unwrap();
    let found = faults.iter().position(is_it);
    found.map(|index| faults.remove(index)).is_some()
}

fn talk(stream: &TcpStream, (mails, faults): &Shared) -> Option<()> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let answer = |text: &str| {
        let mut stream = stream;
        stream.write_all(format!("{text}\r\n").as_bytes()).ok()
    };
    let (mut from, mut to) = (String::new(), String::new());
    answer("220 test")?;
    while let Some(line) = lines.next() {
        let inside = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => answer("250-test\r\n250 AUTH PLAIN")?,
            "AUTH" if takes(faults, |fault| *fault == Fault::RefuseLogin) => answer("535 5.7.8 no")?,
            "MAIL" => {
                from = inside();
                answer("250 ok")?;
            }
            "RCPT" => {
                to = inside();
                if takes(faults, |fault| matches!(fault, Fault::Refuse(it) if *it == to)) {
                    answer("550 5.1.1 nobody here")?;
                } else if takes(faults, |fault| matches!(fault, Fault::Closing(it) if *it == to)) {
                    answer("421 4.3.2 going down")?;
                } else if takes(faults, |fault| matches!(fault, Fault::DropBeforeData(it) if *it == to)) {
                    return None;
                } else {
                    answer("250 ok")?;
                }
            }
            "DATA" => {
                answer("354 go on")?;
                let text: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                mails.lock().unwrap().push(Received { from: from.clone(), text: text.join("\n") });
                if takes(faults, |fault| matches!(fault, Fault::DropAfterData(it) if *it == to)) {
                    return None;
                }
                answer("250 taken")?;
            }
            "QUIT" => {
                answer("221 bye")?;
                return None;
            }
            _ => answer("250 ok")?,
        }
    }
    None
}
