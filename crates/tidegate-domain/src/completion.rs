//! What turns an organization's upload into a submission.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a sender has to do so that its upload is submitted. Neither FTP nor SFTP proves that an upload is
/// whole: a client that is stopped may close its file as if it were. An organization may therefore ask its
/// senders for a second step, which such a client does not come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Completion {
    /// Closing it is enough, unless its name is a temporary one.
    #[default]
    Close,
    /// It has to be renamed to another, final name.
    Rename,
    /// Its sidecar has to come: `NAME.done`, or `NAME.sha256` with its checksum.
    Sidecar,
}

impl Completion {
    /// Every one, the default first.
    pub const ALL: [Self; 3] = [Self::Close, Self::Rename, Self::Sidecar];

    /// As it stands in an organization's file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Rename => "rename",
            Self::Sidecar => "sidecar",
        }
    }

    /// Whether it is what holds where nothing is said.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A text that is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write close, rename or sidecar")]
pub struct CompletionError;

impl FromStr for Completion {
    type Err = CompletionError;

    fn from_str(text: &str) -> Result<Self, CompletionError> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or(CompletionError)
    }
}

impl fmt::Display for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_words_are_those_of_the_file() {
        for completion in Completion::ALL {
            let word = format!("\"{completion}\"");
            assert_eq!(serde_json::to_string(&completion).unwrap(), word);
            assert_eq!(serde_json::from_str::<Completion>(&word).unwrap(), completion);
            assert_eq!(completion.as_str().parse(), Ok(completion));
        }
        assert_eq!("Close".parse::<Completion>(), Err(CompletionError));
        assert!(Completion::default().is_default() && !Completion::Rename.is_default());
    }
}
