//! What is taken away when, and what keeps it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tidegate_domain::units::HumanDuration;
use tidegate_domain::{LegalHold, OrgCode, Terms};
use tidegate_store::{Amount, Due};
use tidegate_worker::{Pass, Passed};

/// `GET /v1/retention`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionView {
    /// How long jobs are kept after their end.
    pub terms: TermsView,
    /// The last pass since the server was started.
    pub last_pass: Option<PassView>,
    /// Legal holds that stand, the oldest first.
    pub legal_holds: Vec<LegalHoldView>,
}

/// How long jobs are kept after their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsView {
    /// Complete, duplicate and cancelled ones.
    pub complete: HumanDuration,
    /// Those in error.
    pub error: HumanDuration,
}

/// `POST /v1/retention/run`, and a pass that the server made by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassView {
    /// When it began.
    pub at: DateTime<Utc>,
    /// Whether it only told what would be deleted.
    pub dry_run: bool,
    /// What was deleted, or would be, by organization.
    pub purged: Vec<OrgAmount>,
    /// What is over and stays because of a legal hold.
    pub kept: Vec<OrgAmount>,
    /// Why nothing was deleted, for people, if the pass was postponed.
    pub postponed: Option<String>,
    /// What it broke off for.
    pub error: Option<String>,
}

/// Jobs of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrgAmount {
    /// Whose.
    pub org: OrgCode,
    /// How many.
    pub jobs: u64,
    /// Bytes of their uploads.
    pub upload_bytes: u64,
}

/// One legal hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalHoldView {
    /// Whose jobs are kept.
    pub org: OrgCode,
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub actor: String,
    /// When.
    pub placed_at: DateTime<Utc>,
}

/// `POST /v1/retention/run`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRetention {
    /// Only tell what would be deleted.
    #[serde(default)]
    pub dry_run: bool,
}

/// `POST /v1/retention/holds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceLegalHold {
    /// Whose jobs shall be kept.
    pub org: OrgCode,
    /// Why.
    pub reason: String,
    /// Who places it: a user name.
    pub actor: String,
}

/// `POST /v1/retention/release`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseLegalHolds {
    /// Whose.
    pub org: OrgCode,
    /// Why.
    pub reason: String,
    /// Who releases them: a user name.
    pub actor: String,
}

/// What a release did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalHoldsReleased {
    /// Those that stood; empty if there was none.
    pub legal_holds: Vec<LegalHoldView>,
}

impl From<Terms> for TermsView {
    fn from(terms: Terms) -> Self {
        Self { complete: HumanDuration(terms.complete), error: HumanDuration(terms.error) }
    }
}

impl From<LegalHold> for LegalHoldView {
    fn from(hold: LegalHold) -> Self {
        Self { org: hold.org, reason: hold.reason, actor: hold.actor, placed_at: hold.placed_at }
    }
}

impl PassView {
    /// What a pass would do.
    pub fn rehearsed(at: DateTime<Utc>, due: Due) -> Self {
        Self { dry_run: true, ..Self::done(at, due) }
    }

    fn done(at: DateTime<Utc>, due: Due) -> Self {
        let (purged, kept) = (amounts(due.purged), amounts(due.kept));
        Self { at, dry_run: false, purged, kept, postponed: None, error: None }
    }
}

impl From<Pass> for PassView {
    fn from(pass: Pass) -> Self {
        let nothing = Self::done(pass.at, Due::default());
        match pass.passed {
            Passed::Done(due) => Self::done(pass.at, due),
            Passed::Failed { reason } => Self { error: Some(reason), ..nothing },
            Passed::Postponed { clock_moved } => {
                let minutes = clock_moved.num_minutes();
                let why = format!(
                    "the wall clock seems to have been moved by {minutes} min: nothing is deleted until it \
                     has kept step for an hour"
                );
                Self { postponed: Some(why), ..nothing }
            }
        }
    }
}

fn amounts(by_org: BTreeMap<OrgCode, Amount>) -> Vec<OrgAmount> {
    let amount =
        |(org, amount): (_, Amount)| OrgAmount { org, jobs: amount.jobs, upload_bytes: amount.bytes };
    by_org.into_iter().map(amount).collect()
}
