//! The control connection: lines in, replies out.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use unftp_core::auth::ClientCert;

use crate::line::{Ahead, Line, LineBuffer, NoLine};
use crate::reply::Reply;
use crate::wire::{Commands, Handshake, Wire};

/// A client that does not take a reply for so long is gone.
const REPLY_MAX: Duration = Duration::from_secs(30);
/// How long, and how much, is taken of a client that is sent away.
const REST_MAX: Duration = Duration::from_secs(2);
const REST_BYTES_MAX: u64 = 1 << 20;

#[derive(Debug)]
pub(crate) struct Control {
    wire: Wire,
    lines: LineBuffer,
    /// A line that came during a transfer and waits for its end.
    postponed: Option<Line>,
}

impl Control {
    pub(crate) fn new(wire: Wire) -> Self {
        Self { wire, lines: LineBuffer::default(), postponed: None }
    }

    /// Encrypts the connection. Lines that came in the clear and wait are forgotten.
    pub(crate) async fn encrypt(self, handshake: Handshake) -> io::Result<Self> {
        let Wire::Plain(stream) = self.wire else { return Err(io::ErrorKind::AlreadyExists.into()) };
        Ok(Self::new(Wire::open(stream, Some(handshake)).await?))
    }

    /// What the client has proven to be.
    pub(crate) fn certificates(&self) -> Option<Vec<ClientCert>> {
        self.wire.certificates()
    }

    /// The next command. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<Line, NoLine> {
        match self.postponed.take() {
            Some(line) => Ok(line),
            None => self.lines.next(&mut Commands(&mut self.wire)).await,
        }
    }

    /// Gives a line back, to be the next again.
    pub(crate) fn postpone(&mut self, line: Line) {
        self.postponed = Some(line);
    }

    /// Reads on behind a line that was given back. May be dropped while it waits.
    pub(crate) async fn look_ahead(&mut self) -> Ahead {
        self.lines.look_ahead(&mut Commands(&mut self.wire)).await
    }

    /// Closes our side.
    pub(crate) async fn close(&mut self) -> io::Result<()> {
        timeout(REPLY_MAX, self.wire.shutdown()).await?
    }

    /// Sends a last reply.
    pub(crate) async fn send_last(&mut self, reply: &Reply) -> io::Result<()> {
        self.send(reply).await?;
        self.close().await
    }

    /// Sends a last reply, and takes what the client is still sending for a while: closing on bytes that
    /// nobody has read would reset the connection, and the reply with it.
    pub(crate) async fn send_away(&mut self, reply: &Reply) -> io::Result<()> {
        self.send_last(reply).await?;
        let mut rest = (&mut self.wire).take(REST_BYTES_MAX);
        // However it ends, the reply has had its time.
        let _ = timeout(REST_MAX, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
        Ok(())
    }

    pub(crate) async fn send(&mut self, reply: &Reply) -> io::Result<()> {
        let bytes = reply.to_bytes();
        let sending = async {
            self.wire.write_all(&bytes).await?;
            self.wire.flush().await
        };
        timeout(REPLY_MAX, sending).await?
    }
}
