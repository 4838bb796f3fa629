//! A look at the control connection from the outside, while nobody reads it.
//!
//! RFC 959, 4.1.1: the closing of the control connection is equivalent to an ABOR. A client that dies
//! closes its data connection as if the file were whole; only here is the difference seen.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

/// A second handle on the control connection.
#[derive(Debug)]
pub(crate) struct Link(OwnedFd);

/// What a look tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The client has closed its side, or the connection is lost.
    Gone,
    /// It has sent something that nobody has read yet.
    Unread,
    /// It is there and waits.
    Quiet,
}

/// Bytes that are looked at for an ABOR that nobody has read yet.
const PEEK_BYTES: usize = 512;

impl Link {
    pub(crate) fn new(socket: &impl AsFd) -> io::Result<Self> {
        Ok(Self(socket.as_fd().try_clone_to_owned()?))
    }

    /// What this host knows of the client at the moment.
    pub(crate) fn look(&self) -> Seen {
        match self.events() {
            Ok(events) if events.intersects(GONE) => Seen::Gone,
            Ok(events) if events.contains(PollFlags::IN) => Seen::Unread,
            Ok(_) => Seen::Quiet,
            Err(_) => Seen::Gone,
        }
    }

    fn events(&self) -> Result<PollFlags, Errno> {
        let mut polled = [PollFd::new(&self.0, PollFlags::IN | PollFlags::RDHUP)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            match poll(&mut polled, Some(&now)) {
                Err(Errno::INTR) => {}
                other => {
                    other?;
                    return Ok(polled.first().map_or(PollFlags::empty(), PollFd::revents));
                }
            }
        }
    }

    /// Whether an ABOR is among what nobody has read yet.
    pub(crate) fn has_abort(&self) -> bool {
        let mut bytes = [0; PEEK_BYTES];
        let peeked = recv(&self.0, &mut bytes, RecvFlags::PEEK | RecvFlags::DONTWAIT);
        let Ok((count, _)) = peeked else { return false };
        let unread = bytes.get(..count).unwrap_or_default();
        unread.split(|byte| *byte == b'\n').any(|line| {
            let start = line.iter().position(u8::is_ascii).unwrap_or(line.len());
            line.get(start..start + 4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"ABOR"))
        })
    }
}

/// RDHUP is set as soon as the peer's FIN is here, even behind commands that nobody has read.
const GONE: PollFlags = PollFlags::RDHUP.union(PollFlags::HUP).union(PollFlags::ERR).union(PollFlags::NVAL);

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{Shutdown, TcpListener, TcpStream};

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    #[test]
    fn a_client_that_is_gone_is_seen_behind_what_it_said() {
        let (client, server) = pair();
        let link = Link::new(&server).unwrap();
        assert_eq!(link.look(), Seen::Quiet);
        (&client).write_all(b"NOOP\r\n").unwrap();
        assert_eq!((link.look(), link.has_abort()), (Seen::Unread, false));
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(link.look(), Seen::Gone);
    }

    #[test]
    fn an_unread_abort_counts() {
        let (mut client, server) = pair();
        let link = Link::new(&server).unwrap();
        client.write_all(b"NOOP\r\n\xff\xf4\xffabor\r\n").unwrap();
        assert!(link.has_abort());
    }
}
