//! Counts that trailers declare (BTS-1, FTS-1).
//!
//! Invariant: what is no number is no count; a count that differs is told with both numbers and nothing else of the
//! line.

use crate::delimiters::Delimiters;

/// What a trailer's first field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    /// Empty: counts are optional and usually absent.
    Nothing,
    /// A number.
    Count(u64),
    /// Something else.
    NotANumber,
}

impl Declared {
    /// Reads a trailer line; the separator is whatever follows its name.
    pub(crate) fn of(trailer: &[u8]) -> Self {
        let separator = trailer.get(3).copied().unwrap_or(Delimiters::STANDARD.field);
        let field = trailer.get(4..).unwrap_or_default();
        let field = field.split(|byte| *byte == separator).next().unwrap_or_default().trim_ascii();
        if !crate::view::is_filled(field) {
            return Self::Nothing;
        }
        let number = std::str::from_utf8(field).ok().and_then(|text| text.parse().ok());
        number.map_or(Self::NotANumber, Self::Count)
    }
}

/// The words for a count that is not what was found.
pub(crate) fn mismatch(field: &str, what: &str, declared: Declared, found: u64) -> Option<String> {
    match declared {
        Declared::Count(count) if count != found => {
            Some(format!("{field} announces {count} {what}, {found} came"))
        }
        Declared::NotANumber => Some(format!("{field} is not a number of {what}, {found} came")),
        Declared::Count(_) | Declared::Nothing => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_declare_a_count_or_nothing() {
        let cases: [(&[u8], Declared); 9] = [
            (b"BTS", Declared::Nothing),
            (b"BTS|", Declared::Nothing),
            (b"BTS||", Declared::Nothing),
            (b"BTS|\"\"", Declared::Nothing),
            (b"BTS|12", Declared::Count(12)),
            (b"BTS| 12 |all", Declared::Count(12)),
            (b"FTS#3#", Declared::Count(3)),
            (b"BTS|twelve", Declared::NotANumber),
            (b"BTS|-1", Declared::NotANumber),
        ];
        for (line, declared) in cases {
            assert_eq!(Declared::of(line), declared, "{line:?}");
        }
    }
}
