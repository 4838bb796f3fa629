//! How fast jobs are being finished.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The rate is taken over this much of the past.
const WINDOW: Duration = Duration::from_secs(30);
const SLOT: Duration = Duration::from_secs(1);

/// Counts finished jobs in slots of a second.
#[derive(Debug, Default)]
pub(crate) struct DrainMeter {
    slots: VecDeque<(Instant, u64)>,
}

impl DrainMeter {
    pub(crate) fn job_finished(&mut self, now: Instant) {
        match self.slots.back_mut() {
            Some((start, count)) if now.duration_since(*start) < SLOT => *count += 1,
            _ => self.slots.push_back((now, 1)),
        }
        self.forget(now);
    }

    /// Jobs finished a second, over the last half minute or since the first of them.
    pub(crate) fn per_second(&mut self, now: Instant) -> f64 {
        self.forget(now);
        let Some((first, _)) = self.slots.front() else { return 0.0 };
        let count: u64 = self.slots.iter().map(|(_, count)| count).sum();
        let seconds = now.duration_since(*first).max(SLOT).as_secs_f64();
        f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds
    }

    fn forget(&mut self, now: Instant) {
        while self.slots.front().is_some_and(|(start, _)| now.duration_since(*start) > WINDOW) {
            self.slots.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_work_is_forgotten() {
        let start = Instant::now();
        let mut meter = DrainMeter::default();
        for _ in 0..100 {
            meter.job_finished(start);
        }
        assert!((meter.per_second(start + Duration::from_secs(10)) - 10.0).abs() < 0.01);
        assert!(meter.per_second(start + Duration::from_mins(1)).abs() < f64::EPSILON);
    }
}
