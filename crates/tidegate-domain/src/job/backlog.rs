//! What became of the files that waited at an instant, such as the end of a maintenance window.
//!
//! Invariant: whether a file waited is what its own history says, replayed by the state machine; nothing is counted
//! along while it happens. Files that staff had parked did not wait for the gate.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Counts, HistoryEntry, Job, JobEvent, JobState};

/// Files that waited, added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their messages, as far as they were processed.
    pub messages: Counts,
    /// How long the one waited that waited longest, from its acceptance until a worker took it, or until now.
    pub longest_wait: TimeDelta,
    /// Those that are neither at their end nor parked.
    pub left: u64,
    /// When the last of them came to its end; `None` if none did.
    pub drained_at: Option<DateTime<Utc>>,
    /// Those that ended as errors of their senders.
    pub errors: u64,
    /// Those that ended as exceptions, and wait for staff.
    pub exceptions: u64,
}

impl Backlog {
    /// Adds a file if it waited at `at`, going by its history; whether it did.
    pub fn add(
        &mut self,
        job: &Job,
        history: &[HistoryEntry],
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> bool {
        if at <= job.received_at || !state_at(job, history, at).is_waiting() {
            return false;
        }
        let taken = history.iter().find(|entry| at <= entry.at && entry.event == JobEvent::Claimed);
        let waited_until = taken.map(|entry| entry.at).or(job.finished_at).unwrap_or(now);
        self.files += 1;
        self.bytes += job.submission.size_bytes;
        self.messages = sum(self.messages, job.counts);
        self.longest_wait = self.longest_wait.max(waited_until - job.received_at);
        self.left += u64::from(job.state.is_waiting() || job.state == JobState::Processing);
        self.drained_at = self.drained_at.max(job.finished_at);
        self.errors += u64::from(job.state == JobState::Error);
        self.exceptions += u64::from(job.state == JobState::Exception);
        true
    }

    /// Both together.
    pub fn plus(&mut self, other: &Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.messages = sum(self.messages, other.messages);
        self.longest_wait = self.longest_wait.max(other.longest_wait);
        self.left += other.left;
        self.drained_at = self.drained_at.max(other.drained_at);
        self.errors += other.errors;
        self.exceptions += other.exceptions;
    }
}

/// Where the job stood just before `at`.
fn state_at(job: &Job, history: &[HistoryEntry], at: DateTime<Utc>) -> JobState {
    let mut then = Job::accepted(job.id, job.received_at, job.submission.clone());
    for entry in history.iter().filter(|entry| entry.at < at) {
        // The acceptance itself can't be applied, and nothing else in a history is refused.
        let _ = then.apply(entry);
    }
    then.state
}

fn sum(one: Counts, other: Counts) -> Counts {
    Counts {
        total: one.total + other.total,
        accepted: one.accepted + other.accepted,
        warned: one.warned + other.warned,
        errored: one.errored + other.errored,
        rejected: one.rejected + other.rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Outcome, Protocol, Submission};
    use crate::{JobIds, OrgCode, UploadName};

    fn at(minute: i64) -> DateTime<Utc> {
        let midnight: DateTime<Utc> = "2024-03-09T00:00:00Z".parse().unwrap();
        midnight + TimeDelta::minutes(minute)
    }

    /// A job that came at a minute and to which this happened at these minutes.
    fn job(received: i64, events: &[(i64, JobEvent)]) -> (Job, Vec<HistoryEntry>) {
        let submission = Submission {
            org: OrgCode::new("ACME01").unwrap(),
            account: "acme".to_owned(),
            protocol: Protocol::Ftp,
            name: UploadName::new("a.hl7").unwrap(),
            size_bytes: 10,
            sha256: [0; 32],
        };
        let mut job = Job::accepted(JobIds::after(None).next(at(received), 1), at(received), submission);
        let entry = |(minute, event): &(i64, JobEvent)| HistoryEntry {
            seq: 1,
            at: at(*minute),
            actor: "worker".to_owned(),
            event: event.clone(),
        };
        let history: Vec<HistoryEntry> = events.iter().map(entry).collect();
        for entry in &history {
            job.apply(entry).unwrap();
        }
        (job, history)
    }

    fn completed() -> JobEvent {
        JobEvent::Completed { outcome: Outcome::Accepted, counts: Counts { total: 3, ..Counts::default() } }
    }

    fn reason() -> String {
        "r".to_owned()
    }

    /// The window ends at minute 60; it is minute 100.
    fn backlog(jobs: &[(Job, Vec<HistoryEntry>)]) -> Backlog {
        let mut backlog = Backlog::default();
        for (job, history) in jobs {
            backlog.add(job, history, at(60), at(100));
        }
        backlog
    }

    #[test]
    fn what_waited_at_the_end_of_a_window_is_added_up() {
        let found = backlog(&[
            job(10, &[(61, JobEvent::Claimed), (62, completed())]),
            job(30, &[(65, JobEvent::Claimed), (75, JobEvent::Failed { reason: reason() })]),
            job(40, &[(66, JobEvent::Claimed), (67, JobEvent::Refused { reason: reason() })]),
            job(55, &[]),
        ]);
        let expected = Backlog {
            files: 4,
            bytes: 40,
            messages: Counts { total: 3, ..Counts::default() },
            longest_wait: TimeDelta::minutes(51),
            left: 1,
            drained_at: Some(at(75)),
            errors: 1,
            exceptions: 1,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_that_yielded_waited_and_one_in_hand_parked_done_or_later_did_not() {
        let yielded =
            [(5, JobEvent::Claimed), (10, JobEvent::Yielded), (62, JobEvent::Claimed), (63, completed())];
        let found = backlog(&[job(1, &yielded)]);
        assert_eq!((found.files, found.longest_wait), (1, TimeDelta::minutes(61)));
        let parked =
            [(5, JobEvent::Held { reason: reason() }), (70, JobEvent::Released { reason: reason() })];
        let others = [
            job(1, &[(5, JobEvent::Claimed), (70, completed())]),
            job(1, &parked),
            job(1, &[(5, JobEvent::Claimed), (6, completed())]),
            job(60, &[(60, JobEvent::Claimed), (61, completed())]),
        ];
        assert_eq!(backlog(&others), Backlog::default());
    }

    #[test]
    fn one_that_still_waits_has_waited_until_now() {
        assert_eq!(backlog(&[job(20, &[])]).longest_wait, TimeDelta::minutes(80));
    }

    #[test]
    fn sums_of_organizations_are_the_sum_of_all() {
        let jobs = [job(10, &[(61, JobEvent::Claimed), (62, completed())]), job(55, &[])];
        let mut sum = backlog(&jobs[1..]);
        sum.plus(&backlog(&jobs[..1]));
        assert_eq!(sum, backlog(&jobs));
    }
}
