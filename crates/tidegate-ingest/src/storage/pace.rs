//! How slowly an upload may come.
//!
//! Invariant: who sends a byte now and then does not keep a session, and the memory of its upload, for longer than who
//! sends nothing. Only waiting for the sender counts, not for the disk.

use std::time::Duration;

use tokio::time::{Instant, timeout};

/// What an upload has to grow by for its sender to be waited for as long again, in bytes. Over five minutes that is less than
/// half of what a modem of 300 baud brings.
const STEP_BYTES: u64 = 4 << 10;

/// How long the sender of an upload is waited for.
#[derive(Debug)]
pub(crate) struct Pace {
    patience: Duration,
    left: Duration,
    next_bytes: u64,
}

impl Pace {
    /// Of an upload that has so many bytes.
    pub(crate) fn new(patience: Duration, size_bytes: u64) -> Self {
        Self { patience, left: patience, next_bytes: size_bytes.saturating_add(STEP_BYTES) }
    }

    /// What comes of the sender; `None` if it has taken too long.
    pub(super) async fn wait<T>(&mut self, coming: impl Future<Output = T>) -> Option<T> {
        let begun = Instant::now();
        let came = timeout(self.left, coming).await.ok()?;
        self.waited(begun.elapsed());
        Some(came)
    }

    /// How long its sender is waited for yet.
    pub(crate) fn left(&self) -> Duration {
        self.left
    }

    /// Its sender was waited for so long.
    pub(crate) fn waited(&mut self, time: Duration) {
        self.left = self.left.saturating_sub(time);
    }

    /// The upload has so many bytes by now.
    pub(crate) fn has(&mut self, size_bytes: u64) {
        if size_bytes >= self.next_bytes {
            *self = Self::new(self.patience, size_bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(5);

    /// How many pieces of an upload are waited for that come one by one.
    async fn pieces(bytes: u64, apart: Duration, max: u64) -> u64 {
        let mut pace = Pace::new(PATIENCE, 0);
        for count in 0..max {
            if pace.wait(sleep(apart)).await.is_none() {
                return count;
            }
            pace.has((count + 1) * bytes);
        }
        max
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_only_trickles_is_given_up_and_a_slow_one_is_not() {
        assert_eq!(pieces(1, Duration::from_mins(1), 100).await, 5);
        assert_eq!(pieces(1 << 20, Duration::from_mins(6), 100).await, 0);
        assert_eq!(pieces(STEP_BYTES / 4, Duration::from_mins(1), 100).await, 100);
        assert_eq!(pieces(STEP_BYTES, Duration::from_secs(299), 100).await, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_disk_is_not_its_senders_fault() {
        let mut pace = Pace::new(PATIENCE, 0);
        for _ in 0..10 {
            assert_eq!(pace.wait(async {}).await, Some(()));
            sleep(PATIENCE).await;
        }
    }
}
