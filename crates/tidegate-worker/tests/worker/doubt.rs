//! A whole file before a registry that does everything wrong, once each.

use std::collections::HashMap;
use std::time::Duration;

use tidegate_domain::job::JobState;
use tidegate_domain::units::HumanDuration;
use tidegate_domain::{Clock, DeliveryConfig};
use tidegate_worker::open;

use crate::files::good;
use crate::mllp::config;
use crate::registry::{AA, Reaction, Registry};
use crate::rig::{Rig, instant};

const MESSAGES: u64 = 14;

/// It closes after reading, breaks off its answer, answers too late, twice, for another message, nonsense: the file goes
/// on with the message in doubt, and the ledger has each message once and once more for each time that it was in doubt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_registry_does_only_the_message_in_doubt_is_sent_again() {
    let mut once = HashMap::from([
        ("M000001", Reaction::Close),
        ("M000003", Reaction::Late),
        ("M000005", Reaction::Twice),
        ("M000006", Reaction::AnswerAndClose),
        ("M000008", Reaction::Bytes(b"\x0bMSH|^~\\&|\rMSA|AA|M000007\r\x1c\r".to_vec())),
        ("M000009", Reaction::Answer("AE", "|no such provider")),
        ("M000011", Reaction::Bytes(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())),
        ("M000013", Reaction::BreakOff(b"\x0bMSH|^~\\&|\rMSA|A".to_vec())),
    ]);
    let registry = Registry::start(move |id| once.remove(id).unwrap_or(AA));
    let impatient =
        DeliveryConfig { answer_time_max: HumanDuration(Duration::from_secs(2)), ..config(registry.address) };
    let rig = Rig::new();
    let running = rig.work(open(&impatient, rig.path()).unwrap());
    let id = rig.accept("A", "file", &good(0..MESSAGES)).await;
    let is_over = || rig.state(id) == JobState::Complete;
    while !is_over() {
        rig.until("it ends or waits for its next attempt", || {
            is_over() || rig.job(id).not_before.is_some_and(|time| time > rig.clock.now())
        })
        .await;
        if let Some(time) = rig.job(id).not_before {
            rig.clock.set(time);
        }
    }
    let job = rig.reaches(id, JobState::Complete).await;
    assert_eq!((job.counts.accepted, job.counts.errored), (MESSAGES - 1, 1));
    let mut ledger = registry.ledger();
    // A connection that is closed after an answer may just have been idle: there the message is sent anew at once.
    assert!(job.failures >= 4, "{} attempts failed", job.failures);
    assert!(ledger.len() as u64 <= MESSAGES + u64::from(job.failures) + 1, "{ledger:?}");
    for doubtful in ["M000001", "M000003", "M000008", "M000011", "M000013"] {
        assert!(ledger.iter().filter(|id| *id == doubtful).count() >= 2, "{ledger:?}");
    }
    ledger.dedup();
    assert_eq!(ledger, (0..MESSAGES).map(|number| format!("M{number:06}")).collect::<Vec<_>>());
    assert_eq!(rig.masked_response(id).matches("MSA|AA").count() as u64, MESSAGES - 1);
    running.stopped().await.unwrap();
}

/// Staff deleted the response so far: the file is answered from its beginning, and the registry is not asked again for
/// what it took.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_response_sends_nothing_to_a_registry_twice() {
    let rig = Rig::new();
    rig.maintenance(
        "timezone = 'UTC'\nin_flight = 'yield'\n\
         [[window]]\nname = 'w'\nfrom = '2024-03-08T19:00'\nto = '2024-03-08T20:00'\n",
    );
    let clock = rig.clock.clone();
    let registry = Registry::start(move |id| {
        if id == "M000004" {
            clock.set(instant("2024-03-08T19:00:00Z"));
        }
        AA
    });
    let running = rig.work(open(&config(registry.address), rig.path()).unwrap());
    let id = rig.accept("A", "file", &good(0..10)).await;
    rig.until("it yields", || rig.history(id).contains(&"yielded")).await;
    std::fs::remove_file(rig.store.response_path(&rig.job(id))).unwrap();
    rig.clock.set(instant("2024-03-08T20:00:00Z"));
    rig.reaches(id, JobState::Complete).await;
    assert_eq!(registry.ledger(), (0..10).map(|number| format!("M{number:06}")).collect::<Vec<_>>());
    assert_eq!(rig.masked_response(id).matches("MSA|AA").count(), 10);
    running.stopped().await.unwrap();
}
