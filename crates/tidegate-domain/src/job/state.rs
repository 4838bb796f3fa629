//! The words for where a job stands and how it ended.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_meta])* $variant,)* }

        impl $name {
            /// Every value, in the order in which people read them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word used in the command line, JSON, logs and documents.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word).ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    format!("unknown {}; one of {}", $what, known.join(", "))
                })
            }
        }
    };
}

words! {
    /// Where a job stands.
    JobState, "job state" {
        /// Waits for its turn; the gate may be closed.
        Queued = "queued",
        /// In a worker's hands, under a lease.
        Processing = "processing",
        /// Failed for a passing reason; waits for its next attempt.
        Retrying = "retrying",
        /// Parked by staff until they release it.
        Held = "held",
        /// Processed to its end; see [`Outcome`].
        Complete = "complete",
        /// The file itself is at fault; nothing of it was delivered.
        Error = "error",
        /// We are at fault: retries are used up. Staff requeue it.
        Exception = "exception",
        /// The same bytes were processed before; the first response was issued again.
        Duplicate = "duplicate",
        /// Taken out by staff; nothing more happens to it.
        Cancelled = "cancelled",
    }
}

words! {
    /// How a complete job ended.
    Outcome, "outcome" {
        /// Every message was accepted, possibly with warnings.
        Accepted = "accepted",
        /// Some messages were accepted, others not.
        AcceptedWithErrors = "accepted_with_errors",
        /// No message was accepted.
        Rejected = "rejected",
        /// Every message was answered and none delivered: its organization is in test mode.
        Tested = "tested",
    }
}

words! {
    /// The door that an upload came through.
    Protocol, "protocol" {
        /// FTP in the clear (RFC 959).
        Ftp = "ftp",
        /// FTP over TLS (RFC 4217).
        Ftps = "ftps",
        /// SSH file transfer.
        Sftp = "sftp",
        /// A watched folder.
        Folder = "folder",
        /// The portal, or a message of the web service that waits like a file.
        Web = "web",
        /// A call of the web service by SOAP.
        Soap = "soap",
        /// A call of the web service by plain HTTP.
        Http = "http",
    }
}

impl Protocol {
    /// Whether the sender waits for the answer, so that none is put into its outbox.
    pub const fn is_answered_at_once(self) -> bool {
        matches!(self, Self::Soap | Self::Http)
    }
}

impl Outcome {
    /// Whether nothing of the file was delivered, so that it may come again.
    pub const fn delivered_nothing(self) -> bool {
        matches!(self, Self::Rejected | Self::Tested)
    }
}

impl JobState {
    /// Whether nothing more happens to the job unless staff step in.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Error | Self::Exception | Self::Duplicate | Self::Cancelled)
    }

    /// Whether the job stands in its organization's lane and may be claimed.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Queued | Self::Retrying)
    }
}

/// Messages of a file by what became of them: `total` is the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All messages looked at.
    pub total: u64,
    /// Accepted without a remark (AA).
    pub accepted: u64,
    /// Accepted with warnings (AE, every ERR-4 is W or I).
    pub warned: u64,
    /// Not accepted for an error in them (AE).
    pub errored: u64,
    /// Refused for what they are: type, version, duplicate id (AR).
    pub rejected: u64,
}

impl Counts {
    /// How a file with these counts ended.
    pub const fn outcome(self) -> Outcome {
        let refused = self.errored + self.rejected;
        match (self.total - refused, refused) {
            (_, 0) => Outcome::Accepted,
            (0, _) => Outcome::Rejected,
            _ => Outcome::AcceptedWithErrors,
        }
    }
}
