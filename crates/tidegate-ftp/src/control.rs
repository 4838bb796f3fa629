//! The control connection: lines in, replies out.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::line::{Line, LineBuffer, NoLine};
use crate::reply::Reply;

/// A client that does not take a reply for so long is gone.
const REPLY_MAX: Duration = Duration::from_secs(30);

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

    pub(crate) async fn send(&mut self, reply: &Reply) -> io::Result<()> {
        timeout(REPLY_MAX, self.stream.write_all(&reply.to_bytes())).await?
    }
}
