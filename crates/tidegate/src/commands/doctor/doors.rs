//! Whether the doors answer.

use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use tidegate_web::api::Listener;

use crate::environment::Finding;

/// How long a door may take to let somebody in, and to speak.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Longest part of a greeting that is looked at.
const GREETING_BYTES: usize = 4;

/// Knocks at each door that has a network address.
pub(super) fn doors(listeners: &[Listener]) -> Vec<Finding> {
    listeners.iter().filter_map(|door| Some((door, door.address.parse().ok()?))).map(knock).collect()
}

fn knock((door, address): (&Listener, SocketAddr)) -> Finding {
    let shown = format!("{} on {address}", door.protocol);
    match greeting(&door.protocol, reachable(address)) {
        Ok(()) => Finding::ok(format!("{shown} answers")),
        Err(error) => Finding::wrong(
            format!("{shown} does not answer: {error}"),
            "look at the server's log and at this machine's firewall, then restart the server",
        ),
    }
}

/// From this machine: who listens everywhere listens on loopback, too.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Waits for the first words where it is the server that speaks first (RFC 959, 5.4; RFC 4253, 4.2).
fn greeting(protocol: &str, address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_MAX)?;
    let expected: &[u8] = match protocol {
        "ftp" => b"220",
        "sftp" => b"SSH-",
        _ => return Ok(()),
    };
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    let mut said = [0; GREETING_BYTES];
    stream.read_exact(&mut said).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::other("it lets in and says nothing"),
        _ => error,
    })?;
    if said.starts_with(expected) {
        return Ok(());
    }
    Err(io::Error::other(format!("it says {:?}", String::from_utf8_lossy(&said))))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::environment::Level;

    /// A door that says `words` to the first who knocks, and hangs up.
    fn door(protocol: &str, words: &'static [u8]) -> Listener {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || listener.accept().unwrap().0.write_all(words));
        Listener { protocol: protocol.to_owned(), address }
    }

    #[test]
    fn a_door_that_does_not_say_what_it_should_is_wrong() {
        // Nobody listens on a connection's own port, and nobody else gets it while the connection is there.
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = TcpStream::connect(other.local_addr().unwrap()).unwrap();
        let shut = connection.local_addr().unwrap().to_string();
        let folder = Listener { protocol: "folder".to_owned(), address: "/srv/drop".to_owned() };
        let found = doors(&[
            door("ftp", b"220-Welcome"),
            door("ftp", b"421 Too many"),
            door("sftp", b"SSH-2.0-t"),
            door("sftp", b""),
            door("ftps", b""),
            Listener { protocol: "web".to_owned(), address: shut },
            folder,
        ]);
        let levels: Vec<Level> = found.iter().map(|finding| finding.level).collect();
        assert_eq!(
            levels,
            [Level::Ok, Level::Wrong, Level::Ok, Level::Wrong, Level::Ok, Level::Wrong],
            "{found:?}"
        );
        assert!(found[1].what.contains("it says \"421 \""), "{found:?}");
    }

    #[test]
    fn who_listens_everywhere_is_sought_on_loopback() {
        for (address, sought) in
            [("0.0.0.0:21", "127.0.0.1:21"), ("[::]:21", "[::1]:21"), ("192.0.2.1:21", "192.0.2.1:21")]
        {
            assert_eq!(reachable(address.parse().unwrap()), sought.parse().unwrap());
        }
    }
}
