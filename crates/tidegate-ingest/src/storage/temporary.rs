//! Names under which clients upload before they rename.

use tidegate_domain::NamePattern;

/// A list of patterns in which `*` stands for any characters.
#[derive(Debug, Clone)]
pub struct TemporaryNames(Vec<NamePattern>);

impl TemporaryNames {
    /// Takes the patterns of the configuration.
    pub fn new(patterns: &[String]) -> Self {
        Self(patterns.iter().map(|pattern| NamePattern::new(pattern)).collect())
    }

    /// Whether an upload of this name is kept aside until it is renamed.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }
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
}
