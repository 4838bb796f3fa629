//! What one organization may use, where that is less than what the service allows everybody.

use serde::{Deserialize, Serialize};

use crate::units::ByteSize;

/// An organization's own limits; the service's hold besides, so the smaller one counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrgLimits {
    /// Sessions at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions_max: Option<usize>,
    /// Longest upload in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_bytes_max: Option<ByteSize>,
    /// Files that may wait to be processed; while there are so many, no more are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_waiting_max: Option<u64>,
    /// Uploads begun within any minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploads_per_minute_max: Option<usize>,
}

impl OrgLimits {
    /// Largest `uploads_per_minute_max`: as many instants are remembered.
    pub const UPLOADS_PER_MINUTE_CEILING: usize = 100_000;

    /// Whether nothing is limited.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Every limit that makes no sense: its key, and what to do about it.
    pub fn mistakes(&self) -> Vec<(&'static str, String)> {
        let zero = [
            ("sessions_max", self.sessions_max == Some(0)),
            ("upload_bytes_max", self.upload_bytes_max == Some(ByteSize(0))),
            ("files_waiting_max", self.files_waiting_max == Some(0)),
            ("uploads_per_minute_max", self.uploads_per_minute_max == Some(0)),
        ];
        let nothing = "nothing could be uploaded; to shut an organization out write disabled = true";
        let mut found: Vec<(&str, String)> =
            zero.iter().filter(|(_, is_zero)| *is_zero).map(|(key, _)| (*key, nothing.to_owned())).collect();
        if self.uploads_per_minute_max.is_some_and(|max| max > Self::UPLOADS_PER_MINUTE_CEILING) {
            found.push(("uploads_per_minute_max", "use a number up to 100000, or leave it out".to_owned()));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_with_units_and_those_that_let_nothing_in_are_named() {
        let limits: OrgLimits = toml::from_str("sessions_max = 2\nupload_bytes_max = '10MiB'").unwrap();
        assert_eq!((limits.sessions_max, limits.upload_bytes_max), (Some(2), Some(ByteSize(10 << 20))));
        assert!(limits.mistakes().is_empty() && OrgLimits::default().mistakes().is_empty());
        let text =
            "sessions_max = 0\nupload_bytes_max = '0B'\nfiles_waiting_max = 0\nuploads_per_minute_max = 0";
        let limits: OrgLimits = toml::from_str(text).unwrap();
        assert_eq!(limits.mistakes().len(), 4);
        assert!(toml::from_str::<OrgLimits>("session_max = 2").is_err());
    }
}
