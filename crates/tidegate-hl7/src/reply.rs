//! Who answers, for which job, and when.
//!
//! Invariant: everything an answer needs besides the message is in here, so that the same job answered again at the
//! same moment gives the same bytes.

use chrono::{DateTime, FixedOffset};

/// Who answers, for which job, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The job's id; names the response (`<job id>.response`) and, with the ordinal, each acknowledgment.
    pub job_id: String,
    /// The moment of MSH-7, FHS-7 and BHS-7, with its offset; its day is "today" for the rules.
    pub at: DateTime<FixedOffset>,
    /// Our name (MSH-3), where the sender did not address one.
    pub application: String,
    /// Our facility (MSH-4), where the sender did not address one.
    pub facility: String,
}

impl Reply {
    /// An answer in the name of `TIDEGATE`.
    pub fn new(job_id: impl Into<String>, at: DateTime<FixedOffset>) -> Self {
        Self { job_id: job_id.into(), at, application: "TIDEGATE".to_owned(), facility: String::new() }
    }

    /// The moment to the second with its offset (HL7 data type DTM).
    pub(crate) fn time(&self) -> String {
        self.at.format("%Y%m%d%H%M%S%z").to_string()
    }
}
