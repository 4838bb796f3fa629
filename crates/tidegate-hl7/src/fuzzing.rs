//! What the rules see of a message, for other parsers to be held against. No part of the interface.

use crate::delimiters::Delimiters;
use crate::view::{Fields, Header, fields_read, lines, segment_name};

/// A message whose separators are usable.
#[derive(Debug)]
pub struct Reading<'a> {
    /// Of fields, components, repetitions, escapes and subcomponents.
    pub separators: [u8; 5],
    /// Its lines that are not blank.
    pub lines: Vec<Line<'a>>,
}

/// A line of a message.
pub struct Line<'a> {
    /// All of it.
    pub text: &'a [u8],
    /// The name of its segment; `None` if it is none.
    pub name: Option<[u8; 3]>,
    fields: Fields<'a>,
}

/// A line is patient data.
impl std::fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({} bytes)", self.text.len())
    }
}

/// Reads a message as the rules do; `None` if its separators are unusable.
pub fn reading(message: &[u8]) -> Option<Reading<'_>> {
    let delimiters = Header::of(message)?.fields.delimiters;
    let Delimiters { field, component, repetition, escape, subcomponent } = delimiters;
    let line =
        |(_, text)| Line { text, name: segment_name(text, field), fields: Fields::of(text, delimiters) };
    let separators = [field, component, repetition, escape, subcomponent];
    Some(Reading { separators, lines: lines(message).map(line).collect() })
}

impl<'a> Line<'a> {
    /// The numbers of the fields that are read; those behind them are never looked at.
    pub fn numbers(&self) -> std::ops::Range<u8> {
        let of_header = u8::from(matches!(self.name, Some([b'M', b'S', b'H'] | [b'F' | b'B', b'H', b'S'])));
        let read = fields_read(self.text.get(..3).unwrap_or_default());
        1..u8::try_from(read).unwrap_or(u8::MAX) + of_header
    }

    /// A field as it stands there.
    pub fn field(&self, number: u8) -> &'a [u8] {
        self.fields.get(number)
    }

    /// The repetitions of a field.
    pub fn repetitions(&self, number: u8) -> Vec<&'a [u8]> {
        self.fields.repetitions(number).collect()
    }

    /// A component of a field's first repetition.
    pub fn component(&self, number: u8, component: u8) -> &'a [u8] {
        self.fields.component(number, component)
    }

    /// A component of a repetition.
    pub fn component_of(&self, repetition: &'a [u8], component: u8) -> &'a [u8] {
        self.fields.component_of(repetition, component)
    }
}
