//! A zero-copy view of a message: lines, segments, fields, components.
//!
//! Invariant: nothing is copied, unescaped or decoded; whatever is absent reads as empty. It does not judge.

use memchr::memchr2;

use crate::delimiters::Delimiters;
use crate::unit::is_edge;

/// Most fields of a segment that are looked at, its name included; MSH-23 is the last one needed.
const FIELDS_MAX: usize = 24;

/// The lines of a message that are not blank, with their number counted from 0.
pub(crate) fn lines(message: &[u8]) -> Lines<'_> {
    Lines { rest: message, next: 0 }
}

pub(crate) struct Lines<'a> {
    rest: &'a [u8],
    next: u32,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let number = self.next;
            let end = memchr2(b'\r', b'\n', self.rest).unwrap_or(self.rest.len());
            let (line, rest) = self.rest.split_at_checked(end)?;
            let ending = if rest.starts_with(b"\r\n") { 2 } else { 1 };
            self.rest = rest.get(ending..).unwrap_or_default();
            self.next += 1;
            if !is_blank(line) {
                return Some((number, line));
            }
        }
        None
    }
}

/// Blanks and stray framing only: such a line carries nothing.
fn is_blank(line: &[u8]) -> bool {
    line.first().is_none_or(|first| !first.is_ascii_alphanumeric())
        && line.iter().all(|byte| matches!(byte, b' ' | b'\t') || is_edge(*byte))
}

/// The name of the segment in a line, if it is one: a letter, two letters or digits, then a separator or the end.
pub(crate) fn segment_name(line: &[u8], field: u8) -> Option<[u8; 3]> {
    let name: [u8; 3] = line.get(..3)?.try_into().ok()?;
    let [first, rest @ ..] = name;
    let well_formed =
        first.is_ascii_uppercase() && rest.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    (well_formed && line.get(3).is_none_or(|next| *next == field)).then_some(name)
}

/// How many fields of a segment are cut, its name included: cutting the rest would be work for nothing.
pub(crate) fn fields_read(segment: &[u8]) -> usize {
    match segment {
        b"PID" => 9,
        b"NK1" | b"ORC" => 4,
        b"OBX" => 12,
        _ => FIELDS_MAX,
    }
}

/// The first fields of a segment.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    line: &'a [u8],
    /// Where each field ends, the name counted as the first; beyond the last one the line's length.
    ends: [u32; FIELDS_MAX],
    wanted: usize,
    shift: usize,
    pub(crate) delimiters: Delimiters,
}

impl<'a> Fields<'a> {
    /// Cuts a line at its field separators, up to the last field that any rule looks at.
    pub(crate) fn of(line: &'a [u8], delimiters: Delimiters) -> Self {
        let name = line.get(..3).unwrap_or_default();
        // In MSH, FHS and BHS the separator itself counts as the first field.
        let shift = usize::from(matches!(name, b"MSH" | b"FHS" | b"BHS"));
        let wanted = fields_read(name);
        let mut ends = [u32::try_from(line.len()).unwrap_or(u32::MAX); FIELDS_MAX];
        let mut slots = ends.iter_mut().take(wanted);
        each_position(delimiters.field, line, |at| match slots.next() {
            Some(slot) => {
                *slot = u32::try_from(at).unwrap_or(u32::MAX);
                true
            }
            None => false,
        });
        Self { line, ends, wanted, shift, delimiters }
    }

    /// A field by its number in the standard; MSH-1 itself and what [`fields_read`] leaves out read as empty.
    pub(crate) fn get(&self, number: u8) -> &'a [u8] {
        let at = usize::from(number).wrapping_sub(self.shift);
        if at >= self.wanted {
            return &[];
        }
        let (Some(before), Some(end)) = (self.ends.get(at.wrapping_sub(1)), self.ends.get(at)) else {
            return &[];
        };
        self.line.get(*before as usize + 1..*end as usize).unwrap_or_default()
    }

    /// A component of a field's first repetition; component 0 is the whole field.
    pub(crate) fn component(&self, number: u8, component: u8) -> &'a [u8] {
        self.component_of(self.get(number), component)
    }

    /// A component of the first repetition of `field`.
    pub(crate) fn component_of(&self, field: &'a [u8], component: u8) -> &'a [u8] {
        if component == 0 {
            return field;
        }
        let mut start = 0;
        let mut left = component;
        for (at, byte) in field.iter().enumerate() {
            if *byte == self.delimiters.component {
                left -= 1;
                if left == 0 {
                    return field.get(start..at).unwrap_or_default();
                }
                start = at + 1;
            } else if *byte == self.delimiters.repetition {
                return if left == 1 { field.get(start..at).unwrap_or_default() } else { &[] };
            }
        }
        if left == 1 { field.get(start..).unwrap_or_default() } else { &[] }
    }

    /// The repetitions of a field.
    pub(crate) fn repetitions(&self, number: u8) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let repetition = self.delimiters.repetition;
        self.get(number).split(move |byte| *byte == repetition)
    }
}

/// Calls `found` with each position of `wanted` until it says no. Separators stand so close together that looking at
/// eight bytes at a time beats a search of its own for each.
fn each_position(wanted: u8, line: &[u8], mut found: impl FnMut(usize) -> bool) {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let pattern = u64::from_ne_bytes([wanted; 8]);
    let (words, rest) = line.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        // A byte of `differs` is zero where the byte is wanted; adding sets the top bit of every other byte.
        let differs = u64::from_le_bytes(*word) ^ pattern;
        let mut hits = !(((differs & LOW) + LOW) | differs | LOW);
        while hits != 0 {
            if !found(number * 8 + (hits.trailing_zeros() / 8) as usize) {
                return;
            }
            hits &= hits - 1;
        }
    }
    for (at, byte) in rest.iter().enumerate() {
        if *byte == wanted && !found(words.len() * 8 + at) {
            return;
        }
    }
}

/// The `MSH` segment of a message.
#[derive(Clone, Copy)]
pub(crate) struct Header<'a> {
    pub(crate) fields: Fields<'a>,
}

impl<'a> Header<'a> {
    /// Reads a message's first line; `None` if its separators are unusable.
    pub(crate) fn of(message: &'a [u8]) -> Option<Self> {
        let delimiters = Delimiters::of(message)?;
        let end = memchr2(b'\r', b'\n', message).unwrap_or(message.len());
        Some(Self { fields: Fields::of(message.get(..end)?, delimiters) })
    }
}

/// Whether a value says something: blanks and HL7's delete mark `""` do not.
pub(crate) fn is_filled(value: &[u8]) -> bool {
    match value {
        [] | b"\"\"" => false,
        [first, ..] if *first != b' ' => true,
        _ => !matches!(value.trim_ascii(), [] | b"\"\""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_skip_what_is_blank_and_keep_the_count() {
        let seen: Vec<_> = lines(b"MSH|\r\nPID|\r\r \t\n\x1c\rORC|").collect();
        assert_eq!(seen, [(0, &b"MSH|"[..]), (1, b"PID|"), (5, b"ORC|")]);
    }

    #[test]
    fn names_are_three_signs_and_a_separator() {
        for (line, named) in [
            (&b"PID|1"[..], true),
            (b"PID", true),
            (b"ZA1|", true),
            (b"pid|", false),
            (b"PIDX|", false),
            (b"1ID|", false),
            (b"PI", false),
            (b" PID|", false),
        ] {
            assert_eq!(segment_name(line, b'|').is_some(), named, "{line:?}");
        }
    }

    #[test]
    fn fields_and_components_read_as_the_standard_numbers_them() {
        let fields = Fields::of(b"PID|1||A^B~C^D^E|x", Delimiters::STANDARD);
        assert_eq!(fields.get(1), b"1");
        assert_eq!(fields.get(2), b"");
        assert_eq!(fields.component(3, 1), b"A");
        assert_eq!(fields.component(3, 2), b"B");
        assert_eq!(fields.component(3, 3), b"", "the second repetition is another patient identifier");
        assert_eq!(fields.component(4, 1), b"x");
        assert_eq!(fields.component(4, 2), b"");
        assert_eq!(fields.get(200), b"");
        assert_eq!(fields.repetitions(3).collect::<Vec<_>>(), [&b"A^B"[..], b"C^D^E"]);
    }

    proptest! {
        #[test]
        fn all_positions_are_found(line in prop::collection::vec(prop_oneof![Just(b'|'), Just(0x7b), Just(0xfc), Just(0x83), any::<u8>()], 0..60)) {
            let mut found = Vec::new();
            each_position(b'|', &line, |at| {
                found.push(at);
                true
            });
            let expected: Vec<_> = (0..line.len()).filter(|at| line[*at] == b'|').collect();
            prop_assert_eq!(found, expected);
        }
    }

    /// Components of repetitions of fields, none of them empty where it would not be seen.
    fn parts() -> impl Strategy<Value = Vec<Vec<Vec<String>>>> {
        let component = "[A-Za-z0-9 \u{e9}\\\\&]{0,6}";
        let repetition = prop::collection::vec(component, 1..4);
        prop::collection::vec(prop::collection::vec(repetition, 1..4), 1..8)
    }

    proptest! {
        #[test]
        fn what_is_rendered_is_read_back_and_the_other_way_round(fields in parts()) {
            let repetition = |components: &Vec<String>| components.join("^");
            let field = |repetitions: &Vec<Vec<String>>| {
                repetitions.iter().map(repetition).collect::<Vec<_>>().join("~")
            };
            let rendered: Vec<String> = fields.iter().map(field).collect();
            let line = format!("RXA|{}", rendered.join("|"));
            let read = Fields::of(line.as_bytes(), Delimiters::STANDARD);
            for (number, (repetitions, rendered)) in (1..).zip(fields.iter().zip(&rendered)) {
                prop_assert_eq!(read.get(number), rendered.as_bytes());
                let read_back: Vec<&[u8]> = read.repetitions(number).collect();
                let expected: Vec<String> = repetitions.iter().map(repetition).collect();
                prop_assert_eq!(read_back, expected.iter().map(String::as_bytes).collect::<Vec<_>>());
                for (at, component) in (1..).zip(&repetitions[0]) {
                    prop_assert_eq!(read.component(number, at), component.as_bytes());
                }
            }
            let again: Vec<&[u8]> = (1..=u8::try_from(fields.len()).unwrap()).map(|number| read.get(number)).collect();
            prop_assert_eq!([b"RXA|", &again.join(&b'|')[..]].concat(), line.as_bytes());
        }

        #[test]
        fn lines_put_together_again_are_the_message(segments in prop::collection::vec("[A-Z]{3}\\|[ -~\u{e9}]{0,12}", 1..8)) {
            let message = segments.join("\r").into_bytes();
            let read: Vec<&[u8]> = lines(&message).map(|(_, line)| line).collect();
            prop_assert_eq!(read.join(&b'\r'), message);
        }
    }

    #[test]
    fn the_separator_is_the_first_field_of_a_header() {
        let header = Header::of(b"MSH|^~\\&|APP|FAC\rPID|").unwrap();
        assert_eq!(header.fields.get(3), b"APP");
        assert_eq!(header.fields.get(4), b"FAC");
        assert_eq!(header.fields.get(5), b"");
        assert_eq!(header.fields.get(1), b"");
        assert_eq!(header.fields.get(0), b"");
    }

    #[test]
    fn the_delete_mark_is_empty() {
        for (value, filled) in [
            (&b""[..], false),
            (b"\"\"", false),
            (b"  ", false),
            (b" \"\" ", false),
            (b"x", true),
            (b" x", true),
            (b"\"a\"", true),
        ] {
            assert_eq!(is_filled(value), filled, "{value:?}");
        }
    }
}
