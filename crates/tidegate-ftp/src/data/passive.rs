//! Ports that wait for data connections.
//!
//! Invariant: a port waits for one session at a time, and only connections from that session's client
//! pass. A listener is kept and used again: binding anew would cost five system calls a transfer.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::net::{SocketFlags, accept_with};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How many clients may stand in line at a port; one is expected.
const BACKLOG: u32 = 16;

/// The ports of an engine.
#[derive(Debug)]
pub(crate) struct PassivePorts {
    range: RangeInclusive<u16>,
    addresses: Mutex<HashMap<IpAddr, Ports>>,
}

/// Ports at one of this host's addresses.
#[derive(Debug)]
struct Ports {
    /// The one that has been idle for the longest time first, so that a client that comes late for
    /// its own transfer does not meet the next one's.
    idle: VecDeque<TcpListener>,
    /// Those of the range that are not bound: they were never needed, or another program had them.
    unbound: VecDeque<u16>,
}

/// A port in a session's hands.
#[derive(Debug)]
pub(crate) struct Lease {
    ports: Arc<PassivePorts>,
    address: SocketAddr,
    /// There until it is given back.
    listener: Option<TcpListener>,
}

impl PassivePorts {
    pub(crate) fn new(range: RangeInclusive<u16>) -> Arc<Self> {
        Arc::new(Self { range, addresses: Mutex::default() })
    }

    /// A port at `address`; an error if all are in use.
    pub(crate) fn lease(self: &Arc<Self>, address: IpAddr) -> io::Result<Lease> {
        let listener = match self.take_idle(address) {
            Some(listener) => listener,
            None => self.bind_next(address)?,
        };
        // Whoever connected while nobody waited came for something else.
        while let Ok(stray) = accept_with(&listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            drop(stray);
        }
        let address = listener.local_addr()?;
        Ok(Lease { ports: Arc::clone(self), address, listener: Some(listener) })
    }

    fn take_idle(&self, address: IpAddr) -> Option<TcpListener> {
        self.lock().get_mut(&address)?.idle.pop_front()
    }

    fn bind_next(&self, address: IpAddr) -> io::Result<TcpListener> {
        if self.range.contains(&0) {
            return bind(SocketAddr::new(address, 0));
        }
        let mut error = io::Error::new(io::ErrorKind::AddrInUse, "all passive ports are in use");
        for _ in 0..self.range.len() {
            let Some(port) = self.of(&mut self.lock(), address).unbound.pop_front() else { break };
            match bind(SocketAddr::new(address, port)) {
                Ok(listener) => return Ok(listener),
                Err(refused) => error = refused,
            }
            // Whoever has it now may not have it for ever.
            self.of(&mut self.lock(), address).unbound.push_back(port);
            if error.kind() != io::ErrorKind::AddrInUse {
                break;
            }
        }
        Err(error)
    }

    fn of<'a>(&self, addresses: &'a mut HashMap<IpAddr, Ports>, address: IpAddr) -> &'a mut Ports {
        let unused = || Ports { idle: VecDeque::new(), unbound: self.range.clone().collect() };
        addresses.entry(address).or_insert_with(unused)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Ports>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Lease {
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next connection from `peer`; others are closed.
    pub(crate) async fn accept(self, peer: IpAddr) -> io::Result<TcpStream> {
        let listener = self.listener.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        loop {
            let (stream, from) = listener.accept().await?;
            if from.ip().to_canonical() == peer.to_canonical() {
                return Ok(stream);
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut addresses = self.ports.lock();
        self.ports.of(&mut addresses, self.address.ip()).idle.extend(self.listener.take());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpStream as StdStream};

    use super::*;

    /// Where connections on this host come from.
    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// An address of each test's own, so that no other takes the port that it lets go.
    fn here(last: u8) -> IpAddr {
        Ipv4Addr::new(127, 0, 21, last).into()
    }

    /// A range of one port that is free there.
    fn one_port(here: IpAddr) -> RangeInclusive<u16> {
        let free = std::net::TcpListener::bind((here, 0)).unwrap().local_addr().unwrap().port();
        free..=free
    }

    #[tokio::test]
    async fn a_port_serves_one_session_at_a_time_and_then_the_next() {
        let here = here(1);
        let ports = PassivePorts::new(one_port(here));
        let lease = ports.lease(here).unwrap();
        let port = lease.port();
        assert!(ports.lease(here).is_err(), "there is only one");
        drop(lease);
        assert_eq!(ports.lease(here).unwrap().port(), port);
    }

    /// A client that comes late for its own transfer meets the next one's only if all other ports were used meanwhile.
    #[tokio::test]
    async fn ports_take_turns() {
        let here = here(5);
        let ports = PassivePorts::new(0..=0);
        let (first, second) = (ports.lease(here).unwrap(), ports.lease(here).unwrap());
        let port = first.port();
        drop(first);
        drop(second);
        assert_eq!(ports.lease(here).unwrap().port(), port);
    }

    #[tokio::test]
    async fn a_port_that_another_program_had_is_used_once_it_is_free() {
        let here = here(2);
        let other = std::net::TcpListener::bind((here, 0)).unwrap();
        let port = other.local_addr().unwrap().port();
        let ports = PassivePorts::new(port..=port);
        assert!(ports.lease(here).is_err());
        drop(other);
        assert_eq!(ports.lease(here).unwrap().port(), port);
    }

    #[tokio::test]
    async fn who_came_for_an_earlier_transfer_does_not_meet_the_next() {
        let here = here(3);
        let ports = PassivePorts::new(one_port(here));
        let lease = ports.lease(here).unwrap();
        let address = (here, lease.port());
        let mut late = StdStream::connect(address).unwrap();
        drop(lease);
        let lease = ports.lease(here).unwrap();
        assert_eq!(late.read(&mut [0]).unwrap_or(0), 0, "closed");
        let client = StdStream::connect(address).unwrap();
        let accepted = lease.accept(CLIENT).await.unwrap();
        assert_eq!(accepted.peer_addr().unwrap(), client.local_addr().unwrap());
    }

    #[tokio::test]
    async fn only_the_sessions_own_client_gets_in() {
        let here = here(4);
        let ports = PassivePorts::new(one_port(here));
        let lease = ports.lease(here).unwrap();
        let mut stranger = StdStream::connect((here, lease.port())).unwrap();
        let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let accepting = tokio::spawn(lease.accept(elsewhere));
        let closed = tokio::task::spawn_blocking(move || stranger.read(&mut [0]).unwrap_or(0));
        assert_eq!(closed.await.unwrap(), 0);
        accepting.abort();
    }
}
