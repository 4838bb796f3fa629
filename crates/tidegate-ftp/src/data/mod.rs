//! Data connections: how they come about, and what flows through them.

mod active;
mod incoming;
mod passive;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) use active::{Refused, connect, parse_eprt, parse_port};
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
    /// The data connection between `local` and `peer`, as the control connection is; nobody else gets in.
    pub(crate) async fn open(self, local: IpAddr, peer: IpAddr, within: Duration) -> io::Result<TcpStream> {
        let opening = async {
            match self {
                Self::Passive(lease) => lease.accept(peer).await,
                Self::Active(address) => connect(local, address).await,
            }
        };
        timeout(within, opening).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}
