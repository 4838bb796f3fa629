//! Jobs as staff see them.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tidegate_domain::job::{Counts, HistoryEntry, Job, JobEvent, JobState, Outcome, Protocol};
use tidegate_domain::{JobId, OrgCode};

use super::GateView;

/// One job, as in `GET /v1/jobs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub org: OrgCode,
    /// The login it came with.
    pub account: String,
    /// The door it came through.
    pub protocol: Protocol,
    /// The name the sender gave it; sensitive, never log it.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Where it stands.
    pub state: JobState,
    /// How it ended, once it is complete.
    pub outcome: Option<Outcome>,
    /// When its sender read success.
    pub received_at: DateTime<Utc>,
    /// When it reached a final state.
    pub finished_at: Option<DateTime<Utc>>,
    /// How often a worker took it.
    pub attempts: u32,
    /// Not to be tried before, while it is retrying.
    pub not_before: Option<DateTime<Utc>>,
    /// Why it stands where it stands.
    pub reason: Option<String>,
    /// Its messages.
    pub messages: Messages,
}

/// Messages of a file by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// All messages looked at.
    pub total: u64,
    /// Accepted without a remark.
    pub accepted: u64,
    /// Accepted with warnings.
    pub warned: u64,
    /// Not accepted for an error in them.
    pub errored: u64,
    /// Refused for what they are.
    pub rejected: u64,
}

/// One job with all that is known of it: `GET /v1/jobs/ID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub job: JobView,
    /// The gate that it waits for, while it waits and its organization's gate is closed.
    pub waits_for: Option<GateView>,
    /// Passing failures since it was accepted or requeued.
    pub failures: u32,
    /// The job whose response stands for this one too.
    pub duplicate_of: Option<JobId>,
    /// Whether the sender deleted the HL7 response from its outbox.
    pub response_deleted: bool,
    /// Whether the sender deleted the report from its outbox.
    pub report_deleted: bool,
    /// What happened to it, oldest first.
    pub history: Vec<HistoryView>,
    /// Its files on the server.
    pub files: FilesView,
}

/// Where a job's files lie on the server; absent while there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesView {
    /// The upload.
    pub payload: Option<String>,
    /// The HL7 response.
    pub response: Option<String>,
    /// The report for people.
    pub report: Option<String>,
}

/// One line of a job's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// When.
    pub at: DateTime<Utc>,
    /// Who: `sender:ACCOUNT`, `staff:NAME`, `worker` or `tidegate`.
    pub actor: String,
    /// What, such as `claimed`.
    pub event: String,
    /// What there is to say about it.
    pub detail: Option<String>,
}

impl From<&Job> for JobView {
    fn from(job: &Job) -> Self {
        let submission = &job.submission;
        Self {
            id: job.id,
            org: submission.org.clone(),
            account: submission.account.clone(),
            protocol: submission.protocol,
            name: submission.name.to_text(),
            size_bytes: submission.size_bytes,
            sha256: hexadecimal(&submission.sha256),
            state: job.state,
            outcome: job.outcome,
            received_at: job.received_at,
            finished_at: job.finished_at,
            attempts: job.attempts,
            not_before: job.not_before,
            reason: job.reason.clone().or_else(|| job.duplicate_of.map(|of| format!("same bytes as {of}"))),
            messages: job.counts.into(),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl From<Counts> for Messages {
    fn from(counts: Counts) -> Self {
        let Counts { total, accepted, warned, errored, rejected } = counts;
        Self { total, accepted, warned, errored, rejected }
    }
}

impl From<&HistoryEntry> for HistoryView {
    fn from(entry: &HistoryEntry) -> Self {
        Self {
            at: entry.at,
            actor: entry.actor.clone(),
            event: entry.event.name().to_owned(),
            detail: detail(&entry.event),
        }
    }
}

fn detail(event: &JobEvent) -> Option<String> {
    match event {
        JobEvent::Checkpointed { counts, .. } => Some(format!("{} messages so far", counts.total)),
        JobEvent::Completed { outcome, counts } => Some(format!("{outcome}, {} messages", counts.total)),
        JobEvent::FoundDuplicate { of } => Some(format!("same bytes as {of}")),
        JobEvent::ResponseDeleted { report: true } => Some("the report".to_owned()),
        JobEvent::ResponseDeleted { report: false } => Some("the HL7 response".to_owned()),
        other => other.reason().map(str::to_owned),
    }
}
