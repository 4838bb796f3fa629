//! What may stand before a unit, and the counting of lines across it.
//!
//! Invariant: looks ahead no further than a byte order mark; when that is cut by the end of a chunk it says so rather
//! than guess. It does not recognise headers.

use crate::unit::{BOM, is_edge};

/// Where the bytes before a unit end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lead {
    /// First byte that is not part of them.
    pub(crate) at: usize,
    /// That byte may begin a byte order mark; more bytes are needed to tell.
    pub(crate) undecided: bool,
}

/// Skips edge bytes, blanks and byte order marks from `at` on. `last` says that nothing follows `bytes`.
pub(crate) fn skip_lead(bytes: &[u8], at: usize, last: bool) -> Lead {
    let mut at = at;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        match rest.first() {
            Some(byte) if is_edge(*byte) || matches!(byte, b' ' | b'\t') => at += 1,
            Some(_) if rest.starts_with(BOM) => at += BOM.len(),
            Some(_) => return Lead { at, undecided: !last && BOM.starts_with(rest) },
            None => return Lead { at, undecided: false },
        }
    }
}

/// Counts line ends: CR, LF or CRLF.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    /// Lines ended so far.
    pub(crate) ended: u64,
    /// The byte fed last was a CR; an LF now belongs to it.
    pub(crate) after_cr: bool,
}

impl Lines {
    /// A count that stands in line `line`.
    pub(crate) fn before(line: u64) -> Self {
        Self { ended: line.saturating_sub(1), after_cr: false }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let ends = *byte == b'\r' || (*byte == b'\n' && !self.after_cr);
            self.ended += u64::from(ends);
            self.after_cr = *byte == b'\r';
        }
    }
}
