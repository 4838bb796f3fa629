//! The outcome of a whole file.
//!
//! Invariant: it follows from the counts, or from the refusal, alone. The names are those of the jobs' states.

use crate::progress::Counts;
use crate::refusal::Refusal;

/// State of a job whose file was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Each message was answered.
    Complete,
    /// The whole file was refused.
    Error,
}

impl State {
    /// The name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Error => "error",
        }
    }
}

/// What became of a file's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// None has an error; some may have warnings.
    Accepted,
    /// Some have errors or were rejected, others were accepted.
    AcceptedWithErrors,
    /// None was accepted.
    Rejected,
}

impl Outcome {
    /// The name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AcceptedWithErrors => "accepted_with_errors",
            Self::Rejected => "rejected",
        }
    }
}

/// The outcome of a whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Complete or error.
    pub state: State,
    /// What became of the messages.
    pub outcome: Outcome,
    /// Why the whole file was refused.
    pub refusal: Option<Refusal>,
    /// Messages by what became of them.
    pub counts: Counts,
    /// Batches in the response.
    pub batches: u64,
    /// Things to tell about the file as a whole.
    pub notes: Vec<String>,
    /// Messages described in the report.
    pub described: u64,
    /// The file was taken in test mode: answered, and nothing of it passed on.
    pub tested: bool,
}

impl Summary {
    /// Each message was answered.
    pub(crate) fn complete(counts: Counts, batches: u64, notes: Vec<String>, described: u64) -> Self {
        let failed = counts.errored + counts.rejected;
        let outcome = match counts.accepted + counts.warned {
            _ if failed == 0 => Outcome::Accepted,
            0 => Outcome::Rejected,
            _ => Outcome::AcceptedWithErrors,
        };
        Self {
            state: State::Complete,
            outcome,
            refusal: None,
            counts,
            batches,
            notes,
            described,
            tested: false,
        }
    }

    /// The whole file was refused.
    pub fn refused(refusal: Refusal) -> Self {
        Self {
            state: State::Error,
            outcome: Outcome::Rejected,
            refusal: Some(refusal),
            counts: Counts::default(),
            batches: 0,
            notes: Vec::new(),
            described: 0,
            tested: false,
        }
    }

    /// Why the whole file was refused, for people.
    pub fn reason(&self) -> Option<&str> {
        self.refusal.as_ref().map(|refusal| refusal.reason.as_ref())
    }
}
