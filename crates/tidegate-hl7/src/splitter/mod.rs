//! A reader into units: headers, messages, trailers, strays.
//!
//! Invariant: the units depend on the bytes alone, never on how the reader cuts them; the bytes between two units are
//! line ends, blanks, MLLP bytes, NUL, Ctrl-Z and byte order marks only; memory stays at one message of the limit
//! plus one chunk, whatever comes. It does not judge order or content.

mod buffer;
mod lead;

use std::io::{self, Read};

use buffer::Buffer;
use lead::Lines;
pub(crate) use lead::skip_lead;
use memchr::{memchr2, memchr2_iter};

use crate::unit::{HEAD_BYTES_MAX, Opening, Unit, UnitKind, is_edge, opening};

/// How much is read at a time, in bytes; small enough to stay in a core's cache.
pub const CHUNK_BYTES: usize = 128 * 1024;

/// Splits a reader into [`Unit`]s, one at a time.
///
/// `FHS`, `BHS`, `BTS` and `FTS` are units of one line. A message runs from its `MSH` up to the next line that starts
/// with one of these five names and a byte that is no letter or digit; blanks before the name are allowed. Whatever
/// lines stand elsewhere form one [`UnitKind::Stray`] up to the next name.
#[derive(Debug)]
pub struct Splitter<R> {
    buffer: Buffer<R>,
    message_bytes_max: usize,
    lines: Lines,
    head: Vec<u8>,
    current: Option<Found>,
}

/// The unit handed out last; positions count from the buffer's first live byte.
#[derive(Debug, Clone, Copy)]
struct Found {
    kind: UnitKind,
    offset: u64,
    line: u64,
    end: End,
}

#[derive(Debug, Clone, Copy)]
struct End {
    content: usize,
    next: usize,
    terminated: bool,
    oversize: bool,
}

enum Gap {
    Opens(usize),
    Continues(usize),
    EndsFile(usize),
}

impl<R: Read> Splitter<R> {
    /// Splits from the start of a file. Units over `message_bytes_max` come out as [`UnitKind::Oversize`].
    pub fn new(reader: R, message_bytes_max: usize) -> Self {
        Self::resume(reader, message_bytes_max, Position::default())
    }

    /// Splits from a [`Position`] that [`Splitter::position`] gave earlier; the reader must stand there.
    pub fn resume(reader: R, message_bytes_max: usize, from: Position) -> Self {
        Self::with_chunk(reader, message_bytes_max, CHUNK_BYTES, from)
    }

    pub(crate) fn with_chunk(reader: R, message_bytes_max: usize, chunk: usize, from: Position) -> Self {
        Self {
            buffer: Buffer::new(reader, message_bytes_max, chunk, from.offset),
            message_bytes_max,
            lines: Lines::before(from.line),
            head: Vec::new(),
            current: None,
        }
    }

    /// The next unit, or `None` at the end of the file. After an error of the reader, drop the splitter and resume.
    pub fn next_unit(&mut self) -> io::Result<Option<Unit<'_>>> {
        if let Some(found) = self.current.take() {
            self.buffer.discard(found.end.next);
        }
        let Some(kind) = self.find_start()? else { return Ok(None) };
        let (offset, line) = (self.buffer.offset_of(0), self.lines.ended + 1);
        let one_line = !matches!(kind, UnitKind::Message | UnitKind::Stray);
        let end = self.find_end(one_line)?;
        self.current = Some(Found { kind, offset, line, end });
        Ok(self.current())
    }

    /// The unit that [`Splitter::next_unit`] returned last, again.
    pub fn current(&self) -> Option<Unit<'_>> {
        let Found { kind, offset, line, end } = self.current?;
        let (kind, bytes) = if end.oversize {
            (UnitKind::Oversize, self.head.as_slice())
        } else {
            (kind, trim_edge(self.buffer.live().get(..end.content).unwrap_or_default()))
        };
        Some(Unit { kind, offset, line, terminated: end.terminated, bytes })
    }

    /// Where splitting could resume after the unit returned last.
    pub fn position(&self) -> Position {
        let next = self.current.map_or(0, |found| found.end.next);
        Position { offset: self.buffer.offset_of(next), line: self.lines.ended + 1 }
    }

    fn find_start(&mut self) -> io::Result<Option<UnitKind>> {
        loop {
            let last = self.buffer.at_end();
            let lead = skip_lead(self.buffer.live(), 0, last);
            self.lines.feed(self.buffer.live().get(..lead.at).unwrap_or_default());
            self.buffer.discard(lead.at);
            if !lead.undecided {
                match opening(self.buffer.live(), last) {
                    Opening::Unit(kind) => return Ok(Some(kind)),
                    Opening::Other if self.buffer.live().is_empty() => return Ok(None),
                    Opening::Other => return Ok(Some(UnitKind::Stray)),
                    Opening::Unknown => {}
                }
            }
            self.buffer.refill()?;
        }
    }

    fn find_end(&mut self, one_line: bool) -> io::Result<End> {
        let mut oversize = false;
        let mut from = 0;
        self.lines.after_cr = false;
        loop {
            let found = if one_line { self.first_line_end(from) } else { self.doubtful_line_end(from) };
            let ended = found.is_some() || self.buffer.at_end();
            let line_end = found.unwrap_or(self.buffer.live().len());
            if line_end > self.message_bytes_max && !oversize {
                oversize = true;
                self.keep_head(self.message_bytes_max);
            }
            if ended && (one_line || found.is_none()) {
                return Ok(End { content: line_end, next: line_end, terminated: found.is_some(), oversize });
            }
            if !ended {
                from = line_end;
                if oversize {
                    self.buffer.discard(from);
                    from = 0;
                }
                self.buffer.refill()?;
                continue;
            }
            match self.cross_gap(line_end, &mut oversize)? {
                Gap::Opens(next) | Gap::EndsFile(next) => {
                    return Ok(End { content: line_end, next, terminated: true, oversize });
                }
                Gap::Continues(next) => from = next,
            }
        }
    }

    fn first_line_end(&self, from: usize) -> Option<usize> {
        let rest = self.buffer.live().get(from..)?;
        memchr2(b'\r', b'\n', rest).map(|at| from + at)
    }

    /// The first line end after which a unit may start; most are followed by the letter of another segment.
    fn doubtful_line_end(&mut self, from: usize) -> Option<usize> {
        let live = self.buffer.live();
        let rest = live.get(from..)?;
        let mut passed = 0;
        let mut found = None;
        for at in memchr2_iter(b'\r', b'\n', rest) {
            let feed = rest.get(at) == Some(&b'\n');
            match rest.get(at + 1) {
                Some(b'A' | b'C'..=b'E' | b'G'..=b'L' | b'N'..=b'Z') => passed += 1,
                Some(b'\n') if !feed => {}
                _ => {
                    let split_crlf = feed && at > 0 && rest.get(at - 1) == Some(&b'\r');
                    found = Some(from + at - usize::from(split_crlf));
                    break;
                }
            }
        }
        self.lines.ended += passed;
        found
    }

    /// From a line end over everything that may stand between units, up to what decides.
    fn cross_gap(&mut self, line_end: usize, oversize: &mut bool) -> io::Result<Gap> {
        let mut line_end = line_end;
        let mut at = line_end;
        self.lines.after_cr = false;
        loop {
            let last = self.buffer.at_end();
            let lead = skip_lead(self.buffer.live(), at, last);
            self.lines.feed(self.buffer.live().get(at..lead.at).unwrap_or_default());
            at = lead.at;
            if !lead.undecided {
                let rest = self.buffer.live().get(at..).unwrap_or_default();
                match opening(rest, last) {
                    Opening::Unit(_) => return Ok(Gap::Opens(at)),
                    Opening::Other if rest.is_empty() => return Ok(Gap::EndsFile(at)),
                    Opening::Other => break,
                    Opening::Unknown => {}
                }
            }
            if *oversize {
                self.buffer.discard(at);
                (line_end, at) = (0, 0);
            } else if self.buffer.is_full() {
                // Nothing but gap lies beyond the limit: it need not be kept to know where the unit ends.
                self.buffer.remove(line_end, at);
                at = line_end;
            }
            self.buffer.refill()?;
        }
        // Content after a gap that was dropped lies beyond the limit by its true position.
        let continues_at = self.buffer.offset_of(at);
        if !*oversize && continues_at - self.buffer.first_offset() > self.message_bytes_max as u64 {
            *oversize = true;
            self.keep_head(line_end);
        }
        Ok(Gap::Continues(at))
    }

    fn keep_head(&mut self, certain: usize) {
        let live = self.buffer.live();
        let kept = live.get(..certain.min(HEAD_BYTES_MAX)).unwrap_or(live);
        self.head.clear();
        self.head.extend_from_slice(trim_edge(kept));
    }
}

/// A place in a file where a unit may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it.
    pub offset: u64,
    /// Line it is in, counted from 1.
    pub line: u64,
}

impl Default for Position {
    /// The start of a file.
    fn default() -> Self {
        Self { offset: 0, line: 1 }
    }
}

fn trim_edge(bytes: &[u8]) -> &[u8] {
    let kept = bytes.iter().rposition(|byte| !is_edge(*byte)).map_or(0, |at| at + 1);
    bytes.get(..kept).unwrap_or_default()
}

#[cfg(test)]
mod tests;
