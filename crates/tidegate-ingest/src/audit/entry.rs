//! One line of the audit log.

use std::net::SocketAddr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use tidegate_domain::{JobId, OrgCode};
use tidegate_store::Sender;

use crate::accounts::Login;
use crate::session::Session;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Somebody logged in.
    Login,
    /// A login was refused.
    LoginRefused {
        /// Why.
        reason: String,
    },
    /// An upload became a job.
    Accepted {
        /// The job.
        job: JobId,
        /// Its length.
        size_bytes: u64,
    },
    /// An upload is kept until its sender submits it.
    Staged {
        /// Its length.
        size_bytes: u64,
    },
    /// An upload, or the rename that would have submitted one, was refused or broke off; or what a sender may not fetch or
    /// delete was refused.
    Refused {
        /// Why.
        reason: String,
    },
    /// A query was put to the registry; nothing is kept of it.
    Queried {
        /// Its length.
        size_bytes: u64,
        /// Whether there was an answer.
        is_answered: bool,
    },
    /// A response or report was opened for reading.
    Fetched {
        /// The job that it answers.
        job: Option<JobId>,
    },
    /// A response or report was deleted from the outbox.
    Deleted {
        /// The job that it answers.
        job: Option<JobId>,
    },
    /// A staged upload was deleted.
    StagedDeleted,
    /// An upload that was staged, or what was kept of a broken one, was removed: nobody had gone on with it for a day.
    Abandoned {
        /// Its length.
        size_bytes: u64,
    },
    /// A response or report was brought back to its watched folder.
    BroughtBack {
        /// The job that it answers.
        job: Option<JobId>,
    },
    /// An address is turned away from here on, for failed logins.
    Banned {
        /// The address, or the network of 64 bits that an IPv6 address is in.
        address: String,
        /// For how long, in seconds.
        for_s: u64,
    },
    /// Somebody of the staff logged in to the console.
    StaffLogin {
        /// Who.
        staff: String,
        /// From where.
        address: String,
    },
    /// A login to the console was refused.
    StaffLoginRefused {
        /// Who, if there is such a one.
        staff: Option<String>,
        /// From where.
        address: String,
        /// Why.
        reason: String,
    },
    /// Somebody of the staff changed an organization or one of its accounts in the console.
    OrganizationChanged {
        /// Who.
        staff: String,
        /// What, such as `add`, `disable` or `set limits`.
        change: String,
    },
    /// Somebody let an address in again.
    BanLifted {
        /// The address, or the network.
        address: String,
        /// Who.
        actor: String,
    },
}

impl Event {
    /// The word for it in the log and in metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginRefused { .. } => "login_refused",
            Self::Accepted { .. } => "accepted",
            Self::Staged { .. } => "staged",
            Self::Refused { .. } => "refused",
            Self::Queried { .. } => "queried",
            Self::Fetched { .. } => "fetched",
            Self::Deleted { .. } => "deleted",
            Self::StagedDeleted => "staged_deleted",
            Self::Abandoned { .. } => "abandoned",
            Self::BroughtBack { .. } => "brought_back",
            Self::Banned { .. } => "banned",
            Self::StaffLogin { .. } => "staff_login",
            Self::StaffLoginRefused { .. } => "staff_login_refused",
            Self::OrganizationChanged { .. } => "organization_changed",
            Self::BanLifted { .. } => "ban_lifted",
        }
    }

    /// A response was opened; of its name only the job is kept.
    pub fn fetched(name: &[u8]) -> Self {
        Self::Fetched { job: job_of(name) }
    }

    /// A response was brought back.
    pub fn brought_back(name: &[u8]) -> Self {
        Self::BroughtBack { job: job_of(name) }
    }

    /// A response was deleted.
    pub fn deleted(name: &[u8]) -> Self {
        Self::Deleted { job: job_of(name) }
    }
}

/// `friday.hl7.06H0ATRG01W59E5R.response` answers the job 06H0ATRG01W59E5R.
fn job_of(name: &[u8]) -> Option<JobId> {
    let rest = [&b".response"[..], b".report.txt"].iter().find_map(|ending| name.strip_suffix(*ending))?;
    let job = rest.rsplit(|byte| *byte == b'.').next()?;
    std::str::from_utf8(job).ok()?.parse().ok()
}

/// What happened, when, and where it came from.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    #[serde(serialize_with = "to_milliseconds")]
    at: DateTime<Utc>,
    #[serde(flatten)]
    event: Event,
    #[serde(flatten)]
    session: Option<InSession>,
    /// Of what was not done in a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<OrgCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
}

/// The session in which something was done.
#[derive(Debug, Serialize)]
struct InSession {
    session: u64,
    protocol: &'static str,
    peer: SocketAddr,
}

impl Entry {
    /// Of a session.
    pub(super) fn new(at: DateTime<Utc>, session: &Session, login: Option<&Login>, event: Event) -> Self {
        Self {
            at,
            event,
            session: Some(InSession {
                session: session.number(),
                protocol: session.protocol().as_str(),
                peer: session.peer(),
            }),
            protocol: None,
            org: login.map(|login| login.org.clone()),
            account: login.map(|login| login.account.clone()),
        }
    }

    /// Of a watched folder, which stands for the account.
    pub(super) fn of_folder(at: DateTime<Utc>, org: &OrgCode, folder: &Sender, event: Event) -> Self {
        Self {
            protocol: Some(folder.protocol.as_str()),
            org: Some(org.clone()),
            account: Some(folder.account.clone()),
            ..Self::of_nobody(at, event)
        }
    }

    /// Of an organization, or of one of its accounts.
    pub(super) fn of_org(at: DateTime<Utc>, org: &OrgCode, account: Option<&str>, event: Event) -> Self {
        Self { org: Some(org.clone()), account: account.map(str::to_owned), ..Self::of_nobody(at, event) }
    }

    /// Of no sender in particular.
    pub(super) fn of_nobody(at: DateTime<Utc>, event: Event) -> Self {
        Self { at, event, session: None, protocol: None, org: None, account: None }
    }
}

/// Entries that nobody will find.
#[derive(Debug, Serialize)]
pub(super) struct Lost {
    #[serde(serialize_with = "to_milliseconds")]
    pub(super) at: DateTime<Utc>,
    /// Always "lost".
    pub(super) event: &'static str,
    /// How many.
    pub(super) entries: u64,
}

fn to_milliseconds<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_responses_name_only_the_job_is_kept() {
        let job = "06H0ATRG01W59E5R".parse().ok();
        assert_eq!(job_of(b"jane doe.hl7.06H0ATRG01W59E5R.response"), job);
        assert_eq!(job_of(b"a.06H0ATRG01W59E5R.report.txt"), job);
        assert!(
            job.is_some()
                && job_of(b"a.06H0ATRG01W59E5R.txt").is_none()
                && job_of(b"\xff.response").is_none()
        );
    }
}
