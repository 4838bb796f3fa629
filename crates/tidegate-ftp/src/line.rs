//! Command lines: from bytes off the wire to a verb and its argument (RFC 959, 5.3).
//!
//! Invariant: a line takes at most [`LINE_BYTES_MAX`] bytes of memory, whoever sends it.

use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest command line in bytes, its end included. RFC 959 sets no bound; paths of 4,096 bytes fit.
pub(crate) const LINE_BYTES_MAX: usize = 4_200;
const READ_BYTES: usize = 512;

/// A command as it came.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// In upper case; empty if the line began with something else than letters.
    pub(crate) verb: String,
    /// Everything behind the first space; names are bytes, not text.
    pub(crate) argument: Vec<u8>,
}

/// What came instead of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoLine {
    /// The client closed its side, or the connection is lost.
    End,
    /// It is too long to be a command.
    TooLong,
}

/// What stands behind a line that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// An ABOR, which waits for its turn all the same.
    Abort,
    /// As much as is kept; nobody will look at the rest before the line had its turn.
    Full,
    /// The client closed its side, or the connection is lost.
    End,
}

/// Bytes of lines that are not complete or not yet asked for.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer {
    bytes: Vec<u8>,
}

impl LineBuffer {
    /// The next line. May be dropped while it waits; nothing that was read is lost.
    pub(crate) async fn next(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<Line, NoLine> {
        loop {
            let end = self.bytes.iter().take(LINE_BYTES_MAX).position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let line = parse(self.bytes.get(..end).unwrap_or_default());
                self.bytes.drain(..=end);
                return Ok(line);
            }
            if self.bytes.len() >= LINE_BYTES_MAX {
                return Err(NoLine::TooLong);
            }
            self.read(stream).await?;
        }
    }

    /// Reads more, without taking a line out. May be dropped while it waits.
    pub(crate) async fn look_ahead(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Ahead {
        loop {
            let mut lines = self.bytes.split_inclusive(|byte| *byte == b'\n');
            if lines.any(|line| line.strip_suffix(b"\n").is_some_and(|line| parse(line).verb == "ABOR")) {
                return Ahead::Abort;
            }
            if self.bytes.len() >= LINE_BYTES_MAX {
                return Ahead::Full;
            }
            if self.read(stream).await.is_err() {
                return Ahead::End;
            }
        }
    }

    async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<(), NoLine> {
        self.bytes.reserve(READ_BYTES);
        match stream.read_buf(&mut self.bytes).await {
            Ok(0) | Err(_) => Err(NoLine::End),
            Ok(_) => Ok(()),
        }
    }
}

/// Telnet's signals before a command (IAC IP, IAC DM before ABOR; RFC 959, 4.1.3) are left out.
fn parse(line: &[u8]) -> Line {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let start = line.iter().position(u8::is_ascii).unwrap_or(line.len());
    let line = line.get(start..).unwrap_or_default();
    let (verb, argument) = match line.iter().position(|byte| *byte == b' ') {
        Some(space) => (line.get(..space), line.get(space + 1..)),
        None => (Some(line), None),
    };
    let verb = verb.filter(|verb| verb.iter().all(u8::is_ascii_alphanumeric)).unwrap_or_default();
    Line {
        verb: String::from_utf8_lossy(verb).to_ascii_uppercase(),
        argument: argument.unwrap_or_default().to_vec(),
    }
}

impl std::fmt::Debug for Line {
    /// Arguments are names and passwords: they are not shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("verb", &self.verb).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(verb: &str, argument: &[u8]) -> Line {
        Line { verb: verb.to_owned(), argument: argument.to_vec() }
    }

    async fn lines(mut bytes: &[u8]) -> (Vec<Line>, NoLine) {
        let (mut buffer, mut found) = (LineBuffer::default(), Vec::new());
        loop {
            match buffer.next(&mut bytes).await {
                Ok(line) => found.push(line),
                Err(end) => return (found, end),
            }
        }
    }

    #[tokio::test]
    async fn lines_are_verbs_and_bytes() {
        let (found, end) = lines(b"user bob\r\nSTOR  a b\r\nPWD\nSTOR \xff\xe9.hl7\r\n\r\nrest").await;
        let expected = [
            line("USER", b"bob"),
            line("STOR", b" a b"),
            line("PWD", b""),
            line("STOR", b"\xff\xe9.hl7"),
            line("", b""),
        ];
        assert_eq!((found.as_slice(), end), (expected.as_slice(), NoLine::End));
    }

    #[tokio::test]
    async fn telnet_signals_before_a_command_are_left_out() {
        let (found, _) = lines(b"\xff\xf4\xff\xf2ABOR\r\n").await;
        assert_eq!(found, [line("ABOR", b"")]);
    }

    #[tokio::test]
    async fn an_abort_is_seen_behind_lines_that_wait() {
        let ahead = async |mut bytes: &[u8]| LineBuffer::default().look_ahead(&mut bytes).await;
        assert_eq!(ahead(b"NOOP\r\n\xff\xf4\xffabor\r\n").await, Ahead::Abort);
        assert_eq!(ahead(b"SIZE ABOR\r\nABOR").await, Ahead::End);
        assert_eq!(ahead(&b"NOOP\r\n".repeat(2_000)).await, Ahead::Full);
        let (mut buffer, mut bytes) = (LineBuffer::default(), &b"PWD\r\nABOR\r\n"[..]);
        assert_eq!(buffer.look_ahead(&mut bytes).await, Ahead::Abort);
        assert!(buffer.next(&mut bytes).await.unwrap() == line("PWD", b""), "nothing is taken out");
    }

    #[tokio::test]
    async fn a_line_without_end_is_given_up() {
        let (found, end) = lines(&vec![b'A'; 1 << 20]).await;
        assert_eq!((found.len(), end), (0, NoLine::TooLong));
    }
}
