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
            self.bytes.reserve(READ_BYTES);
            match stream.read_buf(&mut self.bytes).await {
                Ok(0) | Err(_) => return Err(NoLine::End),
                Ok(_) => {}
            }
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
    async fn a_line_without_end_is_given_up() {
        let (found, end) = lines(&vec![b'A'; 1 << 20]).await;
        assert_eq!((found.len(), end), (0, NoLine::TooLong));
    }
}
