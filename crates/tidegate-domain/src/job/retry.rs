//! How long a job waits after a passing failure.

use chrono::{DateTime, TimeDelta, Utc};

use super::JobEvent;

/// Exponential back-off with jitter, and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Wait after the first failure.
    pub delay_first: TimeDelta,
    /// Failures after which the job becomes an exception.
    pub failures_max: u32,
    /// Times that the service may end while it has the job in hand, without the job getting any
    /// further, before the job itself is suspected and becomes an exception.
    pub interruptions_max: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        // A registry may be away from Friday to Monday; nobody should have to requeue for that.
        Self { delay_first: TimeDelta::seconds(5), failures_max: 300, interruptions_max: 20 }
    }
}

impl RetryPolicy {
    /// The longest wait between two attempts.
    pub const DELAY_MAX: TimeDelta = TimeDelta::minutes(15);

    /// What follows when a worker vanished that had the job in hand, as it had `interruptions` times
    /// before in a row.
    pub fn after_interruption(&self, interruptions: u32) -> JobEvent {
        if interruptions + 1 >= self.interruptions_max {
            let reason = "the service ended again and again while it had this file in hand".to_owned();
            return JobEvent::Failed { reason };
        }
        JobEvent::Interrupted
    }

    /// What follows from a failure at `now`, `failures` having gone before. `random` spreads the
    /// attempts over the upper half of the wait, so that a registry that comes back is not met by
    /// all at once.
    pub fn after_failure(&self, now: DateTime<Utc>, failures: u32, random: u32, reason: String) -> JobEvent {
        if failures + 1 >= self.failures_max {
            return JobEvent::Failed { reason };
        }
        let doubled = self.delay_first * 2_i32.pow(failures.min(16));
        let delay = doubled.min(Self::DELAY_MAX);
        let spread = delay.num_milliseconds() / 2 * i64::from(random) / i64::from(u32::MAX);
        let not_before = now + delay / 2 + TimeDelta::milliseconds(spread);
        JobEvent::Retried { not_before, reason }
    }
}
