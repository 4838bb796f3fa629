//! What is wrong with an organization's file, for staff.
//!
//! Invariant: a problem names the file and the key but never repeats a password hash.

use std::fmt;
use std::path::PathBuf;

/// One mistake in a file of `orgs.d/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, or the folder if that can't be read.
    pub file: PathBuf,
    /// Where in the file, such as `account[0].allow_from`; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub message: String,
}

/// Every mistake that was found, so that all can be mended at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}
