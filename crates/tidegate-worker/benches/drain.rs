//! How fast a backlog drains once the gate opens, beside what the disk allows, measured in the same
//! run.
//!
//! `cargo bench -p tidegate-worker --bench drain [-- DIRECTORY]`; the directory (default: the system's
//! for temporary files) must be on the disk to be measured. Compare the ratio, not the rate. The
//! memory is the whole process's: store, worker and this program.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark may stop at the first surprise"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tidegate_domain::job::{JobState, Protocol};
use tidegate_domain::maintenance::{Calendar, Hold, HoldLength};
use tidegate_domain::{DeliveryConfig, OrgCode, Organization, Organizations, SystemClock, UploadName};
use tidegate_hl7::sample;
use tidegate_store::{Options, Sender, Store};
use tidegate_worker::config::WorkerConfig;
use tidegate_worker::{Targets, Worker};
use tokio::sync::watch;

const FILES: u64 = 10_000;
const ORGS: u64 = 50;
const SENDERS: u64 = 64;

fn main() {
    let base = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(&base).unwrap();
    let raw = raw_limit(&dir.path().join("raw"));
    println!("{FILES} files of {} bytes from {ORGS} organizations, in {}", file(0).len(), base.display());
    println!("create, fsync and rename by 2 threads: {raw:>7.0} files/s");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let drained = runtime.block_on(drain(&dir.path().join("data")));
    println!("drained, delivered and answered:       {drained:>7.0} files/s, {:.2} of that", drained / raw);
    println!("peak memory: {} MiB", peak_memory_kib() / 1024);
}

/// About 4 KiB: three messages in a batch.
fn file(number: u64) -> Vec<u8> {
    let messages: Vec<_> = (0..3).map(|message| sample::message(number * 3 + message)).collect();
    sample::file("F", &messages)
}

async fn drain(data_dir: &Path) -> f64 {
    fs::create_dir(data_dir).unwrap();
    let (store, _) = Store::open(data_dir, Options::default(), Arc::new(SystemClock)).unwrap();
    store.set_calendar(Calendar { resume_ramp: Duration::ZERO, ..Calendar::default() });
    let hold = Hold::new("stop", None, "measuring", "bench", Utc::now(), HoldLength::UntilReleased).unwrap();
    store.place_hold(hold).await.unwrap();
    let (_keep, organizations) = watch::channel(Arc::new(organizations()));
    let targets = Targets::open(&DeliveryConfig::default(), data_dir).unwrap();
    let clock = Arc::new(SystemClock);
    let worker = Worker::new(store.clone(), organizations, targets, WorkerConfig::default(), clock);
    let (stop, mut stopped) = watch::channel(false);
    let working = tokio::spawn(worker.run(async move { drop(stopped.wait_for(|stop| *stop).await) }));
    accept_all(&store).await;
    println!("peak memory before the gate opens: {} MiB", peak_memory_kib() / 1024);

    let begun = Instant::now();
    store.release_holds(None, "bench", "measuring").await.unwrap();
    while count(&store, JobState::Complete) < FILES {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    stop.send_replace(true);
    working.await.unwrap().unwrap();
    store.close().await;
    FILES as f64 / seconds
}

async fn accept_all(store: &Store) {
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in (sender..FILES).step_by(usize::try_from(SENDERS).unwrap()) {
                    let mut upload = store.upload().unwrap();
                    upload.write(&file(number)).await.unwrap();
                    let sender = Sender { account: "bench".to_owned(), protocol: Protocol::Ftp };
                    let name = UploadName::new(format!("{number}.hl7")).unwrap();
                    upload.accept(&org(number % ORGS), sender, name).await.unwrap();
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    assert_eq!(count(store, JobState::Queued), FILES);
}

fn count(store: &Store, state: JobState) -> u64 {
    store.stats().unwrap().by_state.get(&state).copied().unwrap_or_default()
}

fn org(number: u64) -> OrgCode {
    OrgCode::new(&format!("ORG{number:03}")).unwrap()
}

fn organizations() -> Organizations {
    let one = |number| Organization::new(org(number));
    Organizations::new((0..ORGS).map(one)).unwrap()
}

/// What two threads can make durable one by one: as many files as there are uploads.
fn raw_limit(dir: &Path) -> f64 {
    fs::create_dir(dir).unwrap();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..2 {
            scope.spawn(move || {
                for number in (thread..FILES).step_by(2) {
                    let (hidden, target) = (dir.join(format!(".{number}")), dir.join(number.to_string()));
                    let mut made = File::create(&hidden).unwrap();
                    made.write_all(&file(number)).unwrap();
                    made.sync_all().unwrap();
                    fs::rename(hidden, target).unwrap();
                }
            });
        }
    });
    FILES as f64 / begun.elapsed().as_secs_f64()
}

fn peak_memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
