//! What can happen to a job: the entries of its history.
//!
//! These types are written to disk in an encoding that does not name fields. Add variants at the end
//! only; that and anything else is a new store layout with a step in `migrations/`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Counts, Outcome, Protocol};
use crate::{JobId, OrgCode, UploadName};

/// What a sender handed over: everything known about an upload when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Whose it is.
    pub org: OrgCode,
    /// The login it came with.
    pub account: String,
    /// The door it came through.
    pub protocol: Protocol,
    /// The name the sender gave it.
    pub name: UploadName,
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// One change of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobEvent {
    /// The upload is durable; its sender reads success.
    Accepted(Submission),
    /// A worker took it.
    Claimed,
    /// Its messages up to a point are delivered and answered. `progress` is the worker's own note on
    /// where to go on, opaque to the store.
    Checkpointed {
        /// Where to go on, in the worker's encoding.
        progress: Vec<u8>,
        /// Messages so far.
        counts: Counts,
    },
    /// The worker gave it back between two messages, because the gate closed or the service stops.
    Yielded,
    /// Its worker vanished: the lease ran out or the service was restarted.
    Interrupted,
    /// Processed to its end.
    Completed {
        /// How it ended.
        outcome: Outcome,
        /// Its messages.
        counts: Counts,
    },
    /// The whole file was refused.
    Refused {
        /// What is wrong with it, for people.
        reason: String,
    },
    /// The same bytes were processed before.
    FoundDuplicate {
        /// The job whose response stands for this one too.
        of: JobId,
    },
    /// A passing failure.
    Retried {
        /// Not to be tried before.
        not_before: DateTime<Utc>,
        /// What failed.
        reason: String,
    },
    /// Retries are used up, or retrying can't help.
    Failed {
        /// What failed.
        reason: String,
    },
    /// Staff parked it.
    Held {
        /// Why.
        reason: String,
    },
    /// Staff let it go on.
    Released {
        /// Why.
        reason: String,
    },
    /// Staff took it out.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// Staff put it back into the queue.
    Requeued {
        /// Why.
        reason: String,
    },
    /// The sender deleted a file of its response from the outbox.
    ResponseDeleted {
        /// Whether it was the report for people; else the HL7 response.
        report: bool,
    },
    /// Staff read the upload itself.
    PayloadRead {
        /// Why.
        reason: String,
    },
    /// The worker gave a call back of which nothing was passed on, and its sender is told so.
    TakenBack {
        /// Why.
        reason: String,
    },
}

impl JobEvent {
    /// The event's name in histories and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Claimed => "claimed",
            Self::Checkpointed { .. } => "checkpointed",
            Self::Yielded => "yielded",
            Self::Interrupted => "interrupted",
            Self::Completed { .. } => "completed",
            Self::Refused { .. } => "refused",
            Self::FoundDuplicate { .. } => "found_duplicate",
            Self::Retried { .. } => "retried",
            Self::Failed { .. } => "failed",
            Self::Held { .. } => "held",
            Self::Released { .. } => "released",
            Self::Cancelled { .. } => "cancelled",
            Self::Requeued { .. } => "requeued",
            Self::ResponseDeleted { .. } => "response_deleted",
            Self::PayloadRead { .. } => "payload_read",
            Self::TakenBack { .. } => "taken_back",
        }
    }

    /// Whether staff may do it; everything else needs a claim, or is not an action at all.
    pub const fn is_by_staff(&self) -> bool {
        matches!(
            self,
            Self::Held { .. }
                | Self::Released { .. }
                | Self::Cancelled { .. }
                | Self::Requeued { .. }
                | Self::PayloadRead { .. }
        )
    }

    /// What people said or the service found, where the event has such a text.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Refused { reason }
            | Self::Retried { reason, .. }
            | Self::Failed { reason }
            | Self::Held { reason }
            | Self::Released { reason }
            | Self::Cancelled { reason }
            | Self::Requeued { reason }
            | Self::PayloadRead { reason }
            | Self::TakenBack { reason } => Some(reason),
            _ => None,
        }
    }
}

/// One line of a job's history: who did what, when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// Place in the order of all changes of the store.
    pub seq: u64,
    /// When, by the wall clock of the service.
    pub at: DateTime<Utc>,
    /// Who: `sender:ACCOUNT`, `staff:NAME`, `worker` or `tidegate`.
    pub actor: String,
    /// What.
    pub event: JobEvent,
}
