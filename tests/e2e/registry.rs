//! A registry that speaks MLLP and keeps a ledger of every message that it read.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use chrono::{DateTime, Utc};

use crate::rig::DEADLINE;

/// Listens until the test ends.
pub(crate) struct Registry {
    pub(crate) address: SocketAddr,
    ledger: Arc<Ledger>,
}

struct Ledger {
    /// Control ids, and when each was read.
    read: Mutex<Vec<(String, DateTime<Utc>)>>,
    grown: Condvar,
    /// It reads the message at each of these places, counted from 1, and never answers it.
    silent_at: &'static [usize],
}

impl Registry {
    /// Answers each message with AA, but for those at some places.
    pub(crate) fn start(address: SocketAddr, silent_at: &'static [usize]) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let ledger = Arc::new(Ledger { read: Mutex::default(), grown: Condvar::new(), silent_at });
        let of_thread = Arc::clone(&ledger);
        std::thread::spawn(move || {
            for link in listener.incoming().map_while(Result::ok) {
                let ledger = Arc::clone(&of_thread);
                // It ends with its connection.
                std::thread::spawn(move || ledger.converse(link));
            }
        });
        Self { address, ledger }
    }

    /// What belongs into the configuration.
    pub(crate) fn delivery(address: SocketAddr) -> String {
        format!("[delivery]\nkind = \"mllp\"\naddress = \"{address}\"\ntls = \"off\"\n")
    }

    /// Control ids in the order in which they were read.
    pub(crate) fn ledger(&self) -> Vec<String> {
        self.ledger.read.lock().unwrap().iter().map(|(id, _)| id.clone()).collect()
    }

    /// When each message was read, by its control id.
    pub(crate) fn times(&self) -> BTreeMap<String, Vec<DateTime<Utc>>> {
        let mut times: BTreeMap<String, Vec<DateTime<Utc>>> = BTreeMap::new();
        for (id, at) in self.ledger.read.lock().unwrap().iter() {
            times.entry(id.clone()).or_default().push(*at);
        }
        times
    }

    /// Waits until so many messages were read.
    pub(crate) fn wait_for(&self, count: usize) {
        let read = self.ledger.read.lock().unwrap();
        let waiting = self.ledger.grown.wait_timeout_while(read, DEADLINE, |read| read.len() < count);
        assert!(!waiting.unwrap().1.timed_out(), "{count} messages never came");
    }
}

impl Ledger {
    fn converse(&self, mut link: TcpStream) -> Option<()> {
        let (mut bytes, mut piece) = (Vec::new(), [0; 8192]);
        loop {
            let length = link.read(&mut piece).ok().filter(|length| *length > 0)?;
            bytes.extend_from_slice(&piece[..length]);
            while let Some(end) = bytes.windows(2).position(|two| two == b"\x1c\r") {
                let message = String::from_utf8(bytes.drain(..end + 2).collect()).unwrap();
                let id = message.split('|').nth(9).unwrap().to_owned();
                let ack = format!("\x0bMSH|^~\\&|IIS|STATE|||20240301||ACK|9|P|2.5.1\rMSA|AA|{id}\r\x1c\r");
                let place = {
                    let mut read = self.read.lock().unwrap();
                    read.push((id, Utc::now()));
                    read.len()
                };
                self.grown.notify_all();
                if !self.silent_at.contains(&place) {
                    link.write_all(ack.as_bytes()).ok()?;
                }
            }
        }
    }
}
