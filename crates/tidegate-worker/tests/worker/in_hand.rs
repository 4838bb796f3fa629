//! A file in hand when the gate closes: it stops between two messages, at the right one, and goes on
//! with the next as if nothing had been.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidegate_domain::job::{Job, JobState};
use tidegate_domain::maintenance::HoldLength;
use tidegate_store::Filter;
use tidegate_worker::Key;
use tokio::runtime::Handle;

use crate::files::{batch, good, message, nameless};
use crate::probe::Probe;
use crate::rig::{Rig, hold, instant};

const MESSAGES: u64 = 40;

fn policy(in_flight: &str) -> String {
    format!(
        "timezone = 'America/Chicago'\nin_flight = '{in_flight}'\ngrace = '5m'\n\
         [[window]]\nname = 'w'\nfrom = '2024-03-08T19:00'\nto = '2024-03-09T00:00'\n"
    )
}

/// A file with good and bad messages, and a second batch that begins where one test yields.
fn file() -> Vec<u8> {
    let messages: Vec<String> = (0..MESSAGES)
        .map(|number| if number % 7 == 3 { nameless(number) } else { message(number) })
        .collect();
    let (first, second) = messages.split_at(8);
    let mut bytes = b"FHS|^~\\&|EHR|CLINIC\r".to_vec();
    for part in [first, second] {
        let whole = batch(part);
        let text = String::from_utf8(whole).unwrap();
        bytes.extend(text.replace("FHS|^~\\&|EHR|CLINIC\r", "").replace("FTS|1\r", "").into_bytes());
    }
    bytes.extend(b"FTS|2\r");
    bytes
}

/// The ordinals that are delivered of it.
fn deliverable() -> Vec<u64> {
    (1..=MESSAGES).filter(|ordinal| ordinal % 7 != 4).collect()
}

/// Runs the file while `script` moves the clock; then opens the gate and lets it end. What was
/// delivered before the gate opened, and the response.
async fn interrupted(
    in_flight: &str,
    script: impl Fn(&Rig, &Key) + Send + 'static,
) -> (Vec<u64>, Vec<u64>, String, Vec<&'static str>) {
    let rig = Arc::new(Rig::new());
    rig.maintenance(&policy(in_flight));
    let (for_script, runtime) = (Arc::downgrade(&rig), Handle::current());
    let probe = Probe::scripted(move |key| {
        let _entered = runtime.enter();
        script(&for_script.upgrade().unwrap(), key);
        Ok(())
    });
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &file()).await;
    rig.until("the file ends or yields", || {
        rig.state(id) == JobState::Complete || rig.history(id).contains(&"yielded")
    })
    .await;
    let before = probe.ordinals();
    assert_eq!(rig.job(id).attempts, u32::from(rig.state(id) == JobState::Complete), "a yield is no attempt");
    rig.open_gate().await;
    rig.clock.set(instant("2024-03-09T06:00:00Z"));
    rig.reaches(id, JobState::Complete).await;
    running.stopped().await.unwrap();
    (before, probe.ordinals(), rig.masked_response(id), rig.history(id))
}

fn at(clock: &str, when: u64) -> impl Fn(&Rig, &Key) + Send + 'static {
    let instant = instant(clock);
    move |rig, key| {
        if key.ordinal == when {
            rig.clock.set(instant);
        }
    }
}

async fn uninterrupted() -> String {
    let (before, all, response, _) = interrupted("finish", |_, _| {}).await;
    assert_eq!((before, all), (deliverable(), deliverable()));
    assert_eq!(response.matches("MSA|").count() as u64, MESSAGES);
    response
}

/// Where the window's start falls while message 8 is delivered, 9 begins the second batch: the batch's
/// header must not be answered twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn yield_stops_before_the_next_message() {
    let whole = uninterrupted().await;
    for when in [1, 8, 9, MESSAGES - 2] {
        let (before, all, response, history) = interrupted("yield", at("2024-03-09T01:00:00Z", when)).await;
        let upto: Vec<u64> = deliverable().into_iter().filter(|ordinal| *ordinal <= when).collect();
        assert_eq!(before, upto, "gate closed during message {when}");
        assert_eq!(all, deliverable(), "each message once, in order");
        assert_eq!(response, whole);
        assert_eq!(history, ["accepted", "claimed", "checkpointed", "yielded", "claimed", "completed"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finish_then_yield_goes_on_for_the_grace_and_no_longer() {
    let whole = uninterrupted().await;
    let (before, all, response, _) = interrupted("finish_then_yield", |rig, key| {
        let now = match key.ordinal {
            5 => "2024-03-09T01:00:00Z",
            9 => "2024-03-09T01:04:59.999Z",
            15 => "2024-03-09T01:05:00Z",
            _ => return,
        };
        rig.clock.set(instant(now));
    })
    .await;
    assert_eq!(before.last(), Some(&15));
    assert_eq!((all, response), (deliverable(), whole));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finish_runs_to_the_end_of_the_file() {
    let whole = uninterrupted().await;
    let (before, _, response, history) = interrupted("finish", at("2024-03-09T03:00:00Z", 5)).await;
    assert_eq!((before, response), (deliverable(), whole));
    assert_eq!(history, ["accepted", "claimed", "completed"]);
}

/// Nobody knows of a hold before it is placed, and the clock does not move: only the change tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_placed_during_a_message_is_heeded_before_the_next() {
    let (before, all, ..) = interrupted("yield", |rig, key| {
        if key.ordinal == 5 {
            let hold = hold(&rig.clock, None, HoldLength::UntilReleased);
            Handle::current().block_on(rig.store.place_hold(hold)).unwrap();
        }
    })
    .await;
    assert_eq!(before.last(), Some(&5));
    assert_eq!(all, deliverable());
}

/// A clock that jumps over the window and back into it: an answer is only good for later instants.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_back_is_heeded() {
    let rig = Rig::new();
    rig.maintenance(&policy("finish_then_yield"));
    let clock = rig.clock.clone();
    let probe = Probe::scripted(move |key| {
        match key.ordinal {
            2 => clock.set(instant("2024-03-09T07:00:00Z")),
            4 => clock.set(instant("2024-03-09T02:00:00Z")),
            _ => {}
        }
        Ok(())
    });
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &good(0..10)).await;
    rig.until("it yields", || rig.history(id).contains(&"yielded")).await;
    assert_eq!(probe.ordinals(), [1, 2, 3, 4]);
    running.stopped().await.unwrap();
}

/// Small files are claimed ahead of their turn. Those that were not begun when the gate closed are not
/// in hand: even where files in hand may finish, they wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_claimed_ahead_is_not_begun_behind_a_closed_gate() {
    let rig = Rig::new();
    rig.maintenance(&policy("finish"));
    rig.close_gate().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        for org in ["A", "B", "C", "D", "E", "F"] {
            ids.push(rig.accept(org, "file", &good(number..number + 1)).await);
        }
    }
    let (clock, store, mut begun) = (rig.clock.clone(), rig.store.clone(), HashSet::new());
    let closed_after = Arc::new(AtomicUsize::new(0));
    let closed = Arc::clone(&closed_after);
    let probe = Probe::scripted(move |key| {
        begun.insert(key.job);
        let processing = Filter { states: vec![JobState::Processing], limit: 120, ..Filter::default() };
        let is_ahead = |job: &Job| !begun.contains(&job.id);
        if closed.load(Ordering::Relaxed) == 0 && store.list(&processing).unwrap().iter().any(is_ahead) {
            closed.store(begun.len(), Ordering::Relaxed);
            clock.set(instant("2024-03-09T01:00:00Z"));
        }
        Ok(())
    });
    let running = rig.work(probe.clone());
    rig.open_gate().await;
    rig.until("nothing is in hand", || {
        closed_after.load(Ordering::Relaxed) > 0
            && ids.iter().all(|id| rig.state(*id) != JobState::Processing)
    })
    .await;
    assert_eq!(probe.keys().len(), closed_after.load(Ordering::Relaxed));
    let yielded = ids.iter().filter(|id| rig.history(**id).contains(&"yielded")).count();
    assert!(yielded > 0, "some were claimed ahead");
    rig.clock.set(instant("2024-03-09T06:00:00Z"));
    for id in ids {
        rig.reaches(id, JobState::Complete).await;
    }
    assert_eq!(probe.keys().len(), 120, "each delivered once");
    running.stopped().await.unwrap();
}
