//! The section `[maintenance]` of the configuration file.
//!
//! Invariant: a section becomes a calendar as a whole or not at all, and all that is wrong with it is
//! said together.

mod closed;
mod problem;
mod window;

use std::time::Duration;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use self::closed::closed_all_week;
use self::problem::Problems;
use self::window::Read;
use super::{Calendar, InFlight, WINDOWS_MAX, show_instant};
use crate::units::HumanDuration;

pub use self::problem::Problem;
pub use self::window::WindowConfig;

/// Longest cutoff, grace and ramp: 1 day. Whoever wants more wants a longer window.
pub const PAUSE_MAX: Duration = Duration::from_hours(24);

/// What stands under `[maintenance]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaintenanceConfig {
    /// IANA name of the zone of all local times, such as `America/Chicago`; required once a window
    /// exists.
    pub timezone: Option<String>,
    /// How long before a window's start no new file is claimed.
    pub cutoff: HumanDuration,
    /// How long files in hand may go on after the gate closed.
    pub grace: HumanDuration,
    /// What happens to files in hand.
    pub in_flight: InFlight,
    /// Over how long the drain comes up to speed after the gate opened.
    pub resume_ramp: HumanDuration,
    /// The windows.
    pub window: Vec<WindowConfig>,
}

impl Default for MaintenanceConfig {
    fn default() -> Self {
        let calendar = Calendar::default();
        Self {
            timezone: None,
            cutoff: HumanDuration(calendar.cutoff),
            grace: HumanDuration(calendar.grace),
            in_flight: calendar.in_flight,
            resume_ramp: HumanDuration(calendar.resume_ramp),
            window: Vec::new(),
        }
    }
}

impl MaintenanceConfig {
    /// The calendar it describes, or everything that is wrong with it, each with its key. Windows are
    /// counted from 0.
    pub fn to_calendar(&self) -> Result<Calendar, Vec<Problem>> {
        let mut problems = Problems::default();
        let timezone = self.zone(&mut problems);
        self.check_pauses(&mut problems);
        let mut calendar = Calendar {
            timezone,
            cutoff: self.cutoff.0,
            grace: self.grace.0,
            in_flight: self.in_flight,
            resume_ramp: self.resume_ramp.0,
            ..Calendar::default()
        };
        if self.window.len() > WINDOWS_MAX {
            problems.add("maintenance.window", format!("has more than {WINDOWS_MAX} windows"));
        }
        for (index, window) in self.window.iter().enumerate() {
            let key = format!("maintenance.window[{index}]");
            // Without a zone the calendar is refused already; the rest is checked all the same.
            let zone = timezone.unwrap_or(Tz::UTC);
            if self.window.iter().take(index).any(|earlier| earlier.name == window.name) {
                problems
                    .add(format!("{key}.name"), format!("{:?} is the name of another window", window.name));
            }
            match window.read(zone, &key, &mut problems) {
                Some(Read::OneOff(window)) => calendar.windows.push(window),
                Some(Read::Recurring(window)) => calendar.recurring.push(*window),
                None => {}
            }
        }
        if let Some(begins) = closed_all_week(&calendar) {
            let begins = show_instant(begins, timezone.unwrap_or(Tz::UTC));
            problems.add(
                "maintenance.window",
                format!("together the recurring windows keep the gate closed for a week or longer, such as from {begins} on"),
            );
        }
        problems.none_or(calendar)
    }

    fn zone(&self, problems: &mut Problems) -> Option<Tz> {
        let key = "maintenance.timezone";
        let Some(name) = &self.timezone else {
            if !self.window.is_empty() {
                problems.add(
                    key,
                    "is missing: windows are wall-clock times and need a zone such as \"America/Chicago\"",
                );
            }
            return None;
        };
        zone(name, key, problems)
    }

    fn check_pauses(&self, problems: &mut Problems) {
        let pauses = [("cutoff", self.cutoff), ("grace", self.grace), ("resume_ramp", self.resume_ramp)];
        for (key, pause) in pauses {
            if pause.0 > PAUSE_MAX {
                problems.add(
                    format!("maintenance.{key}"),
                    format!("{pause} is too long: at most {}", HumanDuration(PAUSE_MAX)),
                );
            }
        }
    }
}

/// The zone of that name.
fn zone(name: &str, key: &str, problems: &mut Problems) -> Option<Tz> {
    let message = |_| format!("{name:?} is no IANA time zone: write one such as \"America/Chicago\"");
    problems.keep(key, name.parse().map_err(message))
}
