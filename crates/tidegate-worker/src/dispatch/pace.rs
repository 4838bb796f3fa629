//! How many jobs to claim before there is a place for them.
//!
//! A claim costs a sync of the store's journal, so thousands of small files a second need many jobs for
//! each claim; but a job that was claimed should not wait behind a large file.
//!
//! Invariant: never more is claimed ahead than is processed within [`AHEAD`], as files lately were.

use std::time::Duration;

/// How far to look ahead.
const AHEAD: Duration = Duration::from_millis(50);

/// Jobs that are claimed ahead at most.
const JOBS_MAX: u128 = 64;

/// The usual time that a file takes.
#[derive(Debug)]
pub(super) struct Pace {
    usual: Duration,
}

impl Default for Pace {
    /// Nothing is known: files may be large.
    fn default() -> Self {
        Self { usual: AHEAD * 2 }
    }
}

impl Pace {
    /// A file took so long. Later files weigh more.
    pub(super) fn note(&mut self, elapsed: Duration) {
        self.usual = (self.usual * 7 + elapsed) / 8;
    }

    /// Jobs to have ready for `slots` places.
    pub(super) fn ahead(&self, slots: usize) -> usize {
        let usual = self.usual.as_micros().max(1);
        let jobs = (AHEAD.as_micros() * slots as u128 / usual).min(JOBS_MAX);
        usize::try_from(jobs).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(files: usize, each: Duration) -> usize {
        let mut pace = Pace::default();
        (0..files).for_each(|_| pace.note(each));
        pace.ahead(2)
    }

    #[test]
    fn small_files_are_claimed_ahead_and_large_ones_are_not() {
        assert_eq!(after(100, Duration::from_micros(300)), 64);
        assert!((9..=10).contains(&after(100, Duration::from_millis(10))));
        assert_eq!(after(100, Duration::from_secs(10)), 0);
    }

    #[test]
    fn one_large_file_ends_the_looking_ahead() {
        let mut pace = Pace::default();
        (0..100).for_each(|_| pace.note(Duration::from_micros(300)));
        pace.note(Duration::from_mins(1));
        assert_eq!(pace.ahead(2), 0);
    }
}
