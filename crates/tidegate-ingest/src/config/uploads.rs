//! The section `[uploads]`: what an upload's name says about it.
//!
//! Invariant: the default covers the temporary names of the clients that were tried (`WinSCP`, lftp,
//! rclone, ncftp, Mirth), so that none of them submits a file before it is whole.

use serde::{Deserialize, Serialize};

use super::Setting;

/// How uploads are told apart by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UploadsConfig {
    /// Names that are kept aside until they are renamed; `*` stands for any characters. Capital and
    /// small letters are the same.
    pub temporary_names: Vec<String>,
}

impl Default for UploadsConfig {
    fn default() -> Self {
        let names = [
            "*.filepart",
            "*.part",
            "*.partial",
            "*.tmp",
            "*.tmp.*",
            "*.uploading",
            "*.prg",
            "*~",
            ".in.*",
            ".*",
        ];
        Self { temporary_names: names.map(str::to_owned).to_vec() }
    }
}

impl UploadsConfig {
    const PATTERNS_MAX: usize = 100;

    /// Everything that makes the section unusable.
    pub fn validate(&self) -> Vec<Setting> {
        let mut problems = Vec::new();
        let key = "temporary_names";
        if self.temporary_names.len() > Self::PATTERNS_MAX {
            problems.push((key, format!("at most {} patterns", Self::PATTERNS_MAX)));
        }
        for pattern in &self.temporary_names {
            if pattern.bytes().all(|byte| byte == b'*') || pattern.contains('/') || pattern.len() > 200 {
                let message = format!("{pattern:?} is of no use: it would match every name, or none");
                problems.push((key, message));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_would_keep_every_upload_aside_is_refused() {
        assert_eq!(UploadsConfig::default().validate(), []);
        let config: UploadsConfig = toml::from_str("temporary_names = ['*', '', 'a/b', '*.x']").unwrap();
        assert_eq!(config.validate().len(), 3);
    }
}
