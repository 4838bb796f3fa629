//! Windows, holds, and what staff do about them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::{Hold, Occurrence, OccurrenceState, Origin, Override, Scope};
use tidegate_domain::units::HumanDuration;

use super::{GateView, When};

/// `GET /v1/maintenance`: everything that closes the gate, did of late, or will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceView {
    /// Zone of the calendar.
    pub timezone: Option<Tz>,
    /// The gate for everyone, now.
    pub gate: GateView,
    /// Occurrences of windows, by their start: those of the last 7 days, the running and the coming.
    pub occurrences: Vec<OccurrenceView>,
    /// Coming occurrences beyond those.
    pub more: usize,
    /// Holds in force.
    pub holds: Vec<HoldView>,
}

/// One occurrence of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceView {
    /// Name of the window.
    pub name: String,
    /// Its first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it.
    pub end: DateTime<Utc>,
    /// The same as it was announced.
    pub announced_end: DateTime<Utc>,
    /// Zone in which it was announced.
    pub timezone: Tz,
    /// Whether it is over, runs or comes.
    pub state: OccurrenceState,
    /// For people; may be empty.
    pub reason: String,
    /// Patterns of the organizations that it concerns; absent for everyone.
    pub orgs: Option<Vec<String>>,
    /// `configuration` or `staff`.
    pub origin: String,
    /// Who added it, unless it stands in the configuration.
    pub actor: Option<String>,
    /// How it was ended early.
    pub ended: Option<EndedView>,
}

/// Who ended an occurrence early, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedView {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// One hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldView {
    /// Its name.
    pub name: String,
    /// Whom it stops; absent for everyone.
    pub org: Option<OrgCode>,
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub actor: String,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When it ends by itself; absent if only a release ends it.
    pub until: Option<DateTime<Utc>>,
}

/// `POST /v1/maintenance/windows`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddWindow {
    /// Name, unique among windows.
    pub name: String,
    /// Start.
    pub from: When,
    /// End or length.
    pub end: WindowEnd,
    /// Patterns of the organizations that it concerns; empty for everyone.
    #[serde(default)]
    pub orgs: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who adds it: a user name.
    pub actor: String,
}

/// How a window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowEnd {
    /// At that point.
    To(When),
    /// After exactly that long.
    For(HumanDuration),
}

/// `POST /v1/maintenance/holds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceHold {
    /// Whom it stops; everyone if absent.
    #[serde(default)]
    pub org: Option<OrgCode>,
    /// How long.
    pub length: HoldEnd,
    /// Why.
    pub reason: String,
    /// Who places it: a user name.
    pub actor: String,
}

/// How a hold ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldEnd {
    /// After 30 minutes.
    #[default]
    Default,
    /// After that long.
    For(HumanDuration),
    /// At that point.
    Until(When),
    /// When somebody releases it.
    UntilReleased,
}

/// `POST /v1/maintenance/end`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndOccurrence {
    /// Name of the window.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Who ends it: a user name.
    pub actor: String,
}

/// `POST /v1/maintenance/release`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseHolds {
    /// Only holds of this organization; if absent only those for everyone.
    #[serde(default)]
    pub org: Option<OrgCode>,
    /// Why.
    pub reason: String,
    /// Who releases them: a user name.
    pub actor: String,
}

/// What releasing or ending did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// Holds that were released; empty if none was in force.
    pub holds: Vec<HoldView>,
    /// The gate afterwards: a window, or a hold for everyone, may still close it.
    pub gate: GateView,
}

impl From<&Occurrence> for OccurrenceView {
    fn from(occurrence: &Occurrence) -> Self {
        let (origin, actor) = match &occurrence.origin {
            Origin::Configuration => ("configuration", None),
            Origin::Staff { actor, .. } => ("staff", Some(actor.clone())),
        };
        Self {
            name: occurrence.window.clone(),
            start: occurrence.start,
            end: occurrence.end,
            announced_end: occurrence.announced_end,
            timezone: occurrence.zone,
            state: occurrence.state,
            reason: occurrence.reason.clone(),
            orgs: match &occurrence.scope {
                Scope::Everyone => None,
                Scope::Orgs(patterns) => Some(patterns.iter().map(ToString::to_string).collect()),
            },
            origin: origin.to_owned(),
            actor,
            ended: occurrence.ended.as_ref().map(EndedView::from),
        }
    }
}

impl From<&Override> for EndedView {
    fn from(ended: &Override) -> Self {
        let Override::Ended { at, actor, reason, .. } = ended;
        Self { at: *at, actor: actor.clone(), reason: reason.clone() }
    }
}

impl From<&Hold> for HoldView {
    fn from(hold: &Hold) -> Self {
        Self {
            name: hold.name.clone(),
            org: hold.org.clone(),
            reason: hold.reason.clone(),
            actor: hold.actor.clone(),
            placed_at: hold.placed_at,
            until: hold.until,
        }
    }
}
