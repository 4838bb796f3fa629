//! The control connection: lines in, replies out.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::line::{Line, LineBuffer, NoLine};
use crate::reply::Reply;

/// A client that does not take a reply for so long is gone.
const REPLY_MAX: Duration = Duration::from_secs(30);
/// How long, and how much, is taken of a client that is sent away.
const REST_MAX: Duration = Duration::from_secs(2);
const REST_BYTES_MAX: u64 = 1 << 20;

#[derive(Debug)]
pub(crate) struct Control {
    stream: TcpStream,
    lines: LineBuffer,
    /// A line that came during a transfer and waits for its end.
    postponed: Option<Line>,
}

impl Control {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, lines: LineBuffer::default(), postponed: None }
    }

    /// The next command. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<Line, NoLine> {
        match self.postponed.take() {
            Some(line) => Ok(line),
            None => self.lines.next(&mut self.stream).await,
        }
    }

    /// Gives a line back, to be the next again.
    pub(crate) fn postpone(&mut self, line: Line) {
        self.postponed = Some(line);
    }

    /// Sends a last reply, and takes what the client is still sending for a while: closing on bytes that
    /// nobody has read would reset the connection, and the reply with it.
    pub(crate) async fn send_last(&mut self, reply: &Reply) -> io::Result<()> {
        self.send(reply).await?;
        self.stream.shutdown().await?;
        let mut rest = (&mut self.stream).take(REST_BYTES_MAX);
        // However it ends, the reply has had its time.
        let _ = timeout(REST_MAX, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
        Ok(())
    }

    pub(crate) async fn send(&mut self, reply: &Reply) -> io::Result<()> {
        timeout(REPLY_MAX, self.stream.write_all(&reply.to_bytes())).await?
    }
}
