//! The gate: may files be claimed now, and if not, why not and until when?
//!
//! Invariant: the answer is a pure function of its arguments, and it is constant from `now` up to
//! `next_change`. The gate says nothing about uploads: they are accepted always.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::timeline::Timeline;
use super::{Calendar, Hold, Override};
use crate::OrgCode;

/// What whoever can't be served while the gate is closed is told, to the letter: the body of the web service's
/// answer 503, and quoted in announcements. Source: the notice of a state immunization registry of March 2024.
pub const UNAVAILABLE: &str = "The server is temporarily unable to service your request due to maintenance \
    downtime or capacity problems. Please try again later.";

/// The gate's answer for one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Closed while at least one cause covers the instant.
    pub state: GateState,
    /// All that closes it, longest standing first; empty if it is open.
    pub causes: Vec<Cause>,
    /// Start of the connected union of windows and holds around the instant; `None` if it is open.
    pub closed_since: Option<DateTime<Utc>>,
    /// End of that union, where the gate opens as far as is known; `None` if it is open, or closed
    /// until a hold is released. Intervals that touch are connected.
    pub until: Option<DateTime<Utc>>,
    /// The first later instant at which `state`, `causes` or `claims_allowed` is not the same;
    /// `None` if nothing is known to change any more. Until then this whole answer holds.
    pub next_change: Option<DateTime<Utc>>,
    /// Whether new files may be claimed: not while it is closed, nor in the cutoff before a window.
    pub claims_allowed: bool,
}

/// Open or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// Files are processed.
    Open,
    /// Files wait.
    Closed,
}

/// One thing that closes the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What it is.
    pub kind: CauseKind,
    /// Name of the window or the hold.
    pub name: String,
    /// For people; empty if a window of the configuration gives none.
    pub reason: String,
    /// Who added the window or placed the hold; `None` for the configuration.
    pub actor: Option<String>,
    /// End of this cause alone; `None` means until it is released.
    pub until: Option<DateTime<Utc>>,
}

/// What closes the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// An announced window.
    Window,
    /// A stop by staff.
    Hold,
    /// The registry behind us refuses or is away. [`gate`] never gives it: it is added by whoever
    /// watches the registry.
    Downstream,
}

/// The gate at `now` for `org`, by the windows and holds for everyone and its own; `None` asks about
/// everyone, whom windows and holds of single organizations do not concern.
///
/// `closed = (windows - ended/skipped + extended) ∪ holds`. To learn what releasing a hold would do, ask without it.
pub fn gate(
    now: DateTime<Utc>,
    org: Option<&OrgCode>,
    calendar: &Calendar,
    overrides: &[Override],
    holds: &[Hold],
) -> Gate {
    let timeline = Timeline::new(now, org, calendar, overrides, holds);
    let span = timeline.span_at(now);
    Gate {
        state: if span.is_some() { GateState::Closed } else { GateState::Open },
        causes: timeline.causes(now),
        closed_since: span.map(|span| span.start),
        until: span.and_then(|span| span.end),
        next_change: timeline.next_change(now),
        claims_allowed: timeline.claims_allowed(now),
    }
}
