//! A process that dies in the midst of a file, and what the next one makes of it.

use std::sync::{Arc, Mutex};

use tidegate_domain::job::{JobEvent, JobState};
use tidegate_store::{Options, Store};
use tidegate_worker::DirectoryTarget;

use crate::files::{batch, good, message, nameless};
use crate::probe::Probe;
use crate::rig::{Rig, files_in, instant};

/// Three checkpoints' worth of messages, of which the last thousand is cut short by the crash.
const MESSAGES: u64 = 2_600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_each_message_is_delivered_once_and_the_response_is_whole() {
    let rig = Rig::new();
    let messages: Vec<String> = (0..MESSAGES)
        .map(|number| if number % 100 == 50 { nameless(number) } else { message(number) })
        .collect();
    let image = Arc::new(Mutex::new(None));
    let (taken, path) = (Arc::clone(&image), rig.path().to_owned());
    let directory = DirectoryTarget::open(&rig.path().join("delivered"), rig.path()).unwrap();
    let probe = Probe::before(directory, move |key| {
        if key.ordinal == 2_500 {
            *taken.lock().unwrap() = Some(Rig::crash_image(&path));
        }
        Ok(())
    });
    let running = rig.work(probe);
    let id = rig.accept("A", "file", &batch(&messages)).await;
    let whole = rig.reaches(id, JobState::Complete).await;
    running.stopped().await.unwrap();

    let image = image.lock().unwrap().take().unwrap();
    let next = Rig::open(image, Options::default());
    assert_eq!(next.state(id), JobState::Queued);
    let directory = DirectoryTarget::open(&next.path().join("delivered"), next.path()).unwrap();
    let probe = Probe::before(directory, |_| Ok(()));
    let running = next.work(probe.clone());
    let again = next.reaches(id, JobState::Complete).await;
    running.stopped().await.unwrap();

    assert!(probe.ordinals().first() > Some(&1), "it went on at a checkpoint, not at the start");
    assert!(probe.ordinals().is_sorted());
    assert_eq!(again.counts, whole.counts);
    assert_eq!(next.files("delivered/A"), rig.files("delivered/A"));
    assert_eq!(next.files("delivered/A").len(), 2_574);
    for name in next.files("delivered/A") {
        let read = |rig: &Rig| std::fs::read(rig.path().join("delivered/A").join(&name)).unwrap();
        assert_eq!(read(&next), read(&rig), "{name}");
    }
    assert_eq!(next.masked_response(id), rig.masked_response(id));
    assert_eq!(next.report(id), rig.report(id));
}

/// The response so far is gone (staff tidied up): the file is begun anew, and the target knows what it
/// has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_response_costs_no_message() {
    let rig = Rig::new();
    rig.maintenance("timezone = 'UTC'\nin_flight = 'yield'\n[[window]]\nname = 'w'\nfrom = '2024-03-08T19:00'\nto = '2024-03-08T20:00'\n");
    let clock = rig.clock.clone();
    let directory = DirectoryTarget::open(&rig.path().join("delivered"), rig.path()).unwrap();
    let probe = Probe::before(directory, move |key| {
        if key.ordinal == 5 {
            clock.set(instant("2024-03-08T19:00:00Z"));
        }
        Ok(())
    });
    let running = rig.work(probe.clone());
    let id = rig.accept("A", "file", &good(0..10)).await;
    rig.until("it yields", || rig.history(id).contains(&"yielded")).await;
    std::fs::remove_file(rig.store.response_path(&rig.job(id))).unwrap();
    rig.clock.set(instant("2024-03-08T20:00:00Z"));
    // The script closes the gate again at the fifth message.
    rig.until("it yields again", || rig.history(id).iter().filter(|name| **name == "yielded").count() == 2)
        .await;
    rig.maintenance("");
    rig.reaches(id, JobState::Complete).await;
    assert_eq!(probe.ordinals(), [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(rig.files("delivered/A").len(), 10);
    assert_eq!(rig.masked_response(id).matches("MSA|AA").count(), 10);
    running.stopped().await.unwrap();
}

/// A worker whose process was killed leaves the job to the next claim; its own claim is worth nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_of_before_the_restart_changes_nothing() {
    let rig = Rig::new();
    let id = rig.accept("A", "file", &good(0..1)).await;
    let claim = rig.store.claim(1).await.unwrap().remove(0);
    let image = Rig::crash_image(rig.path());
    let (store, _) = Store::open(image.path(), Options::default(), Arc::new(rig.clock.clone())).unwrap();
    assert!(store.finish(&claim, JobEvent::Yielded).await.is_err());
    assert_eq!(store.get(id).unwrap().unwrap().state, JobState::Queued);
    assert_eq!(files_in(&image.path().join("orgs/A/outbox")), [""; 0]);
}
