//! Names by what they look like.
//!
//! Invariant: patterns are compared byte by byte, ASCII letters without regard to case, in time
//! linear in the name for each `*`.

use std::fmt;

/// Stands for all names that match it: `*` for any characters, everything else for itself. It may hold a
/// part of a patient's name, so its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct NamePattern(Vec<Vec<u8>>);

impl NamePattern {
    /// The pattern that `text` spells.
    pub fn new(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        Self(text.split('*').map(|piece| piece.as_bytes().to_vec()).collect())
    }

    /// Whether it stands for `name` as a whole.
    pub fn matches(&self, name: &[u8]) -> bool {
        let name = name.to_ascii_lowercase();
        match self.0.as_slice() {
            [] => false,
            [whole] => name == *whole,
            [first, middle @ .., last] => name
                .strip_prefix(first.as_slice())
                .and_then(|rest| rest.strip_suffix(last.as_slice()))
                .and_then(|rest| middle.iter().try_fold(rest, |rest, piece| after(rest, piece)))
                .is_some(),
        }
    }
}

/// What follows the first `piece` in `text`.
fn after<'a>(text: &'a [u8], piece: &[u8]) -> Option<&'a [u8]> {
    if piece.is_empty() {
        return Some(text);
    }
    let start = text.windows(piece.len()).position(|window| window == piece)?;
    text.get(start + piece.len()..)
}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NamePattern(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_also_for_none() {
        for (pattern, name, expected) in [
            ("a*b*c", &b"abc"[..], true),
            ("a*b*c", b"aXbYc", true),
            ("a*b*c", b"abbc", true),
            ("a*b*c", b"acb", false),
            ("a*b*c", b"abcd", false),
            ("a*b*c", b"ac", false),
            ("a*b*c", b"a\xff\xfeb\xffc", true),
            ("exact", b"EXACT", true),
            ("exact", b"exactly", false),
            ("ab*bc", b"abc", false), // pieces do not overlap
            ("*", b"anything", true),
        ] {
            assert_eq!(NamePattern::new(pattern).matches(name), expected, "{pattern} {name:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_pattern() {
        assert!(!format!("{:?}", NamePattern::new("*smith*")).contains("smith"));
    }
}
