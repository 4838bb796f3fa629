//! A wall clock that jumps by hours, back and forth: nothing is lost, doubled or starved by it.
//!
//! What has to last a certain time (leases, rates) is counted on the monotonic clock; what is announced for
//! an hour of the day (windows, holds) follows the wall clock; and where the two meet (the wait before the
//! next attempt) the wait is bounded, whatever the wall clock says.

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::job::{JobEvent, RetryPolicy};
use tidegate_domain::maintenance::{GateState, Hold, HoldLength, MaintenanceConfig};
use tidegate_domain::{Clock, JobId};
use tidegate_store::{Claim, Filter, Store};

use crate::rig::Rig;

const HOURS: [i64; 6] = [6, -6, 5, -11, 0, 6];

impl Rig {
    fn jump(&self, hours: i64) {
        self.clock.advance(TimeDelta::hours(hours));
    }

    /// Fails the head of the lane as a registry that is away does; when it is to be tried again.
    async fn fails_for_now(&self) -> (JobId, DateTime<Utc>) {
        let claim = self.claim().await;
        let reason = "registry away".to_owned();
        let end =
            RetryPolicy::default().after_failure(self.clock.now(), claim.job.failures, u32::MAX, reason);
        let job = self.store.finish(&claim, end).await.unwrap();
        (job.id, job.not_before.unwrap())
    }
}

fn names(store: &Store, id: JobId) -> Vec<&'static str> {
    store.history(id).unwrap().iter().map(|line| line.event.name()).collect()
}

#[tokio::test]
async fn a_retry_set_while_the_clock_was_ahead_is_not_waited_for() {
    for ahead in [1, 6, 24 * 365] {
        let rig = Rig::new();
        rig.accept("A", "1", b"1").await;
        rig.accept("A", "2", b"2").await;
        rig.jump(ahead);
        let (failed, _) = rig.fails_for_now().await;
        rig.jump(-ahead);
        assert_eq!(rig.claim().await.id(), failed, "at once, and before those behind it");
    }
}

/// The clock was ahead by less than a retry may wait: that can't be told from a retry that is to be waited
/// for, and costs no more than that wait.
#[tokio::test]
async fn no_retry_waits_longer_than_the_longest_delay_wherever_the_clock_goes() {
    let minutes = |minutes| TimeDelta::minutes(minutes);
    for ahead in [1, 7, 14, 15, 16, 59] {
        let rig = Rig::new();
        rig.accept("A", "1", b"1").await;
        rig.clock.advance(minutes(ahead));
        let (failed, _) = rig.fails_for_now().await;
        rig.clock.advance(-minutes(ahead));
        let mut waited = TimeDelta::zero();
        let claims = loop {
            let claims = rig.store.claim(1).await.unwrap();
            if !claims.is_empty() {
                break claims;
            }
            rig.clock.advance(minutes(1));
            waited += minutes(1);
        };
        assert_eq!(claims[0].id(), failed);
        assert!(waited <= RetryPolicy::DELAY_MAX, "{ahead} minutes ahead cost {waited}");
    }
}

#[tokio::test]
async fn a_retry_is_due_after_every_jump_and_after_a_restart_in_between() {
    let mut rig = Rig::new();
    let job = rig.accept("A", "1", b"1").await;
    for hours in HOURS {
        let (failed, not_before) = rig.fails_for_now().await;
        assert_eq!(failed, job.id);
        let before = rig.clock.now();
        rig = rig.after_kill();
        rig.clock.set(before + TimeDelta::hours(hours));
        if hours == 0 {
            assert!(rig.store.claim(1).await.unwrap().is_empty(), "without a jump it waits");
            rig.clock.set(not_before);
        }
    }
    let claim = rig.claim().await;
    rig.complete(&claim).await;
    let claimed = names(&rig.store, job.id).iter().filter(|name| **name == "claimed").count();
    assert_eq!(claimed, HOURS.len() + 1);
}

#[tokio::test]
async fn files_stay_in_order_whatever_the_clock_says_at_their_arrival() {
    let mut rig = Rig::new();
    let mut arrived = Vec::new();
    for (number, hours) in HOURS.iter().cycle().take(18).enumerate() {
        let now = rig.clock.now();
        if number % 4 == 3 {
            rig = rig.after_kill();
        }
        rig.clock.set(now + TimeDelta::hours(*hours));
        arrived.push(rig.accept("A", &number.to_string(), &[u8::try_from(number).unwrap()]).await.id);
    }
    assert!(arrived.is_sorted_by(|one, other| one < other), "ids tell the order of arrival");
    let mut listed: Vec<JobId> = rig.store.list(&all()).unwrap().iter().map(|job| job.id).collect();
    listed.reverse();
    assert_eq!(listed, arrived);
    for (id, hours) in arrived.iter().zip(HOURS.iter().cycle()) {
        rig.jump(-hours);
        let claim = rig.claim().await;
        assert_eq!(claim.id(), *id);
        rig.complete(&claim).await;
    }
    let stats = rig.store.stats().unwrap();
    assert!(stats.finished_per_s.is_finite() && stats.finished_per_s > 0.0, "{}", stats.finished_per_s);
}

fn all() -> Filter {
    Filter { limit: 1000, ..Filter::default() }
}

#[tokio::test]
async fn a_jump_takes_no_job_from_its_worker_and_gives_it_to_no_second_one() {
    let rig = Rig::new();
    let job = rig.accept("A", "1", b"1").await;
    let claim = rig.claim().await;
    for hours in HOURS {
        rig.jump(hours);
        assert!(rig.store.claim(9).await.unwrap().is_empty());
        rig.store.renew(&claim).unwrap();
        rig.store.checkpoint(&claim, vec![1], claim.job.counts).await.unwrap();
    }
    rig.complete(&claim).await;
    assert!(!names(&rig.store, job.id).contains(&"interrupted"));
}

/// Nobody can know how long it has lasted, so it lasts until the hour that staff were told, or until they
/// release it.
#[tokio::test]
async fn a_hold_with_an_end_follows_the_clock_and_is_never_lost() {
    let rig = Rig::new();
    rig.accept("A", "1", b"1").await;
    let start = rig.clock.now();
    let length = HoldLength::For(std::time::Duration::from_mins(30));
    rig.store.place_hold(Hold::new("h", None, "disk swap", "eve", start, length).unwrap()).await.unwrap();
    let closed_at = |minutes: i64| {
        rig.clock.set(start + TimeDelta::minutes(minutes));
        rig.store.gate(None).state == GateState::Closed
    };
    for (minutes, is_closed) in [(29, true), (30, false), (-360, true), (300, false), (10, true), (-1, true)]
    {
        assert_eq!(closed_at(minutes), is_closed, "at minute {minutes}");
        assert_eq!(rig.store.claim(0).await.unwrap().len(), 0);
    }
    let after = rig.after_kill();
    after.clock.set(start - TimeDelta::hours(5));
    assert!(after.store.claim(1).await.unwrap().is_empty(), "a restart before its beginning");
    assert_eq!(after.store.release_holds(None, "eve", "done").await.unwrap().len(), 1);
    assert_eq!(after.store.claim(1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_window_is_what_the_clock_says_each_time_it_is_asked() {
    let rig = Rig::new();
    let toml =
        "timezone = 'UTC'\n[[window]]\nname = 'w'\nfrom = '2024-03-08T13:00'\nto = '2024-03-08T15:00'\n";
    let config: MaintenanceConfig = toml::from_str(toml).unwrap();
    rig.store.set_calendar(config.to_calendar().unwrap());
    for number in 0..6_u8 {
        rig.accept("A", &number.to_string(), &[number]).await;
    }
    let noon = rig.clock.now();
    for (hours, is_open) in [(0, true), (2, false), (5, true), (1, false), (-5, true), (2, false), (3, true)]
    {
        rig.clock.set(noon + TimeDelta::hours(hours));
        let claims = rig.store.claim(1).await.unwrap();
        assert_eq!(!claims.is_empty(), is_open, "at {hours} h");
        let due = rig.store.next_due();
        assert!(is_open || due == Some(noon + TimeDelta::hours(3)), "{due:?}");
        for claim in claims {
            rig.complete(&claim).await;
        }
    }
}

/// The worst of both: a worker stopped past its lease, and a clock that jumps meanwhile.
#[tokio::test]
async fn a_lost_claim_stays_lost_wherever_the_clock_goes() {
    let dir = tempfile::tempdir().unwrap();
    let lease = std::time::Duration::ZERO;
    let rig = Rig::open_with(dir, tidegate_store::Options { lease, ..tidegate_store::Options::default() });
    let job = rig.accept("A", "1", b"1").await;
    let mut lost: Vec<Claim> = Vec::new();
    for hours in HOURS {
        rig.jump(hours);
        let mut claims = rig.store.claim(1).await.unwrap();
        while claims.is_empty() {
            // A claim that takes a lease back hands nothing out.
            claims = rig.store.claim(1).await.unwrap();
        }
        let claim = claims.remove(0);
        for old in &lost {
            assert!(rig.store.renew(old).is_err());
            assert!(rig.store.checkpoint(old, vec![9], old.job.counts).await.is_err());
            for end in ends(job.id) {
                assert!(rig.store.finish(old, end).await.is_err());
            }
        }
        rig.store.checkpoint(&claim, vec![1], claim.job.counts).await.unwrap();
        lost.push(claim);
    }
    let history = names(&rig.store, job.id);
    assert_eq!(history.iter().filter(|name| **name == "checkpointed").count(), HOURS.len(), "{history:?}");
    let job = rig.complete(lost.last().unwrap()).await;
    assert_eq!(rig.store.history(job.id).unwrap().last().unwrap().event.name(), "completed");
}

/// Everything that a worker may end a claim with.
fn ends(of: JobId) -> Vec<JobEvent> {
    let reason = || "late".to_owned();
    vec![
        JobEvent::Yielded,
        JobEvent::Refused { reason: reason() },
        JobEvent::Failed { reason: reason() },
        JobEvent::FoundDuplicate { of },
        JobEvent::Retried { not_before: Utc::now(), reason: reason() },
        JobEvent::Completed {
            outcome: tidegate_domain::job::Outcome::Accepted,
            counts: tidegate_domain::job::Counts::default(),
        },
    ]
}
