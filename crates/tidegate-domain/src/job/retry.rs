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
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { delay_first: TimeDelta::seconds(5), failures_max: 10 }
    }
}

impl RetryPolicy {
    /// The longest wait between two attempts.
    pub const DELAY_MAX: TimeDelta = TimeDelta::minutes(15);

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
