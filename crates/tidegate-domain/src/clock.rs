//! Time as something that is handed in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// Tells the time. Whoever decides by the time of day takes one of these and never asks the system.
pub trait Clock: Send + Sync + 'static {
    /// The present instant. It may jump in either direction.
    fn now(&self) -> DateTime<Utc>;

    /// The present instant of a clock that nobody sets: for what lasts, whatever the time of day.
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that stands still until it is set; clones share the time. For tests and rehearsals.
///
/// The clock that nobody sets runs on as it does, and can be put ahead.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Shown>>);

#[derive(Debug)]
struct Shown {
    now: DateTime<Utc>,
    ahead: Duration,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(Shown { now, ahead: Duration::ZERO })))
    }

    /// Sets the time, forward or back.
    pub fn set(&self, now: DateTime<Utc>) {
        self.shown().now = now;
    }

    /// Moves the time by `by`, which may be negative.
    pub fn advance(&self, by: TimeDelta) {
        self.shown().now += by;
    }

    /// Lets so much time go by on the clock that nobody sets; the time of day stays.
    pub fn let_pass(&self, time: Duration) {
        self.shown().ahead += time;
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.shown().now
    }

    fn instant(&self) -> Instant {
        Instant::now() + self.shown().ahead
    }
}
