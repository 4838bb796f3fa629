//! A second handle on the connection that carries a session's commands.
//!
//! Invariant: a link counts as connected only while the peer's side is open.

use std::os::fd::AsFd;

use rustix::net::Shutdown;
use tidegate_ftp::{Link, Seen};

/// The connection behind a session. Doors without one of their own use [`ControlLink::detached`].
#[derive(Debug)]
pub struct ControlLink(Option<Link>);

impl ControlLink {
    /// Keeps a handle on a connected socket.
    pub fn new(socket: &impl AsFd) -> std::io::Result<Self> {
        Ok(Self(Some(Link::new(socket)?)))
    }

    /// A link for a protocol that tells by itself when it is cut.
    pub const fn detached() -> Self {
        Self(None)
    }

    /// Whether the peer has neither closed nor lost the connection, as far as this host knows.
    pub fn is_connected(&self) -> bool {
        self.0.as_ref().is_none_or(|link| link.look() != Seen::Gone)
    }

    /// Lets whoever reads the commands see their end; replies can still be sent.
    pub fn close_reading(&self) {
        self.shut(Shutdown::Read);
    }

    /// Closes the connection for everybody who has a handle on it; replies that were sent still
    /// arrive.
    pub fn close(&self) {
        self.shut(Shutdown::Both);
    }

    fn shut(&self, how: Shutdown) {
        if let Some(socket) = &self.0 {
            // It fails when the connection is gone already, which is what was wanted.
            let _ = rustix::net::shutdown(socket, how);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    #[test]
    fn commands_that_nobody_has_read_do_not_hide_that_the_client_is_gone() {
        let (mut client, server) = pair();
        let link = ControlLink::new(&server).unwrap();
        assert!(link.is_connected());
        client.write_all(b"NOOP\r\n").unwrap();
        assert!(link.is_connected(), "pipelined commands are no end");
        drop(client);
        assert!(!link.is_connected());
    }

    #[test]
    fn a_half_closed_link_counts_as_gone() {
        let (client, server) = pair();
        let link = ControlLink::new(&server).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert!(!link.is_connected());
    }

    #[test]
    fn a_reset_link_counts_as_gone() {
        let (client, mut server) = pair();
        let link = ControlLink::new(&server).unwrap();
        server.write_all(b"220").unwrap();
        // Unread bytes turn the close into a reset.
        drop(client);
        assert!(!link.is_connected());
    }

    #[test]
    fn what_was_sent_before_closing_arrives() {
        let (mut client, mut server) = pair();
        let link = ControlLink::new(&server).unwrap();
        server.write_all(b"221 bye").unwrap();
        link.close();
        let mut reply = String::new();
        client.read_to_string(&mut reply).unwrap();
        assert_eq!(reply, "221 bye");
        assert!(!link.is_connected());
    }
}
