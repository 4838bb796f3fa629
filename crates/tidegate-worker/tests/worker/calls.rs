//! Messages whose senders wait: answered, refused, or told that they are in doubt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender as ToTest, channel};

use chrono::TimeDelta;
use tidegate_domain::UploadName;
use tidegate_domain::job::{JobState, Protocol};
use tidegate_domain::maintenance::GateState;
use tidegate_store::{Filter, Sender};
use tidegate_worker::{Answer, Calls, DeliverError, Message};

use crate::files::{good, message as text};
use crate::probe::Probe;
use crate::rig::{Rig, org};

fn message(number: u64) -> Message {
    Message {
        org: org("A"),
        sender: Sender { account: "acme".to_owned(), protocol: Protocol::Soap },
        name: UploadName::new(format!("call-{number}")).unwrap(),
        bytes: text(number).into_bytes(),
    }
}

async fn submit(calls: &Calls, number: u64) -> Answer {
    calls.submit(message(number)).await.unwrap()
}

/// The acknowledgment as text.
fn acknowledged(answer: Answer) -> String {
    match answer {
        Answer::Acknowledged { text, .. } => String::from_utf8(text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// A target that tells when it has a message and waits to be let go on.
fn held_up() -> (Arc<Probe>, Receiver<()>, ToTest<()>) {
    let ((has_come, comes), (goes, may_go)) = (channel(), channel());
    let probe = Probe::scripted(move |_| {
        has_come.send(()).unwrap();
        may_go.recv().unwrap();
        Ok(())
    });
    (probe, comes, goes)
}

fn jobs(rig: &Rig) -> usize {
    rig.store.list(&Filter { limit: 99, ..Filter::default() }).unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_recorded_delivered_and_answered_with_its_acknowledgment() {
    let rig = Rig::new();
    let probe = Probe::willing();
    let (calls, running) = rig.work_with_calls(probe.clone());
    let ack = acknowledged(submit(&calls, 1).await);
    assert!(ack.starts_with("MSH|") && ack.contains("\rMSA|AA|") && !ack.contains("BTS|"), "{ack}");
    let again = acknowledged(submit(&calls, 1).await);
    assert_eq!(
        (again, probe.keys().len(), jobs(&rig)),
        (ack, 1, 2),
        "the same again is answered and not delivered"
    );
    let garbage = Message { bytes: b"no HL7".to_vec(), ..message(2) };
    assert!(acknowledged(calls.submit(garbage).await.unwrap()).contains("MSA|AR|"));
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_does_not_wait_behind_the_files_of_its_organization() {
    let rig = Rig::new();
    let ((has_come, comes), (goes, may_go)) = (channel(), channel::<()>());
    let mut is_first = true;
    let probe = Probe::scripted(move |_| {
        if std::mem::replace(&mut is_first, false) {
            has_come.send(()).unwrap();
            may_go.recv().unwrap();
        }
        Ok(())
    });
    // A probe takes one message at a time, so the call's goes elsewhere.
    let mut own = crate::rig::organization("A");
    own.delivery = Some(tidegate_domain::DeliveryConfig::default());
    let (calls, running) = rig.work_with_calls(probe);
    let file = rig.accept("A", "file", &good(10..13)).await;
    comes.recv().unwrap();
    let all = tidegate_domain::Organizations::new([own]).unwrap();
    rig.organizations.send_replace(Arc::new(all));
    assert!(acknowledged(submit(&calls, 1).await).contains("MSA|AA|"));
    assert_eq!(rig.state(file), JobState::Processing);
    drop(goes);
    running.stopped().await.unwrap();
}

/// More calls than there are places for files.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_of_others_do_not_wait_behind_calls() {
    let rig = Rig::new();
    let mut own = crate::rig::organization("B");
    own.delivery = Some(tidegate_domain::DeliveryConfig::default());
    let all = tidegate_domain::Organizations::new([crate::rig::organization("A"), own]).unwrap();
    rig.organizations.send_replace(Arc::new(all));
    let (probe, comes, goes) = held_up();
    let (calls, running) = rig.work_with_calls(probe);
    let under_way: Vec<_> = (0..4)
        .map(|number| {
            let calls = calls.clone();
            tokio::spawn(async move { submit(&calls, number).await })
        })
        .collect();
    rig.until("all calls are taken", || jobs(&rig) == under_way.len()).await;
    comes.recv().unwrap();
    let file = rig.accept("B", "file", &good(10..13)).await;
    rig.reaches(file, JobState::Complete).await;
    for _ in &under_way {
        goes.send(()).unwrap();
    }
    for call in under_way {
        acknowledged(call.await.unwrap());
    }
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_gate_refuses_calls_and_keeps_nothing_of_them() {
    let rig = Rig::new();
    let probe = Probe::willing();
    let (calls, running) = rig.work_with_calls(probe.clone());
    rig.close_gate().await;
    assert_eq!(submit(&calls, 1).await, Answer::Closed);
    assert_eq!((jobs(&rig), probe.keys().len()), (0, 0));
    rig.open_gate().await;
    acknowledged(submit(&calls, 1).await);
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_that_is_out_when_the_gate_shuts_is_finished() {
    let rig = Rig::new();
    let (probe, comes, goes) = held_up();
    let (calls, running) = rig.work_with_calls(probe.clone());
    let under_way = tokio::spawn(async move { submit(&calls, 1).await });
    tokio::task::spawn_blocking(move || comes.recv().unwrap()).await.unwrap();
    rig.close_gate().await;
    goes.send(()).unwrap();
    assert!(acknowledged(under_way.await.unwrap()).contains("MSA|AA|"));
    assert_eq!(probe.keys().len(), 1);
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_is_away_refuses_calls_and_a_call_finds_out_that_it_is_back() {
    let rig = Rig::new();
    let is_up = Arc::new(AtomicBool::new(false));
    let up = Arc::clone(&is_up);
    let probe = Probe::scripted(move |_| {
        let away = DeliverError::Away { reason: "HTTP 503".to_owned(), in_doubt: false, retry_after: None };
        if up.load(Ordering::Relaxed) { Ok(()) } else { Err(away) }
    });
    let (calls, running) = rig.work_with_calls(probe.clone());
    assert_eq!(submit(&calls, 1).await, Answer::Closed);
    assert_eq!(rig.store.gate(None).state, GateState::Closed);
    let all = rig.store.list(&Filter { limit: 9, ..Filter::default() }).unwrap();
    assert_eq!(all.iter().map(|job| job.state).collect::<Vec<_>>(), [JobState::Cancelled]);
    let history = rig.store.history(all[0].id).unwrap();
    let events: Vec<_> = history.iter().map(|entry| entry.event.name()).collect();
    assert_eq!(events, ["accepted", "claimed", "taken_back"], "nobody could claim it in between");
    assert_eq!(submit(&calls, 2).await, Answer::Closed);
    assert_eq!(jobs(&rig), 1, "nothing is kept while it is known to be away");
    is_up.store(true, Ordering::Relaxed);
    rig.until("it may be tried", || {
        rig.clock.advance(TimeDelta::milliseconds(100));
        rig.store.gate(None).claims_allowed
    })
    .await;
    acknowledged(submit(&calls, 2).await);
    assert_eq!(rig.store.gate(None).state, GateState::Open);
    running.stopped().await.unwrap();
}

/// Nobody may be told that nothing was passed on of a message that may have arrived.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_went_out_to_a_target_that_is_away_is_in_doubt() {
    let away = |in_doubt| DeliverError::Away { reason: "HTTP 503".to_owned(), in_doubt, retry_after: None };
    for in_doubt in [away(true), DeliverError::Transient("no answer".to_owned())] {
        let rig = Rig::new();
        let mut said = vec![Err(in_doubt), Err(away(false))].into_iter();
        let mut script = std::iter::from_fn(move || said.next_back());
        let probe = Probe::scripted(move |_| script.next().unwrap_or(Ok(())));
        let (calls, running) = rig.work_with_calls(probe.clone());
        assert_eq!(submit(&calls, 1).await, Answer::Closed);
        rig.until("it may be tried", || {
            rig.clock.advance(TimeDelta::milliseconds(100));
            rig.store.gate(None).claims_allowed
        })
        .await;
        let Answer::Later { job } = submit(&calls, 2).await else { panic!("it may have arrived") };
        assert_eq!(rig.store.gate(None).state, GateState::Closed);
        rig.until("it was delivered under its own name", || {
            rig.clock.advance(TimeDelta::milliseconds(100));
            rig.state(job) == JobState::Complete
        })
        .await;
        assert_eq!(probe.keys().iter().map(|key| key.job).collect::<Vec<_>>(), [job]);
        running.stopped().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_doubt_goes_on_like_a_file_and_is_never_delivered_beside_itself() {
    let rig = Rig::new();
    let answers = Arc::new(AtomicBool::new(false));
    let does = Arc::clone(&answers);
    let probe = Probe::scripted(move |_| {
        if does.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(DeliverError::Transient("no answer".to_owned()))
        }
    });
    let (calls, running) = rig.work_with_calls(probe.clone());
    let Answer::Later { job } = submit(&calls, 1).await else { panic!("it is in doubt") };
    assert_eq!(submit(&calls, 1).await, Answer::Later { job }, "it is known to be under way");
    answers.store(true, Ordering::Relaxed);
    rig.until("it was delivered", || {
        rig.clock.advance(TimeDelta::milliseconds(100));
        rig.state(job) == JobState::Complete
    })
    .await;
    assert!(acknowledged(submit(&calls, 1).await).contains("MSA|AA|"));
    assert_eq!(probe.keys().len(), 1);
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_stops_takes_calls_to_their_end_and_begins_no_others() {
    let rig = Rig::new();
    let (probe, comes, goes) = held_up();
    let (calls, running) = rig.work_with_calls(probe.clone());
    let late = calls.clone();
    let under_way = tokio::spawn(async move { submit(&calls, 1).await });
    tokio::task::spawn_blocking(move || comes.recv().unwrap()).await.unwrap();
    running.stop.send_replace(true);
    goes.send(()).unwrap();
    acknowledged(under_way.await.unwrap());
    running.ended().await.unwrap();
    let Answer::Later { job } = submit(&late, 2).await else { panic!("nobody works on it") };
    assert_eq!(
        (rig.state(job), probe.keys().len()),
        (JobState::Processing, 1),
        "the next start goes on with it"
    );
}

fn query(number: u64) -> Message {
    let bytes = text(number).replace("VXU^V04^VXU_V04", "QBP^Q11^QBP_Q11").into_bytes();
    assert!(tidegate_worker::is_query(&bytes));
    Message { bytes, ..message(number) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_answered_by_the_registry_while_the_gate_is_open_and_nothing_is_kept_of_it() {
    let rig = Rig::new();
    let away = DeliverError::Away { reason: "HTTP 503".to_owned(), in_doubt: false, retry_after: None };
    let silence = DeliverError::Transient("no answer".to_owned());
    let said = |text: &str| Ok(text.as_bytes().to_vec());
    let probe = Probe::replying([said("one"), Err(silence), Err(away), said("two")]);
    let (calls, running) = rig.work_with_calls(probe.clone());
    rig.close_gate().await;
    assert_eq!(calls.submit(query(1)).await.unwrap(), Answer::Closed, "it is not asked");
    rig.open_gate().await;
    assert_eq!(calls.submit(query(1)).await.unwrap(), Answer::Said(b"one".to_vec()));
    assert_eq!(calls.submit(query(1)).await.unwrap(), Answer::Unanswered);
    assert_eq!(calls.submit(query(1)).await.unwrap(), Answer::Closed);
    assert_eq!(rig.store.gate(None).state, GateState::Closed);
    assert_eq!(calls.submit(query(1)).await.unwrap(), Answer::Closed, "who is away is not asked");
    rig.until("it may be tried", || {
        rig.clock.advance(TimeDelta::milliseconds(100));
        rig.store.gate(None).claims_allowed
    })
    .await;
    assert_eq!(calls.submit(query(1)).await.unwrap(), Answer::Said(b"two".to_vec()));
    assert_eq!((rig.store.gate(None).state, jobs(&rig), probe.keys().len()), (GateState::Open, 0, 0));
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_nobody_answers_is_refused_as_in_a_file() {
    let rig = Rig::new();
    let (calls, running) = rig.work_with_calls(Probe::willing());
    let ack = acknowledged(calls.submit(query(1)).await.unwrap());
    assert!(ack.contains("\rMSA|AR|") && ack.contains("|200^"), "{ack}");
    assert_eq!(jobs(&rig), 1);
    running.stopped().await.unwrap();
    // In test mode nothing is passed on.
    let rig = Rig::new();
    let mut tested = crate::rig::organization("A");
    tested.hl7.mode = Some(tidegate_domain::Mode::Test);
    rig.organizations.send_replace(Arc::new(tidegate_domain::Organizations::new([tested]).unwrap()));
    let (calls, running) = rig.work_with_calls(Probe::replying([]));
    assert!(acknowledged(calls.submit(query(1)).await.unwrap()).contains("\rMSA|AR|"));
    running.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_queued_waits_like_a_file_and_is_told_so() {
    let rig = Rig::new();
    let probe = Probe::willing();
    let (calls, running) = rig.work_with_calls(probe.clone());
    rig.close_gate().await;
    let Answer::Queued { job, text } = calls.queue(message(1)).await.unwrap() else { panic!("it waits") };
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("\rMSA|AA|M000001\r") && text.contains(&job.to_string()), "{text}");
    assert_eq!((rig.state(job), probe.keys().len()), (JobState::Queued, 0));
    assert_eq!(rig.store.get(job).unwrap().unwrap().submission.protocol, Protocol::Web);
    rig.open_gate().await;
    rig.reaches(job, JobState::Complete).await;
    assert_eq!(probe.keys().len(), 1);
    assert!(acknowledged(submit(&calls, 1).await).contains("MSA|AA|"), "its acknowledgment is there");
    assert_eq!(probe.keys().len(), 1);
    running.stopped().await.unwrap();
}

/// A sender that lost patience with its file sends what is in it once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_message_that_a_file_is_delivering_is_not_delivered_beside_it() {
    let rig = Rig::new();
    let (probe, comes, goes) = held_up();
    let (calls, running) = rig.work_with_calls(probe.clone());
    let file = rig.accept("A", "file", &good(1..2)).await;
    tokio::task::spawn_blocking(move || comes.recv().unwrap()).await.unwrap();
    let Answer::Later { job } = submit(&calls, 1).await else { panic!("it may not be delivered now") };
    assert_eq!(rig.state(file), JobState::Processing);
    goes.send(()).unwrap();
    rig.reaches(file, JobState::Complete).await;
    rig.until("it is told what it is", || {
        rig.clock.advance(TimeDelta::milliseconds(100));
        rig.state(job) == JobState::Complete
    })
    .await;
    assert!(acknowledged(submit(&calls, 1).await).contains("MSA|AA|M000001"));
    assert_eq!(probe.keys().len(), 1);
    running.stopped().await.unwrap();
}
