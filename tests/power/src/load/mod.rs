//! Senders and staff at work until the power is gone.

mod collector;
mod sender;
mod staff;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::ledger::Shared;
use crate::random::Random;
use crate::site::{ORGS, Site};

/// Uploads of one session at most, so that checking stays quick.
const UPLOADS_MAX: u64 = 100;

/// What every client has.
#[derive(Debug, Clone)]
struct Client {
    ftp: SocketAddr,
    ledger: Shared,
    over: Arc<AtomicBool>,
    random: Random,
}

impl Client {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }
}

/// Running clients.
pub(crate) struct Load {
    over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts two senders and a collector of responses for each pair of organizations, and staff that
    /// holds and releases the queue. Uploads are numbered from `first` on.
    pub(crate) fn start(site: &Site, ftp: SocketAddr, ledger: &Shared, first: u64, seed: u64) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let mut clients = Vec::new();
        let client = |purpose: u64| Client {
            ftp,
            ledger: ledger.clone(),
            over: Arc::clone(&over),
            random: Random::new(seed, purpose),
        };
        for (org, number) in ORGS.into_iter().zip(0..) {
            let numbers = first + number * UPLOADS_MAX..first + (number + 1) * UPLOADS_MAX;
            let sender = client(number);
            clients.push(std::thread::spawn(move || sender::run(sender, org, numbers)));
        }
        for (orgs, number) in ORGS.chunks(2).zip(100..) {
            let collector = client(number);
            clients.push(std::thread::spawn(move || collector::run(collector, orgs)));
        }
        let (member, site) = (client(200), site.clone());
        clients.push(std::thread::spawn(move || staff::run(member, &site)));
        Self { over, clients }
    }

    /// Waits until every client has noticed that the server is gone.
    pub(crate) fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        for client in self.clients {
            drop(client.join());
        }
    }

    /// The number after the highest that a load from `first` on can use.
    pub(crate) fn numbers_end(first: u64) -> u64 {
        first + ORGS.len() as u64 * UPLOADS_MAX
    }
}
