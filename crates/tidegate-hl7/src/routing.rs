//! Who sent something to whom: the fields an answer turns round.
//!
//! Invariant: each field is bounded and already in our separators; none is ever printed. It holds `FHS`, `BHS` or `MSH`
//! fields alike.

use crate::delimiters::Delimiters;
use crate::escape;
use crate::view::Fields;

/// Fields 3 to 6 and 11 of an `FHS` or `BHS`, or 3 to 6 of an `MSH`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Routing {
    pub(crate) application: Vec<u8>,
    pub(crate) facility: Vec<u8>,
    pub(crate) to_application: Vec<u8>,
    pub(crate) to_facility: Vec<u8>,
    pub(crate) control_id: Vec<u8>,
}

/// Sizes only: names and ids of senders stay out of logs.
impl std::fmt::Debug for Routing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Routing({} bytes)", self.application.len() + self.facility.len() + self.control_id.len())
    }
}

impl Routing {
    /// Reads a header line; nothing if its separators are unusable.
    pub(crate) fn of(line: &[u8]) -> Self {
        let Some(delimiters) = Delimiters::of(line) else { return Self::default() };
        let fields = Fields::of(line, delimiters);
        let echo = |number| {
            let mut out = Vec::new();
            escape::field(&mut out, fields.get(number), delimiters);
            out
        };
        // In MSH the eleventh field is the processing id.
        let control_id = if line.starts_with(b"MSH") { Vec::new() } else { echo(11) };
        Self {
            application: echo(3),
            facility: echo(4),
            to_application: echo(5),
            to_facility: echo(6),
            control_id,
        }
    }
}
