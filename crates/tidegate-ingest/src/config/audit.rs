//! The section `[audit]`: where it is noted who did what.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Setting;

/// The audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// Its file; a relative path starts at the data directory.
    pub path: PathBuf,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { enabled: true, path: PathBuf::from("audit.log") }
    }
}

impl AuditConfig {
    /// Everything that makes the section unusable.
    pub fn validate(&self) -> Vec<Setting> {
        if self.path.file_name().is_some() {
            return Vec::new();
        }
        vec![("path", "names no file; to go without an audit log write enabled = false".to_owned())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_names_no_file_is_refused() {
        assert_eq!(AuditConfig::default().validate(), []);
        for path in ["", "/", ".."] {
            let config: AuditConfig = toml::from_str(&format!("path = '{path}'")).unwrap();
            assert_eq!(config.validate().len(), 1, "{path}");
        }
    }
}
