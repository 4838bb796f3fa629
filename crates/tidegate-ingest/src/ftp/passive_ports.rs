//! Ports for passive data connections.
//!
//! Invariant: a port is refused only when every port of the range is taken. Sessions take turns
//! through the range, so that two of them never try for the same one at once; by itself libunftp
//! tries nine at random, which fails under load where the range overlaps the system's own ports.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpSocket;

/// Hands out the ports of a range in turn.
#[derive(Debug, Default)]
pub(super) struct PassivePorts(AtomicUsize);

impl PassivePorts {
    /// A socket bound to the next free port of `ports`.
    pub(super) fn bind(&self, address: IpAddr, ports: RangeInclusive<u16>) -> io::Result<TcpSocket> {
        let count = ports.len();
        let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for _ in 0..count {
            let turn = self.0.fetch_add(1, Ordering::Relaxed) % count;
            let Some(port) = ports.clone().nth(turn) else { break };
            match bind(SocketAddr::new(address, port)) {
                Ok(socket) => return Ok(socket),
                Err(refused) => error = refused,
            }
        }
        Err(error)
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Ports of data connections that were closed a moment ago are free again.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn every_port_is_tried_before_giving_up() {
        let address = IpAddr::from(Ipv4Addr::LOCALHOST);
        let taken = tokio::net::TcpListener::bind((address, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let ports = PassivePorts::default();
        assert!(ports.bind(address, port..=port).is_err());
        let range = port.saturating_sub(1).max(1024)..=port;
        // Its neighbour may be somebody else's: then there is nothing to choose.
        if bind(SocketAddr::new(address, *range.start())).is_ok() {
            for _ in 0..3 {
                let socket = ports.bind(address, range.clone()).unwrap();
                assert_eq!(socket.local_addr().unwrap().port(), *range.start());
            }
        }
    }
}
