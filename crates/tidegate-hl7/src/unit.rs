//! The units a file falls into, and how a unit's first line is recognised.
//!
//! Invariant: recognition looks at no more than four bytes, so that it gives the same answer wherever a chunk of the
//! file happens to end. It does not judge whether the header is any good (see `check`).

/// What a stretch of the file is (HL7 2.5.1, section 2.10.3, "Batch protocol").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// `FHS`: one line that opens a file of batches.
    FileHeader,
    /// `BHS`: one line that opens a batch.
    BatchHeader,
    /// `MSH` and all lines up to the next header or trailer.
    Message,
    /// `BTS`: one line that closes a batch.
    BatchTrailer,
    /// `FTS`: one line that closes a file.
    FileTrailer,
    /// Lines that belong to no message: something was lost before them, or they are no HL7.
    Stray,
    /// A unit longer than the limit; only its first [`HEAD_BYTES_MAX`] bytes are kept.
    Oversize,
}

/// How much of a unit over the limit is kept, in bytes: enough for its first line to be acknowledged.
pub const HEAD_BYTES_MAX: usize = 4096;

/// A stretch of the file, without the line ends, MLLP bytes, NUL and Ctrl-Z at its edges.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Unit<'a> {
    /// What it is.
    pub kind: UnitKind,
    /// Byte offset of its first byte in the file.
    pub offset: u64,
    /// Line of its first byte in the file, counted from 1; CR, LF and CRLF each end a line.
    pub line: u64,
    /// Whether a line end followed, rather than the end of the file.
    pub terminated: bool,
    /// Its bytes; of an [`UnitKind::Oversize`] unit only the first ones.
    pub bytes: &'a [u8],
}

/// Shows where a unit is, never what it says: a unit is patient data.
impl std::fmt::Debug for Unit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}@{}+{}", self.kind, self.offset, self.bytes.len())
    }
}

/// What the bytes at the start of a line say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// A header or trailer of this kind.
    Unit(UnitKind),
    /// Anything else.
    Other,
    /// Too few bytes to tell; more may follow.
    Unknown,
}

/// Reads the start of a line. `last` says that nothing follows `line` in the file.
pub(crate) fn opening(line: &[u8], last: bool) -> Opening {
    let kind = match line {
        [b'M', b'S', b'H', ..] => UnitKind::Message,
        [b'F', b'H', b'S', ..] => UnitKind::FileHeader,
        [b'B', b'H', b'S', ..] => UnitKind::BatchHeader,
        [b'B', b'T', b'S', ..] => UnitKind::BatchTrailer,
        [b'F', b'T', b'S', ..] => UnitKind::FileTrailer,
        [] | [b'M' | b'F' | b'B'] | [b'M', b'S'] | [b'F' | b'B', b'H' | b'T'] if !last => {
            return Opening::Unknown;
        }
        _ => return Opening::Other,
    };
    match line.get(3) {
        Some(next) if next.is_ascii_alphanumeric() => Opening::Other,
        None if !last => Opening::Unknown,
        Some(_) | None => Opening::Unit(kind),
    }
}

/// Bytes that may surround a unit without belonging to it: line ends, MLLP framing, padding and the DOS end mark.
pub(crate) const fn is_edge(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0x0b | 0x1c | 0x00 | 0x1a)
}

/// UTF-8 byte order mark; some exporters put one before each file they append.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_need_a_byte_that_no_name_continues_with() {
        let cases: [(&[u8], bool, Opening); 14] = [
            (b"MSH|", false, Opening::Unit(UnitKind::Message)),
            (b"FHS|^", false, Opening::Unit(UnitKind::FileHeader)),
            (b"BHS#", false, Opening::Unit(UnitKind::BatchHeader)),
            (b"BTS\r", false, Opening::Unit(UnitKind::BatchTrailer)),
            (b"FTS", true, Opening::Unit(UnitKind::FileTrailer)),
            (b"FTS", false, Opening::Unknown),
            (b"FT", false, Opening::Unknown),
            (b"FT", true, Opening::Other),
            (b"B", false, Opening::Unknown),
            (b"", false, Opening::Unknown),
            (b"", true, Opening::Other),
            (b"MSHA", false, Opening::Other),
            (b"PID|", false, Opening::Other),
            (b"MH", false, Opening::Other),
        ];
        for (line, last, expected) in cases {
            assert_eq!(opening(line, last), expected, "{line:?} last={last}");
        }
    }
}
