//! A look at the control connection from the outside, while nobody reads it.
//!
//! RFC 959, 4.1.1: the closing of the control connection is equivalent to an ABOR. A client that dies
//! closes its data connection as if the file were whole; only here is the difference seen. One that only
//! half-closes its control connection counts as gone, too: a killed client looks the same. It is the TCP
//! connection that is looked at, below any encryption.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// A second handle on the control connection.
#[derive(Debug)]
pub struct Link(OwnedFd);

/// What a look tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The client has closed its side, or the connection is lost.
    Gone,
    /// It has sent something that nobody has read yet.
    Unread,
    /// It is there and waits.
    Quiet,
}

impl Link {
    /// Keeps a handle on a connected socket.
    pub fn new(socket: &impl AsFd) -> io::Result<Self> {
        Ok(Self(socket.as_fd().try_clone_to_owned()?))
    }

    /// What this host knows of the client at the moment.
    pub fn look(&self) -> Seen {
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
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
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
        assert_eq!(link.look(), Seen::Unread);
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(link.look(), Seen::Gone);
    }
}
