//! Where a client wants to be connected to (PORT: RFC 959, 4.1.2; EPRT: RFC 2428, 2).
//!
//! Only the client's own address passes, and no privileged port: else the server could be made to
//! talk to others in the client's name (RFC 2577, 3).

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It can't be read.
    Syntax,
    /// Neither IPv4 nor IPv6.
    Family,
    /// Another host's, or a port below 1024.
    NotAllowed,
}

/// A connection to `address` from the one that the client knows us by: its firewall may let nobody else in.
pub(crate) async fn connect(local: IpAddr, address: SocketAddr) -> io::Result<TcpStream> {
    let (local, remote) = (local.to_canonical(), address.ip().to_canonical());
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Ports of data connections that were closed a moment ago are free again.
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::new(local, 0))?;
    socket.connect(SocketAddr::new(remote, address.port())).await
}

/// `h1,h2,h3,h4,p1,p2`
pub(crate) fn parse_port(argument: &[u8], peer: IpAddr) -> Result<SocketAddr, Refused> {
    let text = std::str::from_utf8(argument).map_err(|_| Refused::Syntax)?;
    let numbers: Result<Vec<u8>, _> = text.trim().split(',').map(str::parse).collect();
    let Ok([a, b, c, d, high, low]) = <[u8; 6]>::try_from(numbers.map_err(|_| Refused::Syntax)?) else {
        return Err(Refused::Syntax);
    };
    let port = u16::from_be_bytes([high, low]);
    check(SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), port), peer)
}

/// `|family|address|port|`, with any delimiter.
pub(crate) fn parse_eprt(argument: &[u8], peer: IpAddr) -> Result<SocketAddr, Refused> {
    let text = std::str::from_utf8(argument).map_err(|_| Refused::Syntax)?.trim();
    let delimiter = text.chars().next().ok_or(Refused::Syntax)?;
    let parts: Vec<&str> = text.split(delimiter).collect();
    let ["", family, address, port, ""] = parts.as_slice() else { return Err(Refused::Syntax) };
    let address: IpAddr = match *family {
        "1" => address.parse::<Ipv4Addr>().map_err(|_| Refused::Syntax)?.into(),
        "2" => address.parse::<std::net::Ipv6Addr>().map_err(|_| Refused::Syntax)?.into(),
        family if family.parse::<u8>().is_ok() => return Err(Refused::Family),
        _ => return Err(Refused::Syntax),
    };
    check(SocketAddr::new(address, port.parse().map_err(|_| Refused::Syntax)?), peer)
}

fn check(address: SocketAddr, peer: IpAddr) -> Result<SocketAddr, Refused> {
    let own = address.ip().to_canonical() == peer.to_canonical();
    if own && address.port() >= 1024 { Ok(address) } else { Err(Refused::NotAllowed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

    #[test]
    fn only_the_clients_own_address_passes() {
        let own = SocketAddr::new(PEER, 0x1234);
        assert_eq!(parse_port(b"192,0,2,7,18,52", PEER), Ok(own));
        assert_eq!(parse_eprt(b"|1|192.0.2.7|4660|", PEER), Ok(own));
        assert_eq!(parse_port(b"192,0,2,8,18,52", PEER), Err(Refused::NotAllowed));
        assert_eq!(parse_port(b"192,0,2,7,0,25", PEER), Err(Refused::NotAllowed));
        assert_eq!(parse_eprt(b"|2|2001:db8::1|4660|", PEER), Err(Refused::NotAllowed));
    }

    #[test]
    fn nonsense_is_told_from_what_is_not_allowed() {
        for nonsense in [&b""[..], b"||||", b"1,2,3", b"192,0,2,7,18,256", b"a,b,c,d,e,f", b"\xff"] {
            assert_eq!(parse_port(nonsense, PEER), Err(Refused::Syntax));
            assert_eq!(parse_eprt(nonsense, PEER), Err(Refused::Syntax));
        }
        assert_eq!(parse_eprt(b"|3|x|1|", PEER), Err(Refused::Family));
    }
}
