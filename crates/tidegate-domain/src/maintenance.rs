//! When files may be processed: the maintenance calendar, holds, and the gate they close.
//!
//! Invariant: [`gate`] depends on nothing but its arguments, and a closed gate stops claims only;
//! uploads are accepted whatever it says. Nothing here reads a clock, stores anything or processes a
//! file. Intervals are half-open, `[start, end)`, and in doubt about the clocks' changes the gate is
//! closed.

pub mod local;

mod announced;
mod announcement;
mod calendar;
mod clock_change;
mod config;
mod downstream;
mod gate;
mod hold;
mod interval;
mod occurrences;
mod overrides;
mod recurring;
mod rule;
mod scope;
mod timeline;
mod window;
mod wording;

pub use announcement::{ANNOUNCED_AHEAD, announcement, show_instant};
pub use calendar::{Calendar, CalendarError, InFlight, InHand, WINDOWS_MAX};
pub use clock_change::touches_clock_change;
pub use config::{MaintenanceConfig, PAUSE_MAX, Problem, WindowConfig};
pub use downstream::{Downstream, Senders};
pub use gate::{Cause, CauseKind, Gate, GateState, UNAVAILABLE, gate};
pub use hold::{HOLD_DEFAULT, HOLD_MAX, Hold, HoldError, HoldLength};
pub use interval::Interval;
pub use occurrences::{LISTED_AHEAD, Occurrence, OccurrenceState, occurrences};
pub use overrides::{Extension, Override, OverrideError};
pub use recurring::{Length, Plan, PlanError, Recurring};
pub use rule::{Rule, RuleError, STARTS_A_DAY_MAX};
pub use scope::{OrgPattern, OrgPatternError, Scope};
pub use window::{Origin, Window};
pub use wording::{NAME_CHARS_MAX, REASON_CHARS_MAX, WordingError, check_reason};
