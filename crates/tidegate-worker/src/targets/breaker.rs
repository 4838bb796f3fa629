//! Whether a target is away, and when it is tried again.
//!
//! Invariant: while a target is away nothing is handed to it but a test of the connection and then one file at a
//! time, and what fails meanwhile is not counted against a file. It is back once it has taken a message or
//! refused one for good, and not before.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::JobId;

/// So many messages in a row without an answer, of whomever, and the target is away.
const UNANSWERED_MAX: u32 = 3;

/// Wait before the first test of a target that is away.
const WAIT_FIRST: TimeDelta = TimeDelta::seconds(1);

/// The longest wait between two tests that nobody asked for.
const WAIT_MAX: TimeDelta = TimeDelta::minutes(1);

/// A target that asks for longer is tried after this all the same: it may mean a year, or be back sooner.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::minutes(15);

/// What is known of a target. Starts with the best.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// Messages without an answer since the last that had one.
    unanswered: u32,
    away: Option<Away>,
}

/// A target that is away.
#[derive(Debug)]
pub(super) struct Away {
    pub(super) since: DateTime<Utc>,
    /// What failed last.
    pub(super) reason: String,
    /// How often it failed since.
    tries: u32,
    stage: Stage,
}

/// On the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Left alone.
    Waiting(DateTime<Utc>),
    /// Its connection is being tested.
    Tested,
    /// The connection came about: one file may be claimed.
    Ready,
    /// One file is being tried.
    Tried(JobId),
}

/// What becomes of a file whose message had no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// It may be the message: counted.
    File,
    /// It is the target.
    Target,
}

impl Breaker {
    pub(super) fn away(&self) -> Option<&Away> {
        self.away.as_ref()
    }

    /// Whether a file may be begun; of a target that is away, one at a time.
    pub(super) fn admits(&mut self, job: JobId) -> bool {
        let Some(away) = &mut self.away else { return true };
        match away.stage {
            Stage::Ready => {
                away.stage = Stage::Tried(job);
                true
            }
            Stage::Tried(other) => other == job,
            Stage::Waiting(_) | Stage::Tested => false,
        }
    }

    /// A message was answered. True if the target is back by that.
    pub(super) fn answered(&mut self) -> bool {
        self.unanswered = 0;
        self.away.take().is_some()
    }

    /// A message had no answer.
    pub(super) fn unanswered(&mut self, now: DateTime<Utc>, random: u32, reason: &str) -> Blame {
        self.unanswered = self.unanswered.saturating_add(1);
        let blame = if self.away.is_some() { Blame::Target } else { Blame::File };
        if self.away.is_some() || self.unanswered >= UNANSWERED_MAX {
            self.failed(now, random, reason, None);
        }
        blame
    }

    /// The target said that it is away, or can't be reached.
    pub(super) fn failed(&mut self, now: DateTime<Utc>, random: u32, reason: &str, asked: Option<Duration>) {
        let since = self.away.as_ref().map_or(now, |away| away.since);
        let tries = self.away.as_ref().map_or(0, |away| away.tries);
        let stage = Stage::Waiting(now + wait(tries, random, asked));
        self.away = Some(Away { since, reason: reason.to_owned(), tries: tries.saturating_add(1), stage });
    }

    /// Whether the connection is to be tested now; whoever asks tests it. A time further off than any wait means
    /// that the clock was put back.
    pub(super) fn begin_test(&mut self, now: DateTime<Utc>) -> bool {
        let Some(away) = &mut self.away else { return false };
        let is_due = matches!(away.stage, Stage::Waiting(at) if at <= now || at > now + RETRY_AFTER_MAX);
        if is_due {
            away.stage = Stage::Tested;
        }
        is_due
    }

    /// The connection came about.
    pub(super) fn passed_test(&mut self) {
        self.set_stage(|stage| stage == Stage::Tested);
    }

    /// A file that was tried ended without a message for the target: the next one may try.
    pub(super) fn untried(&mut self, job: JobId) {
        self.set_stage(|stage| stage == Stage::Tried(job));
    }

    fn set_stage(&mut self, from: impl FnOnce(Stage) -> bool) {
        if let Some(away) = self.away.as_mut().filter(|away| from(away.stage)) {
            away.stage = Stage::Ready;
        }
    }
}

impl Away {
    pub(super) fn may_be_tried(&self) -> bool {
        self.stage == Stage::Ready
    }
}

/// How long a target is left alone that failed `tries` times before: twice as long each time, by chance up to a
/// half less, and as long as it asked for.
fn wait(tries: u32, random: u32, asked: Option<Duration>) -> TimeDelta {
    let doubled = (WAIT_FIRST * 2_i32.pow(tries.min(10))).min(WAIT_MAX);
    let spread = doubled.num_milliseconds() / 2 * i64::from(random) / i64::from(u32::MAX);
    let own = doubled / 2 + TimeDelta::milliseconds(spread);
    let asked = asked.map(|asked| TimeDelta::from_std(asked).unwrap_or(TimeDelta::MAX).min(RETRY_AFTER_MAX));
    asked.map_or(own, |asked| own.max(asked))
}

#[cfg(test)]
mod tests {
    use tidegate_domain::JobIds;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn jobs() -> [JobId; 2] {
        let mut ids = JobIds::after(None);
        [ids.next(NOW, 1), ids.next(NOW, 2)]
    }

    fn later(seconds: i64) -> DateTime<Utc> {
        NOW + TimeDelta::seconds(seconds)
    }

    #[test]
    fn some_messages_in_a_row_without_an_answer_and_not_one_less() {
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            for _ in 1..UNANSWERED_MAX {
                assert_eq!(breaker.unanswered(NOW, 0, "silence"), Blame::File);
                assert!(breaker.away().is_none());
            }
            assert!(!breaker.answered());
        }
        for _ in 0..UNANSWERED_MAX {
            assert_eq!(breaker.unanswered(NOW, 0, "silence"), Blame::File);
        }
        assert_eq!(breaker.unanswered(NOW, 0, "silence"), Blame::Target);
    }

    #[test]
    fn the_way_back_is_a_wait_a_test_and_one_file() {
        let (mut breaker, [one, other]) = (Breaker::default(), jobs());
        assert!(breaker.admits(one) && breaker.admits(other));
        breaker.failed(NOW, u32::MAX, "refused", None);
        assert!(!breaker.begin_test(NOW) && !breaker.admits(one));
        assert!(breaker.begin_test(later(1)));
        assert!(!breaker.begin_test(later(1)) && !breaker.admits(one), "one test at a time");
        breaker.passed_test();
        assert!(breaker.away().unwrap().may_be_tried());
        assert!(breaker.admits(one) && breaker.admits(one) && !breaker.admits(other));
        breaker.untried(other);
        assert!(!breaker.admits(other));
        breaker.untried(one);
        assert!(breaker.admits(other));
        assert_eq!(breaker.unanswered(later(2), 0, "silence"), Blame::Target);
        let away = breaker.away().unwrap();
        assert_eq!((away.since, away.reason.as_str(), away.may_be_tried()), (NOW, "silence", false));
        assert!(breaker.answered() && breaker.admits(one));
    }

    #[test]
    fn waits_double_with_chance_up_to_a_minute_and_heed_what_was_asked() {
        let waits: Vec<i64> = (0..9).map(|tries| wait(tries, u32::MAX, None).num_seconds()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(wait(6, 0, None), TimeDelta::seconds(30));
        assert_eq!(wait(0, 0, Some(Duration::from_secs(90))), TimeDelta::seconds(90));
        assert_eq!(wait(6, u32::MAX, Some(Duration::from_secs(5))), WAIT_MAX);
        assert_eq!(wait(0, 0, Some(Duration::MAX)), RETRY_AFTER_MAX);
    }

    #[test]
    fn a_clock_that_is_put_back_keeps_nobody_away() {
        let mut breaker = Breaker::default();
        breaker.failed(later(100_000), 0, "refused", None);
        assert!(breaker.begin_test(NOW));
    }
}
