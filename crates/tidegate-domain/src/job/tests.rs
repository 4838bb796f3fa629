use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::{JobIds, OrgCode, UploadName};

fn now() -> DateTime<Utc> {
    "2024-03-09T00:59:00Z".parse().unwrap()
}

fn job() -> Job {
    let submission = Submission {
        org: OrgCode::new("ACME01").unwrap(),
        account: "acme".to_owned(),
        protocol: Protocol::Ftp,
        name: UploadName::new("a.hl7").unwrap(),
        size_bytes: 1,
        sha256: [0; 32],
    };
    Job::accepted(JobIds::after(None).next(now(), 1), now(), submission)
}

fn apply(job: &mut Job, seq: u64, event: JobEvent) -> Result<(), IllegalTransition> {
    job.apply(&HistoryEntry { seq, at: now(), actor: "test".to_owned(), event })
}

fn reason() -> String {
    "because".to_owned()
}

/// One event of each kind that can follow `Accepted`.
fn events() -> Vec<JobEvent> {
    let counts = Counts::default();
    vec![
        JobEvent::Claimed,
        JobEvent::Checkpointed { progress: vec![1], counts },
        JobEvent::Yielded,
        JobEvent::Interrupted,
        JobEvent::Completed { outcome: Outcome::Accepted, counts },
        JobEvent::Refused { reason: reason() },
        JobEvent::FoundDuplicate { of: job().id },
        JobEvent::Retried { not_before: now(), reason: reason() },
        JobEvent::Failed { reason: reason() },
        JobEvent::Held { reason: reason() },
        JobEvent::Released { reason: reason() },
        JobEvent::Cancelled { reason: reason() },
        JobEvent::Requeued { reason: reason() },
        JobEvent::ResponseDeleted { report: false },
        JobEvent::PayloadRead { reason: reason() },
        JobEvent::TakenBack { reason: reason() },
    ]
}

/// The table of `docs/state-machine.md`: from each state, every event that is possible and where it
/// leads.
#[test]
fn the_state_machine_is_this_table() {
    let table: &[(JobState, &[(&str, JobState)])] = &[
        (
            JobState::Queued,
            &[
                ("claimed", JobState::Processing),
                ("held", JobState::Held),
                ("cancelled", JobState::Cancelled),
                ("payload_read", JobState::Queued),
            ],
        ),
        (
            JobState::Processing,
            &[
                ("checkpointed", JobState::Processing),
                ("yielded", JobState::Queued),
                ("interrupted", JobState::Queued),
                ("completed", JobState::Complete),
                ("refused", JobState::Error),
                ("found_duplicate", JobState::Duplicate),
                ("retried", JobState::Retrying),
                ("failed", JobState::Exception),
                ("payload_read", JobState::Processing),
                ("taken_back", JobState::Cancelled),
            ],
        ),
        (
            JobState::Retrying,
            &[
                ("claimed", JobState::Processing),
                ("held", JobState::Held),
                ("cancelled", JobState::Cancelled),
                ("payload_read", JobState::Retrying),
            ],
        ),
        (
            JobState::Held,
            &[
                ("released", JobState::Queued),
                ("cancelled", JobState::Cancelled),
                ("payload_read", JobState::Held),
            ],
        ),
        (
            JobState::Complete,
            &[("response_deleted", JobState::Complete), ("payload_read", JobState::Complete)],
        ),
        (
            JobState::Error,
            &[
                ("requeued", JobState::Queued),
                ("response_deleted", JobState::Error),
                ("payload_read", JobState::Error),
            ],
        ),
        (JobState::Exception, &[("requeued", JobState::Queued), ("payload_read", JobState::Exception)]),
        (
            JobState::Duplicate,
            &[("response_deleted", JobState::Duplicate), ("payload_read", JobState::Duplicate)],
        ),
        (JobState::Cancelled, &[("requeued", JobState::Queued), ("payload_read", JobState::Cancelled)]),
    ];
    assert_eq!(table.len(), JobState::ALL.len());
    for (from, expected) in table {
        let mut found = Vec::new();
        for event in events() {
            let name = event.name();
            let mut job = Job { state: *from, ..job() };
            match apply(&mut job, 1, event) {
                Ok(()) => found.push((name, job.state)),
                Err(refused) => {
                    assert_eq!(refused, IllegalTransition { event: name, state: *from });
                    assert_eq!(job, Job { state: *from, ..self::job() }, "a refused event changes nothing");
                }
            }
        }
        assert_eq!(&found, expected, "from {from}");
    }
}

#[test]
fn a_file_that_was_rejected_as_a_whole_or_only_tested_may_be_tried_again_but_no_other_complete_one() {
    for outcome in Outcome::ALL {
        let mut job = Job { state: JobState::Complete, outcome: Some(*outcome), ..job() };
        let requeued = apply(&mut job, 1, JobEvent::Requeued { reason: reason() });
        assert_eq!(requeued.is_ok(), matches!(outcome, Outcome::Rejected | Outcome::Tested));
    }
}

#[test]
fn a_file_that_ends_the_service_again_and_again_becomes_an_exception() {
    let policy = RetryPolicy::default();
    let mut job = job();
    for seq in 1..u64::from(policy.interruptions_max) {
        assert_eq!(policy.after_interruption(job.interruptions), JobEvent::Interrupted);
        apply(&mut job, seq, JobEvent::Claimed).unwrap();
        apply(&mut job, seq, JobEvent::Interrupted).unwrap();
    }
    assert!(matches!(policy.after_interruption(job.interruptions), JobEvent::Failed { .. }));
    apply(&mut job, 99, JobEvent::Claimed).unwrap();
    let counts = Counts::default();
    apply(&mut job, 99, JobEvent::Checkpointed { progress: vec![1], counts }).unwrap();
    assert_eq!(policy.after_interruption(job.interruptions), JobEvent::Interrupted, "it got further");
}

#[test]
fn an_attempt_that_is_given_back_does_not_count() {
    let mut job = job();
    apply(&mut job, 7, JobEvent::Claimed).unwrap();
    assert_eq!((job.attempts, job.fence), (1, 7));
    apply(&mut job, 8, JobEvent::Yielded).unwrap();
    assert_eq!(job.attempts, 0);
    apply(&mut job, 9, JobEvent::Claimed).unwrap();
    apply(&mut job, 10, JobEvent::Interrupted).unwrap();
    assert_eq!((job.attempts, job.failures, job.fence), (1, 0, 9));
}

#[test]
fn requeuing_an_exception_goes_on_where_it_stopped() {
    let mut job = job();
    apply(&mut job, 1, JobEvent::Claimed).unwrap();
    let counts = Counts { total: 3, accepted: 3, ..Counts::default() };
    apply(&mut job, 2, JobEvent::Checkpointed { progress: vec![3], counts }).unwrap();
    apply(&mut job, 3, JobEvent::Failed { reason: reason() }).unwrap();
    apply(&mut job, 4, JobEvent::Requeued { reason: reason() }).unwrap();
    assert_eq!(job.progress.as_deref(), Some(&[3][..]));
    assert_eq!((job.state, job.finished_at, job.failures), (JobState::Queued, None, 0));
}

#[test]
fn delays_double_to_their_limit_and_then_end_in_an_exception() {
    let policy = RetryPolicy::default();
    let mut last = TimeDelta::zero();
    for failures in 0..policy.failures_max - 1 {
        let JobEvent::Retried { not_before, .. } = policy.after_failure(now(), failures, u32::MAX, reason())
        else {
            panic!("failure {failures} should be retried");
        };
        let delay = not_before - now();
        assert!(delay >= last && delay <= RetryPolicy::DELAY_MAX, "{delay}");
        last = delay;
    }
    let end = policy.after_failure(now(), policy.failures_max - 1, 0, reason());
    assert_eq!(end, JobEvent::Failed { reason: reason() });
}

#[test]
fn a_clock_put_back_by_hours_does_not_keep_a_retry_waiting() {
    let mut job = job();
    apply(&mut job, 1, JobEvent::Claimed).unwrap();
    let not_before = now() + TimeDelta::minutes(2);
    apply(&mut job, 2, JobEvent::Retried { not_before, reason: reason() }).unwrap();
    assert!(!job.is_due(now()));
    assert!(job.is_due(not_before));
    assert!(job.is_due(now() - TimeDelta::hours(5)));
}

#[test]
fn the_outcome_follows_from_the_counts() {
    let counts = |accepted, warned, errored, rejected| Counts {
        total: accepted + warned + errored + rejected,
        accepted,
        warned,
        errored,
        rejected,
    };
    assert_eq!(counts(2, 1, 0, 0).outcome(), Outcome::Accepted);
    assert_eq!(counts(0, 1, 1, 0).outcome(), Outcome::AcceptedWithErrors);
    assert_eq!(counts(0, 0, 1, 1).outcome(), Outcome::Rejected);
    assert_eq!(counts(0, 0, 0, 0).outcome(), Outcome::Accepted, "an empty batch is fine");
}
