//! What the committer can be asked.

use chrono::{DateTime, Utc};
use tidegate_domain::job::{Job, JobEvent, Submission};
use tidegate_domain::{JobId, Terms};
use tokio::sync::oneshot;

use crate::backup::Point;
use crate::error::StoreError;
use crate::record::{LegalHoldChange, MaintenanceChange};

/// Where an answer goes; whoever asked may have left.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// One wish to change something.
#[derive(Debug)]
pub(crate) enum Command {
    /// A sender's upload.
    Accept {
        /// Chosen by the door, so that a large upload's file could be named.
        id: JobId,
        submission: Submission,
        /// The bytes of a small upload; a large one's file is durable already.
        payload: Option<Vec<u8>>,
        /// Whether its sender waits for what becomes of it, so that it is claimed at once or not accepted.
        is_call: bool,
        reply: Reply<Job>,
    },
    /// Work for a worker.
    Claim { jobs_max: usize, reply: Reply<Vec<Job>> },
    /// Something happened to a job.
    Change {
        id: JobId,
        /// The claim under which it happened, if it was a worker's doing.
        fence: Option<u64>,
        event: JobEvent,
        actor: String,
        reply: Reply<Job>,
    },
    /// Staff changed windows or holds.
    Maintenance { change: MaintenanceChange, actor: String, reply: Reply<()> },
    /// A backup begins: its instant is now.
    Backup { reply: Reply<Point> },
    /// Staff changed legal holds.
    LegalHold { change: LegalHoldChange, actor: String, reply: Reply<()> },
    /// Jobs whose term seems to be over at `now`; those are answered for which it was.
    Purge { ids: Vec<JobId>, terms: Terms, now: DateTime<Utc>, reply: Reply<Vec<JobId>> },
    /// Does the index add up?
    Verify { reply: Reply<bool> },
    /// Somebody wants to know whether commands are still answered.
    Answer { reply: Reply<()> },
    /// The store closes.
    Close,
}
