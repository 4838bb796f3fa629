//! Names under which clients upload before they rename.
//!
//! Invariant: patterns are compared byte by byte, ASCII letters without regard to case, in time
//! linear in the name for each `*`.

/// A list of patterns in which `*` stands for any characters.
#[derive(Debug, Clone)]
pub struct TemporaryNames(Vec<Pattern>);

/// The pieces between the `*`s, in lower case.
#[derive(Debug, Clone)]
struct Pattern(Vec<Vec<u8>>);

impl TemporaryNames {
    /// Takes the patterns of the configuration.
    pub fn new(patterns: &[String]) -> Self {
        let pieces = |text: &String| {
            let text = text.to_ascii_lowercase();
            Pattern(text.split('*').map(|piece| piece.as_bytes().to_vec()).collect())
        };
        Self(patterns.iter().map(pieces).collect())
    }

    /// Whether an upload of this name is kept aside until it is renamed.
    pub fn contains(&self, name: &[u8]) -> bool {
        let name = name.to_ascii_lowercase();
        self.0.iter().any(|pattern| pattern.matches(&name))
    }
}

impl Pattern {
    fn matches(&self, name: &[u8]) -> bool {
        match self.0.as_slice() {
            [] => false,
            [whole] => name == whole,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::UploadsConfig;

    #[test]
    fn the_temporary_names_of_known_clients_are_kept_aside() {
        let names = TemporaryNames::new(&UploadsConfig::default().temporary_names);
        for name in [
            "a.hl7.filepart",
            "a.part",
            "A.PARTIAL",
            "a.tmp",
            "a.tmp.42",
            "a.uploading",
            "a.prg",
            "a.hl7~",
            ".in.a.hl7.",
            ".hidden",
            "~",
        ] {
            assert!(names.contains(name.as_bytes()), "{name}");
        }
        for name in ["a.hl7", "tmp", "partial.hl7", "a.tmpx", "a~b", "in.a", "a.parts"] {
            assert!(!names.contains(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_star_stands_for_any_characters_also_for_none() {
        let names = TemporaryNames::new(&["a*b*c".to_owned(), "exact".to_owned()]);
        for (name, expected) in [
            ("abc", true),
            ("aXbYc", true),
            ("abbc", true),
            ("acb", false),
            ("abcd", false),
            ("EXACT", true),
            ("exactly", false),
            ("ac", false),
        ] {
            assert_eq!(names.contains(name.as_bytes()), expected, "{name}");
        }
        assert!(!TemporaryNames::new(&["ab*bc".to_owned()]).contains(b"abc"), "pieces do not overlap");
        assert!(names.contains(b"a\xff\xfeb\xffc"));
    }
}
