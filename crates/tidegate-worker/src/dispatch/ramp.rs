//! How many files are processed at once in the time after the gate opened.
//!
//! Invariant: at least one, so that draining starts at once, and never fewer than a moment before while
//! the gate stays open and the clock runs forward.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// Files at once, `since_open` after the gate opened: from one to `slots_max`, growing evenly over
/// `ramp`.
fn slots_after(since_open: Duration, ramp: Duration, slots_max: usize) -> usize {
    if since_open >= ramp {
        return slots_max;
    }
    let more = slots_max.saturating_sub(1) as u128 * since_open.as_millis() / ramp.as_millis().max(1);
    1 + usize::try_from(more).unwrap_or(0)
}

/// Remembers when the gate was seen to open. The start of the worker counts as that too: it may be a
/// restart in the midst of a backlog.
#[derive(Debug, Default)]
pub(super) struct Ramp {
    opened_at: Option<DateTime<Utc>>,
}

impl Ramp {
    /// Files at once, at `now`.
    pub(super) fn slots(
        &mut self,
        now: DateTime<Utc>,
        is_open: bool,
        ramp: Duration,
        slots_max: usize,
    ) -> usize {
        if !is_open {
            self.opened_at = None;
            // For files in hand, which the gate lets finish.
            return slots_max;
        }
        let opened_at = *self.opened_at.get_or_insert(now);
        // A clock that was put back behind the opening makes nobody wait longer than the ramp.
        let opened_at = *self.opened_at.insert(opened_at.min(now));
        slots_after((now - opened_at).to_std().unwrap_or_default(), ramp, slots_max)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn places_grow_evenly_from_one() {
        let ramp = Duration::from_mins(2);
        let at = |seconds| slots_after(Duration::from_secs(seconds), ramp, 5);
        assert_eq!([0, 29, 30, 60, 90, 119, 120, 1_000].map(at), [1, 1, 2, 3, 4, 4, 5, 5]);
        assert_eq!(slots_after(Duration::ZERO, Duration::ZERO, 5), 5);
        assert_eq!(slots_after(Duration::ZERO, ramp, 1), 1);
    }

    #[test]
    fn the_ramp_begins_when_the_gate_opens() {
        let (start, minute) = (DateTime::UNIX_EPOCH, TimeDelta::minutes(1));
        let mut ramp = Ramp::default();
        let mut slots =
            |minutes, is_open| ramp.slots(start + minute * minutes, is_open, Duration::from_mins(2), 3);
        assert_eq!([slots(0, true), slots(1, true), slots(2, true)], [1, 2, 3]);
        assert_eq!([slots(10, false), slots(20, true), slots(21, true), slots(22, true)], [3, 1, 2, 3]);
    }

    #[test]
    fn a_clock_put_back_does_not_lengthen_it() {
        let (start, hour) = (DateTime::UNIX_EPOCH + TimeDelta::days(1), TimeDelta::hours(1));
        let mut ramp = Ramp::default();
        let two = Duration::from_mins(2);
        assert_eq!(ramp.slots(start, true, two, 3), 1);
        assert_eq!(ramp.slots(start - hour, true, two, 3), 1);
        assert_eq!(ramp.slots(start - hour + TimeDelta::minutes(2), true, two, 3), 3);
    }
}
