//! Why a command failed, and the exit code that says so to scripts.
//!
//! Invariant: exit codes are given here and nowhere else.

use std::fmt;
use std::process::ExitCode;

use crate::config::Problems;

/// The end of a command that did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It failed, for the reason given (code 1).
    Failed(anyhow::Error),
    /// It failed and has told so in its own output (code 1).
    Told,
    /// It was called in a way that makes no sense (code 2).
    Usage(String),
    /// The server does not answer (code 69).
    Unreachable(String),
    /// Another process has the store (code 75).
    Locked(String),
    /// The configuration is wrong (code 78).
    Configuration(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Told => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 69,
            Self::Locked(_) => 75,
            Self::Configuration(_) => 78,
        }
    }

    /// Tells people on standard error and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if !matches!(self, Self::Told) {
            eprintln!("tidegate: {self}");
        }
        ExitCode::from(self.code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "{error:#}"),
            Self::Told => Ok(()),
            Self::Usage(text) | Self::Unreachable(text) | Self::Locked(text) | Self::Configuration(text) => {
                f.write_str(text)
            }
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Configuration(problems.to_string())
    }
}
