//! The name a sender gave an upload: sensitive, bounded, and never a path.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A file name as the sender wrote it, in its bytes. It may hold a patient's name, so it has no
/// `Display` and its `Debug` hides it; it is shown to its sender and to staff, never in logs.
///
/// Invariant: 1 to [`UploadName::BYTES_MAX`] bytes, no `/`, no control byte, not `.` or `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct UploadName(Vec<u8>);

/// Why a name can't be taken. The texts do not repeat the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No name at all.
    #[error("the file name is empty")]
    Empty,
    /// Longer than [`UploadName::BYTES_MAX`].
    #[error("the file name is longer than {} bytes", UploadName::BYTES_MAX)]
    TooLong,
    /// A line end, another control byte, or a path separator.
    #[error("the file name has a control character or a slash in it")]
    Character,
    /// `.` or `..`.
    #[error("the file name is a directory's")]
    Directory,
}

impl UploadName {
    /// Longest name in bytes: a response's name adds up to 28 bytes to it and a file system takes
    /// 255.
    pub const BYTES_MAX: usize = 200;

    /// Checks a name.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, NameError> {
        let bytes = bytes.into();
        match bytes.as_slice() {
            [] => Err(NameError::Empty),
            b"." | b".." => Err(NameError::Directory),
            long if long.len() > Self::BYTES_MAX => Err(NameError::TooLong),
            odd if odd.iter().any(|byte| *byte < b' ' || *byte == 0x7f || *byte == b'/') => {
                Err(NameError::Character)
            }
            _ => Ok(Self(bytes)),
        }
    }

    /// The bytes that the sender wrote.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name for people and JSON; bytes that are not UTF-8 are shown as U+FFFD. Never log it.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl fmt::Debug for UploadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UploadName(hidden)")
    }
}

impl TryFrom<Vec<u8>> for UploadName {
    type Error = NameError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, NameError> {
        Self::new(bytes)
    }
}

impl From<UploadName> for Vec<u8> {
    fn from(name: UploadName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_file_system_or_log_should_see_are_refused() {
        let long = vec![b'x'; 201];
        for (bytes, error) in [
            (&b""[..], NameError::Empty),
            (b".", NameError::Directory),
            (b"..", NameError::Directory),
            (b"a\nb", NameError::Character),
            (b"a/b", NameError::Character),
            (b"a\0", NameError::Character),
            (&long, NameError::TooLong),
        ] {
            assert_eq!(UploadName::new(bytes), Err(error));
        }
    }

    #[test]
    fn debug_output_hides_the_name() {
        let name = UploadName::new("SMITH_JOHN.hl7").unwrap();
        assert!(!format!("{name:?}").contains("SMITH"));
        assert_eq!(name.to_text(), "SMITH_JOHN.hl7");
    }
}
