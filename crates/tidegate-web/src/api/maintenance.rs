//! Windows, holds, and what staff do about them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::{Hold, Occurrence, OccurrenceState, Origin, Override, Scope};
use tidegate_domain::units::HumanDuration;
use tidegate_store::{Happened, Happening};

use super::{GateView, When};

/// `GET /v1/maintenance`: everything that closes the gate, did of late, or will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceView {
    /// Zone of the calendar.
    pub timezone: Option<Tz>,
    /// The gate for everyone, now.
    pub gate: GateView,
    /// Occurrences of windows, by their start: those of the last 7 days, or of a year if all are asked for; the running
    /// and the coming.
    pub occurrences: Vec<OccurrenceView>,
    /// Coming occurrences beyond those, of recurring windows within 13 months.
    pub more: usize,
    /// Holds in force.
    pub holds: Vec<HoldView>,
    /// What staff did in the last 7 days, or all that is kept of it, the latest first.
    pub history: Vec<HappenedView>,
    /// How much of it is kept that was longer ago.
    #[serde(default)]
    pub older: usize,
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
    /// Whether it is over, runs, comes or was skipped.
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
    /// Everything that staff changed about it, in order.
    pub changes: Vec<ChangeView>,
}

/// A change of one occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeView {
    /// `ended`, `extended` or `skipped`.
    pub change: String,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Until when it was extended.
    pub until: Option<DateTime<Utc>>,
    /// Who made it.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// Something that staff did about windows and holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HappenedView {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// `window_added`, `window_removed`, `hold_placed`, `hold_released`, `occurrence_ended`,
    /// `occurrence_extended` or `occurrence_skipped`.
    pub event: String,
    /// Name of the window or the hold.
    pub name: String,
    /// Start of the occurrence that was changed.
    pub occurrence_start: Option<DateTime<Utc>>,
    /// Until when the hold was placed or the occurrence extended.
    pub until: Option<DateTime<Utc>>,
    /// Why.
    pub reason: String,
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

/// `POST /v1/maintenance/extend`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtendOccurrence {
    /// Name of the window.
    pub name: String,
    /// To when, or by how much.
    pub end: WindowEnd,
    /// Why.
    pub reason: String,
    /// Who extends it: a user name.
    pub actor: String,
}

/// `POST /v1/maintenance/skip`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkipOccurrence {
    /// Name of the window.
    pub name: String,
    /// The first occurrence that is not over then; the next one to come if absent.
    #[serde(default)]
    pub at: Option<When>,
    /// Why.
    pub reason: String,
    /// Who skips it: a user name.
    pub actor: String,
}

/// `POST /v1/maintenance/remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveWindow {
    /// Name of the window.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Who removes it: a user name.
    pub actor: String,
}

/// What extending or skipping did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceChanged {
    /// The occurrence as it is now.
    pub occurrence: OccurrenceView,
    /// The gate afterwards.
    pub gate: GateView,
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
            ended: occurrence.changes.iter().rev().find_map(EndedView::of),
            changes: occurrence.changes.iter().map(ChangeView::from).collect(),
        }
    }
}

impl EndedView {
    fn of(change: &Override) -> Option<Self> {
        let Override::Ended { at, actor, reason, .. } = change else { return None };
        Some(Self { at: *at, actor: actor.clone(), reason: reason.clone() })
    }
}

impl From<&Override> for ChangeView {
    fn from(change: &Override) -> Self {
        let (name, until) = match change {
            Override::Ended { .. } => ("ended", None),
            Override::Extended { until, .. } => ("extended", Some(*until)),
            Override::Skipped { .. } => ("skipped", None),
        };
        Self {
            change: name.to_owned(),
            at: change.at(),
            until,
            actor: change.actor().to_owned(),
            reason: change.reason().to_owned(),
        }
    }
}

impl From<&Happened> for HappenedView {
    fn from(happened: &Happened) -> Self {
        let view = |event: &str, name: &str, reason: &str| Self {
            at: happened.at,
            actor: happened.actor.clone(),
            event: event.to_owned(),
            name: name.to_owned(),
            occurrence_start: None,
            until: None,
            reason: reason.to_owned(),
        };
        match &happened.what {
            Happening::WindowAdded { name, reason } => view("window_added", name, reason),
            Happening::WindowRemoved { name, reason } => view("window_removed", name, reason),
            Happening::HoldPlaced(hold) => {
                Self { until: hold.until, ..view("hold_placed", &hold.name, &hold.reason) }
            }
            Happening::HoldReleased { hold, reason } => {
                Self { until: hold.until, ..view("hold_released", &hold.name, reason) }
            }
            Happening::Overridden(change) => {
                let ChangeView { change: kind, until, .. } = ChangeView::from(change);
                let occurrence_start = Some(change.occurrence_start());
                let event = format!("occurrence_{kind}");
                Self { occurrence_start, until, ..view(&event, change.window(), change.reason()) }
            }
        }
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
