//! Targets that are away: the gate closes, no file is blamed, and everything drains once they are back.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use chrono::TimeDelta;
use tidegate_domain::job::JobState;
use tidegate_domain::maintenance::{CauseKind, GateState};
use tidegate_domain::{DeliveryConfig, Organizations};
use tidegate_worker::{DeliverError, open};

use crate::files::good;
use crate::mllp::config;
use crate::probe::Probe;
use crate::registry::{AA, Reaction, Registry};
use crate::rig::{PATIENCE, Rig, org, organization};

fn away() -> DeliverError {
    DeliverError::Away { reason: "HTTP 503".to_owned(), in_doubt: false, retry_after: None }
}

/// Takes messages while the switch is on.
fn switched(is_up: &Arc<AtomicBool>, error: impl Fn() -> DeliverError + Send + 'static) -> Arc<Probe> {
    let is_up = Arc::clone(is_up);
    Probe::scripted(move |_| if is_up.load(Ordering::Relaxed) { Ok(()) } else { Err(error()) })
}

fn is_downstream(rig: &Rig, of: Option<&str>) -> bool {
    let gate = rig.store.gate(of.map(org).as_ref());
    gate.state == GateState::Closed
        && gate.until.is_none()
        && gate.causes.iter().all(|cause| cause.kind == CauseKind::Downstream)
}

/// Lets time go on until something holds.
async fn in_time(rig: &Rig, what: &str, holds: impl Fn() -> bool) {
    rig.until(what, || {
        rig.clock.advance(TimeDelta::milliseconds(100));
        holds()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_is_away_closes_the_gate_and_is_nobodys_fault() {
    let rig = Rig::new();
    let is_up = Arc::new(AtomicBool::new(false));
    let probe = switched(&is_up, away);
    let running = rig.work(probe.clone());
    let mut ids = Vec::new();
    for code in ["A", "B", "C"] {
        ids.push(rig.accept(code, "file", &good(0..3)).await);
    }
    rig.until("the gate is closed", || is_downstream(&rig, None) && is_downstream(&rig, Some("A"))).await;
    assert_eq!(rig.store.gate(None).causes[0].reason, "HTTP 503");
    let since = rig.store.gate(None).closed_since;
    rig.accept("D", "file", &good(0..3)).await;
    // Many waits and trials go by.
    let long_after = tidegate_domain::Clock::now(&rig.clock) + TimeDelta::minutes(5);
    in_time(&rig, "a while has passed", || tidegate_domain::Clock::now(&rig.clock) > long_after).await;
    rig.until("nothing is in hand", || ids.iter().all(|id| rig.state(*id) == JobState::Queued)).await;
    for id in &ids {
        let job = rig.job(*id);
        assert_eq!((job.attempts, job.failures, job.interruptions), (0, 0, 0));
    }
    assert!(is_downstream(&rig, None));
    assert_eq!(rig.store.gate(None).closed_since, since, "it is one outage");
    is_up.store(true, Ordering::Relaxed);
    for id in ids {
        in_time(&rig, "the backlog drains", || rig.state(id) == JobState::Complete).await;
        assert_eq!(rig.job(id).attempts, 1);
    }
    assert_eq!(rig.store.gate(None).state, GateState::Open);
    running.stopped().await.unwrap();
}

/// Waiting costs nobody's history a line while not even a connection comes about.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_can_not_be_reached_is_tested_without_files_and_drained_when_it_is_back() {
    let rig = Rig::new();
    // On a loopback address that nobody else uses, so that the port stays free.
    let address = TcpListener::bind((Ipv4Addr::new(127, 83, 21, 9), 0)).unwrap().local_addr().unwrap();
    let running = rig.work(open(&config(address), rig.path()).unwrap());
    let id = rig.accept("A", "file", &good(0..5)).await;
    rig.until("the gate is closed", || is_downstream(&rig, None)).await;
    rig.until("the file waits", || rig.state(id) == JobState::Queued).await;
    let begun = tidegate_domain::Clock::now(&rig.clock);
    in_time(&rig, "a while has passed", || {
        tidegate_domain::Clock::now(&rig.clock) > begun + TimeDelta::minutes(5)
    })
    .await;
    assert_eq!(rig.history(id), ["accepted", "claimed", "yielded"]);
    let registry = Registry::listen(address, None, |_| AA);
    in_time(&rig, "the backlog drains", || rig.state(id) == JobState::Complete).await;
    assert_eq!(registry.ledger().len(), 5);
    assert_eq!(rig.store.gate(None).state, GateState::Open);
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_with_a_target_of_its_own_does_not_notice() {
    let rig = Rig::new();
    let mut own = organization("B");
    own.delivery = Some(DeliveryConfig { path: Some(PathBuf::from("of-b")), ..DeliveryConfig::default() });
    let mut broken = organization("C");
    broken.delivery =
        Some(DeliveryConfig { path: Some(PathBuf::from("/dev/null/x")), ..DeliveryConfig::default() });
    let all = [organization("A"), own, broken.clone()];
    rig.organizations.send_replace(Arc::new(Organizations::new(all).unwrap()));
    let is_up = Arc::new(AtomicBool::new(false));
    let probe = switched(&is_up, away);
    let running = rig.work(probe.clone());
    let of_a = rig.accept("A", "file", &good(0..3)).await;
    let of_c = rig.accept("C", "file", &good(0..3)).await;
    rig.until("both are away", || is_downstream(&rig, Some("A")) && is_downstream(&rig, Some("C"))).await;
    let of_b = rig.accept("B", "file", &good(0..3)).await;
    rig.reaches(of_b, JobState::Complete).await;
    assert_eq!(rig.files("of-b/B").len(), 3);
    assert_eq!(rig.store.gate(Some(&org("B"))).state, GateState::Open);
    is_up.store(true, Ordering::Relaxed);
    in_time(&rig, "the service's is back", || rig.state(of_a) == JobState::Complete).await;
    assert!(is_downstream(&rig, Some("C")), "and the other one is not");
    assert!(!probe.keys().iter().any(|key| key.org == org("C")), "nothing goes elsewhere");
    // Staff mend the section: it holds at once.
    broken.delivery = Some(DeliveryConfig { path: Some(PathBuf::from("of-c")), ..DeliveryConfig::default() });
    rig.organizations.send_replace(Arc::new(Organizations::new([organization("A"), broken]).unwrap()));
    in_time(&rig, "its own is mended", || rig.state(of_c) == JobState::Complete).await;
    assert_eq!(rig.files("of-c/C").len(), 3);
    running.stopped().await.unwrap();
}

/// Each upload wakes the worker, which once put off its look at targets by that: a registry that was back long
/// ago stayed away for as long as senders were busy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_is_away_is_tried_again_while_uploads_come_in_without_a_pause() {
    let rig = Rig::new();
    let is_up = Arc::new(AtomicBool::new(false));
    let running = rig.work(switched(&is_up, away));
    let id = rig.accept("A", "file", &good(0..3)).await;
    rig.until("the gate is closed", || is_downstream(&rig, None)).await;
    is_up.store(true, Ordering::Relaxed);
    let deadline = Instant::now() + PATIENCE;
    for number in 0.. {
        if rig.state(id) == JobState::Complete {
            break;
        }
        assert!(Instant::now() < deadline, "still away after {number} uploads");
        rig.clock.advance(TimeDelta::milliseconds(100));
        rig.accept("B", "file", &good(number..number + 1)).await;
    }
    running.stopped().await.unwrap();
}

/// Three messages in a row without an answer, and it is the registry, not the files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_never_answers_is_away_and_one_bad_message_is_not() {
    let rig = Rig::new();
    let is_up = Arc::new(AtomicBool::new(false));
    let probe = switched(&is_up, || DeliverError::Transient("no answer".to_owned()));
    let running = rig.work(probe.clone());
    let mut ids = Vec::new();
    for code in ["A", "B", "C", "D"] {
        ids.push(rig.accept(code, "file", &good(0..2)).await);
    }
    rig.until("the gate is closed", || is_downstream(&rig, None)).await;
    let failures = |rig: &Rig| ids.iter().map(|id| rig.job(*id).failures).sum::<u32>();
    let begun = tidegate_domain::Clock::now(&rig.clock);
    in_time(&rig, "a while has passed", || {
        tidegate_domain::Clock::now(&rig.clock) > begun + TimeDelta::minutes(10)
    })
    .await;
    assert!(failures(&rig) <= 4, "{} attempts were counted", failures(&rig));
    is_up.store(true, Ordering::Relaxed);
    for id in ids {
        in_time(&rig, "the backlog drains", || rig.state(id) == JobState::Complete).await;
    }
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_gets_no_answer_among_others_that_do_is_its_files_affair() {
    let rig = Rig::new();
    let registry = Registry::start(|id| if id == "M000002" { Reaction::Close } else { AA });
    let running = rig.work(open(&config(registry.address), rig.path()).unwrap());
    let id = rig.accept("A", "file", &good(0..5)).await;
    for failures in 1..6 {
        rig.until("it failed again", || rig.job(id).failures == failures).await;
        let other = u64::from(failures) * 10;
        let other = rig.accept("B", "file", &good(other..other + 3)).await;
        rig.reaches(other, JobState::Complete).await;
        assert_eq!(rig.store.gate(None).state, GateState::Open);
        let job = rig.job(id);
        assert!(job.reason.unwrap().contains("without an answer"));
        rig.clock.set(job.not_before.unwrap());
    }
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_registry_refuses_is_answered_with_its_words_if_they_may_pass() {
    let rig = Rig::new();
    let registry = Registry::start(|id| match id {
        "M000001" => Reaction::Answer("AE", "|dose number is wrong"),
        "M000002" => Reaction::Answer("AR", "|not for us"),
        _ => AA,
    });
    let speaking = DeliveryConfig { pass_on_text: true, ..config(registry.address) };
    let mut of_b = organization("B");
    of_b.delivery = Some(config(registry.address));
    let all = Organizations::new([organization("A"), of_b]).unwrap();
    rig.organizations.send_replace(Arc::new(all));
    let running = rig.work(open(&speaking, rig.path()).unwrap());
    for (code, passes) in [("A", true), ("B", false)] {
        let id = rig.accept(code, "file", &good(0..4)).await;
        let job = rig.reaches(id, JobState::Complete).await;
        assert_eq!((job.counts.accepted, job.counts.errored, job.counts.rejected), (2, 1, 1));
        let response = rig.masked_response(id);
        assert_eq!(response.contains("in its own words: dose number is wrong"), passes, "{response}");
        assert_eq!(response.contains("in its own words: not for us"), passes, "{response}");
        assert!(response.contains("MSA|AE|M000001") && response.contains("MSA|AR|M000002"));
    }
    running.stopped().await.unwrap();
}
