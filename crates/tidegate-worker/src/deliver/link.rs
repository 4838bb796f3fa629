//! A connection to a target, in the clear or through TLS, on which nothing lasts longer than it may.
//!
//! Invariant: no call blocks past the deadline that was set last, however slowly the other side sends. Texts of
//! errors say what failed, never what was sent.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// How to reach the other side.
#[derive(Debug)]
pub(super) struct Address {
    /// Host and port.
    pub(super) host_port: String,
    /// How connections are encrypted, and by which name the certificate is checked; `None` for not at all.
    pub(super) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// How long a connection may take to come about.
    pub(super) connect_max: Duration,
}

/// An open connection.
#[derive(Debug)]
pub(super) enum Link {
    /// In the clear.
    Plain(Wire),
    /// Through TLS.
    Tls(Box<StreamOwned<ClientConnection, Wire>>),
}

/// A socket whose calls end at a deadline, or up to [`TICK`] later.
#[derive(Debug)]
pub(super) struct Wire {
    tcp: TcpStream,
    deadline: Instant,
    /// What the socket was told last; telling it costs as much as reading.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

/// Time-outs are whole multiples of this, so that one serves many messages.
const TICK: Duration = Duration::from_millis(20);

impl Address {
    /// Connects, and shakes hands where there is TLS.
    pub(super) fn connect(&self) -> io::Result<Link> {
        let deadline = Instant::now() + self.connect_max;
        let tcp = self.reach(deadline)?;
        // A message is written at once and waited for: nothing is gained by gathering.
        tcp.set_nodelay(true)?;
        let wire = Wire { tcp, deadline, read_timeout: None, write_timeout: None };
        let Some((config, name)) = &self.tls else { return Ok(Link::Plain(wire)) };
        let connection = ClientConnection::new(Arc::clone(config), name.clone()).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, wire);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Link::Tls(Box::new(stream)))
    }

    /// Tries each address of the host in turn.
    fn reach(&self, deadline: Instant) -> io::Result<TcpStream> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
        for address in self.host_port.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, left(deadline)?) {
                Ok(tcp) => return Ok(tcp),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Link {
    /// Everything from now on is to be over by `deadline`.
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.wire().deadline = deadline;
    }

    /// Whether the other side neither closed the connection nor said anything since the last answer.
    pub(super) fn is_quiet(&mut self) -> bool {
        if let Self::Plain(wire) = self {
            return wire.is_quiet();
        }
        // What waits may be TLS's own, which only reading tells.
        let waits = |link: &mut Self| -> io::Result<bool> {
            link.wire().tcp.set_nonblocking(true)?;
            let read = link.read(&mut [0]);
            link.wire().tcp.set_nonblocking(false)?;
            Ok(read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
        };
        self.set_deadline(Instant::now() + Duration::from_secs(1));
        waits(self).unwrap_or(false)
    }

    fn wire(&mut self) -> &mut Wire {
        match self {
            Self::Plain(wire) => wire,
            Self::Tls(stream) => &mut stream.sock,
        }
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(wire) => wire.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(wire) => wire.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(wire) => wire.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

impl Wire {
    /// Whether there is nothing to read, not even an end.
    fn is_quiet(&self) -> bool {
        let looked = recv(&self.tcp, &mut [0], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        looked.is_err_and(|error| error == Errno::WOULDBLOCK)
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let timeout = Some(in_ticks(left(self.deadline)?));
        if self.read_timeout != timeout {
            self.tcp.set_read_timeout(timeout)?;
            self.read_timeout = timeout;
        }
        self.tcp.read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let timeout = Some(in_ticks(left(self.deadline)?));
        if self.write_timeout != timeout {
            self.tcp.set_write_timeout(timeout)?;
            self.write_timeout = timeout;
        }
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn in_ticks(time: Duration) -> Duration {
    let ticks = time.as_nanos().div_ceil(TICK.as_nanos());
    u32::try_from(ticks).map_or(Duration::MAX, |ticks| TICK * ticks)
}

/// What failed, in words for staff. A socket says that it would block where its time is over.
pub(super) fn in_words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "it took too long".to_owned(),
        ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_out_is_shorter_than_what_is_left_and_none_is_longer_by_more_than_a_tick() {
        for millis in [1, 19, 20, 21, 300, 29_999, 30_000] {
            let left = Duration::from_millis(millis);
            assert!((left..left + TICK).contains(&in_ticks(left)), "{millis}");
        }
        assert_eq!(in_ticks(Duration::from_nanos(1)), TICK);
        assert!(in_ticks(Duration::MAX) > Duration::from_hours(24));
    }
}
