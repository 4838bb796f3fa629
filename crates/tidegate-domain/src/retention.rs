//! How long what was processed is kept, and what keeps it longer.
//!
//! Invariant: a job is over only by its end and the term of its state; what waits, is in hand or needs
//! staff is kept for ever. In doubt about the clock nothing is over.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::OrgCode;
use crate::job::{Job, JobState};

/// A wall clock that moves by more than this against the monotonic one between two looks was set.
const DRIFT_MAX: TimeDelta = TimeDelta::minutes(10);
/// So long a clock that was set has to keep step before it is believed.
pub const CLOCK_PROBATION: Duration = Duration::from_hours(1);
/// After more time than this without a job a start can't tell a pause from a wrong clock.
const PAUSE_MAX: TimeDelta = TimeDelta::days(1);

/// How long everything of a job is kept, counted from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// For complete, duplicate and cancelled jobs.
    pub complete: Duration,
    /// For jobs in error.
    pub error: Duration,
}

/// What stops deletion for an organization until it is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalHold {
    /// Whose jobs are kept.
    pub org: OrgCode,
    /// Why, for people.
    pub reason: String,
    /// Who placed it, as in histories.
    pub actor: String,
    /// When.
    pub placed_at: DateTime<Utc>,
}

impl Terms {
    /// The states that have a term.
    pub const STATES: [JobState; 4] =
        [JobState::Complete, JobState::Duplicate, JobState::Cancelled, JobState::Error];

    /// The term of a state; none if such a job is kept for ever.
    pub const fn of(&self, state: JobState) -> Option<Duration> {
        match state {
            JobState::Complete | JobState::Duplicate | JobState::Cancelled => Some(self.complete),
            JobState::Error => Some(self.error),
            JobState::Queued
            | JobState::Processing
            | JobState::Retrying
            | JobState::Held
            | JobState::Exception => None,
        }
    }

    /// The instant at or before which a job in `state` must have ended for its term to be over.
    pub fn ended_by(&self, state: JobState, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        now.checked_sub_signed(TimeDelta::from_std(self.of(state)?).ok()?)
    }

    /// Whether the job's term is over.
    pub fn is_over(&self, job: &Job, now: DateTime<Utc>) -> bool {
        let ended_by = self.ended_by(job.state, now);
        job.finished_at.zip(ended_by).is_some_and(|(ended, by)| ended <= by)
    }
}

/// Notices that the wall clock was set, by looking at it beside the monotonic clock.
///
/// It can't tell which of two times is right: a clock that was set is believed once it has kept step
/// for [`CLOCK_PROBATION`].
#[derive(Debug, Clone)]
pub struct ClockWatch {
    last_known: Option<DateTime<Utc>>,
    seen: Option<(DateTime<Utc>, Duration)>,
    moved: Option<(TimeDelta, Duration)>,
}

impl ClockWatch {
    /// A watch that begins now. `last_known` is a time that the wall clock showed before the start, as
    /// late as there is one.
    pub const fn new(last_known: Option<DateTime<Utc>>) -> Self {
        Self { last_known, seen: None, moved: None }
    }

    /// Looks at the wall clock and at the time since any fixed moment of this process: by how much the
    /// wall clock seems to have been moved of late, if that is too much to act upon.
    pub fn look(&mut self, wall: DateTime<Utc>, monotonic: Duration) -> Option<TimeDelta> {
        let before = self.seen.replace((wall, monotonic));
        let moved = match (before, self.last_known) {
            (Some((wall_before, monotonic_before)), _) => {
                let passed = monotonic.saturating_sub(monotonic_before);
                (wall - wall_before) - TimeDelta::from_std(passed).unwrap_or(TimeDelta::MAX)
            }
            (None, Some(last_known)) if (wall - last_known).abs() > PAUSE_MAX => wall - last_known,
            (None, _) => TimeDelta::zero(),
        };
        if moved.abs() > DRIFT_MAX {
            self.moved = Some((moved, monotonic));
        }
        self.moved = self.moved.filter(|(_, at)| monotonic.saturating_sub(*at) < CLOCK_PROBATION);
        self.moved.map(|(moved, _)| moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{HistoryEntry, JobEvent, Protocol, Submission};
    use crate::{JobIds, UploadName};

    const TERMS: Terms = Terms { complete: Duration::from_hours(48), error: Duration::from_hours(72) };

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    fn job(events: &[JobEvent]) -> Job {
        let submission = Submission {
            org: OrgCode::new("A").unwrap(),
            account: "a".to_owned(),
            protocol: Protocol::Ftp,
            name: UploadName::new("n").unwrap(),
            size_bytes: 0,
            sha256: [0; 32],
        };
        let mut job = Job::accepted(JobIds::after(None).next(at(0), 0), at(0), submission);
        for event in events {
            let line = HistoryEntry { seq: 1, at: at(10), actor: String::new(), event: event.clone() };
            job.apply(&line).unwrap();
        }
        job
    }

    #[test]
    fn the_term_counts_from_the_end_and_goes_by_the_state() {
        let reason = || "why".to_owned();
        let of = job(&[]).id;
        for (events, over_after) in [
            (vec![JobEvent::Claimed, JobEvent::FoundDuplicate { of }], Some(58)),
            (vec![JobEvent::Cancelled { reason: reason() }], Some(58)),
            (vec![JobEvent::Claimed, JobEvent::Refused { reason: reason() }], Some(82)),
            (vec![JobEvent::Claimed, JobEvent::Failed { reason: reason() }], None),
            (vec![JobEvent::Held { reason: reason() }], None),
            (vec![], None),
        ] {
            let job = job(&events);
            let over = |hour| TERMS.is_over(&job, at(hour));
            match over_after {
                Some(hour) => assert_eq!((over(hour - 1), over(hour)), (false, true), "{}", job.state),
                None => assert!(!over(1_000_000), "{}", job.state),
            }
        }
    }

    #[test]
    fn every_state_with_a_term_is_listed() {
        for state in JobState::ALL {
            assert_eq!(TERMS.of(*state).is_some(), Terms::STATES.contains(state), "{state}");
        }
    }

    #[test]
    fn a_clock_that_keeps_step_is_believed_and_one_that_was_set_is_not_until_it_keeps_step_again() {
        let mut watch = ClockWatch::new(Some(at(0)));
        let hour = |n: u64| Duration::from_hours(n);
        assert_eq!(watch.look(at(1), hour(7)), None, "the first look has nothing to compare with");
        assert_eq!(watch.look(at(2), hour(8)), None);
        assert_eq!(watch.look(at(900), hour(9)), Some(TimeDelta::hours(897)));
        let minute = TimeDelta::minutes(1);
        let just_after = watch.look(at(900) + minute, hour(9) + Duration::from_mins(1));
        assert_eq!(just_after, Some(TimeDelta::hours(897)), "to ask again at once helps nobody");
        assert_eq!(watch.look(at(901), hour(10)), None, "it may have been right to set it");
        assert_eq!(watch.look(at(3), hour(11)), Some(TimeDelta::hours(-899)));
        assert_eq!(watch.look(at(4) + DRIFT_MAX, hour(12)), None, "clocks are never quite alike");
    }

    #[test]
    fn a_start_long_after_the_last_job_is_not_believed_at_once() {
        let mut watch = ClockWatch::new(Some(at(0)));
        assert_eq!(watch.look(at(25), Duration::ZERO), Some(TimeDelta::hours(25)));
        assert_eq!(watch.look(at(26), Duration::from_hours(1)), None);
        assert_eq!(ClockWatch::new(None).look(at(9_999), Duration::ZERO), None, "a new store has nothing");
    }
}
