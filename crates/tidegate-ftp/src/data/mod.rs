//! Data connections: how they come about, and what flows through them.

mod active;
mod incoming;
mod passive;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) use active::{Refused, parse_eprt, parse_port};
pub(crate) use incoming::{Abort, Incoming};
pub(crate) use passive::{Lease, PassivePorts};

/// How the next data connection comes about.
#[derive(Debug)]
pub(crate) enum Offer {
    /// The client connects to a port of ours.
    Passive(Lease),
    /// We connect to a port of the client.
    Active(SocketAddr),
}

impl Offer {
    /// The data connection with `peer`, whom the control connection comes from; nobody else gets in.
    pub(crate) async fn open(self, peer: SocketAddr, within: Duration) -> io::Result<TcpStream> {
        let opening = async {
            match self {
                Self::Passive(lease) => lease.accept(peer.ip()).await,
                Self::Active(address) => TcpStream::connect(address).await,
            }
        };
        timeout(within, opening).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}
