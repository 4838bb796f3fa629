//! What must hold for any bytes that a client sends, as functions for a fuzzer. No part of the interface.

mod entry;
mod session;
mod storage;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, ReadBuf};

use crate::data::{parse_eprt, parse_port};
use crate::line::{LINE_BYTES_MAX, Line, LineBuffer, NoLine};
use crate::path::VirtualPath;
use crate::pattern::matches;
use crate::reply::Reply;
use crate::session::without_options;
use crate::verb::Verb;

pub use session::session;

/// A control connection's bytes: its lines do not depend on how the network cuts them, each keeps to its
/// bounds, and no argument leads out of the tree, to another host, or out of a reply.
///
/// # Panics
/// If one of this does not hold.
pub fn commands(bytes: &[u8]) {
    let (lines, end) = lines(Pieces { rest: bytes, size: usize::MAX }, false);
    let size = 1 + bytes.len() % 7;
    assert!(self::lines(Pieces { rest: bytes, size }, false) == (lines.clone(), end), "cut in pieces");
    assert!(self::lines(Pieces { rest: bytes, size }, true) == (lines.clone(), end), "looked ahead");
    for Line { verb, argument } in lines {
        assert!(verb.len() + argument.len() < LINE_BYTES_MAX && !argument.contains(&b'\n'));
        assert!(verb.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()));
        if let Some(verb) = Verb::named(&verb) {
            let _ = verb.needs_argument();
        }
        check_argument(&argument);
    }
}

/// Bytes that come some at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    size: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.size.min(self.rest.len()).min(buffer.remaining());
        let (piece, rest) = self.rest.split_at(count);
        buffer.put_slice(piece);
        self.rest = rest;
        Poll::Ready(Ok(()))
    }
}

/// All lines and what ended them. Nothing here is ever waited for.
fn lines(mut pieces: Pieces<'_>, looks_ahead: bool) -> (Vec<Line>, Option<NoLine>) {
    let reading = async move {
        let (mut buffer, mut lines) = (LineBuffer::default(), Vec::new());
        loop {
            if looks_ahead {
                buffer.look_ahead(&mut pieces).await;
            }
            match buffer.next(&mut pieces).await {
                Ok(line) => lines.push(line),
                Err(end) => break (lines, Some(end)),
            }
        }
    };
    match pin!(reading).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(read) => read,
        Poll::Pending => (Vec::new(), None),
    }
}

fn check_argument(argument: &[u8]) {
    let path = VirtualPath::root().join(argument).join(argument);
    let parts: Vec<&[u8]> = path.as_path().as_os_str().as_bytes().split(|byte| *byte == b'/').collect();
    assert!(parts.first() == Some(&&b""[..]) && path.name() == parts.last().copied().unwrap_or_default());
    let is_name = |part: &&[u8]| !matches!(*part, b"" | b"." | b"..");
    assert!(parts.iter().skip(1).all(is_name) || parts == [b"", b""]);
    assert!((path.quoted().split(|byte| *byte == b'"').count() - 1).is_multiple_of(2));
    let reply = Reply::new(257, path.quoted()).to_bytes();
    let control = reply.iter().filter(|byte| byte.is_ascii_control());
    assert!(control.eq(b"\r\n") && reply.ends_with(b"\r\n"));
    assert!(argument.ends_with(without_options(argument)));
    assert!(matches(argument, argument) && matches(b"*", argument), "a name fits itself");
    for peer in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        for address in [parse_port(argument, peer), parse_eprt(argument, peer)].into_iter().flatten() {
            assert!(address.ip().to_canonical() == peer && address.port() >= 1024);
        }
    }
}
