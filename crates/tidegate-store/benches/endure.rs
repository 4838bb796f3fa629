//! Files accepted, claimed, answered, finished and purged for a long time: what stays small, and what
//! does not.
//!
//! `cargo bench -p tidegate-store --bench endure [-- CYCLES [DIRECTORY]]` (default: 300,000 in /dev/shm).
//! A job's term is over as soon as it has ended; retention and compaction go on beside the work. Senders
//! wait while 1,000 files of each organization are not yet finished, so that no backlog grows.
//! "anew" counts the indexes that took the place of another, "longest ms" is the longest accept since the line before.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark may stop at the first surprise"
)]

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use tidegate_domain::job::{Counts, JobEvent, Outcome, Protocol};
use tidegate_domain::{OrgCode, SystemClock, Terms, UploadName};
use tidegate_store::{Claim, Options, Sender, Store};

const CYCLES: u64 = 300_000;
const ORGS: u64 = 8;
const LINES: u64 = 20;
const FILE_BYTES: usize = 512;
const TERMS: Terms = Terms { complete: Duration::ZERO, error: Duration::ZERO };
/// Files of an organization that may wait.
const WAITING_MAX: u64 = 1_000;
/// What `queue/` and `queue.next/` may take together, whatever the number of files.
const QUEUE_BYTES_MAX: u64 = 200_000_000;
/// Between two passes of retention.
const REST: Duration = Duration::from_secs(2);

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let cycles = arguments.next().map_or(CYCLES, |count| count.replace('_', "").parse().unwrap());
    let base = arguments.next().map_or_else(|| PathBuf::from("/dev/shm"), PathBuf::from);
    let dir = tempfile::tempdir_in(base).unwrap();
    println!(
        "{cycles} files of {FILE_BYTES} bytes, accepted, answered and purged, in {}",
        dir.path().display()
    );
    println!(
        "{:>10} {:>8} {:>9} {:>9} {:>6} {:>11} {:>9} {:>10} {:>8} {:>10}",
        "cycles",
        "rate/s",
        "queue MB",
        "peak MB",
        "anew",
        "journal MB",
        "all MB",
        "VmHWM MB",
        "jobs",
        "longest ms"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(endure(dir.path(), cycles));
    reopen(dir.path());
}

async fn endure(dir: &Path, cycles: u64) {
    let (store, _) = Store::open(dir, Options::default(), Arc::new(SystemClock)).unwrap();
    let (done, over, longest) =
        (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let tidy = tokio::spawn(tidy(store.clone(), Arc::clone(&over)));
    let work: Vec<_> = (0..ORGS)
        .map(|org| {
            tokio::spawn(send(store.clone(), Arc::clone(&done), Arc::clone(&longest), org, cycles / ORGS))
        })
        .chain((0..ORGS).map(|_| tokio::spawn(work(store.clone(), Arc::clone(&done), cycles / ORGS * ORGS))))
        .collect();
    let (mut queue, started) = (Queue::look(dir), Instant::now());
    for line in 1..=LINES {
        while done.load(Ordering::Relaxed) < cycles / ORGS * ORGS * line / LINES {
            tokio::time::sleep(Duration::from_millis(100)).await;
            queue.look_again(dir);
        }
        let count = done.load(Ordering::Relaxed);
        let longest = longest.swap(0, Ordering::Relaxed);
        tell(dir, &store, count, count as f64 / started.elapsed().as_secs_f64(), &queue, longest);
    }
    for part in work {
        part.await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    tidy.await.unwrap();
    println!("after the last pass:");
    tell(dir, &store, done.load(Ordering::Relaxed), 0.0, &queue, longest.load(Ordering::Relaxed));
    store.close().await;
    assert!(queue.peak <= QUEUE_BYTES_MAX, "queue/ became larger than it may");
}

fn reopen(dir: &Path) {
    let started = Instant::now();
    let (_store, recovery) = Store::open(dir, Options::default(), Arc::new(SystemClock)).unwrap();
    let queue = queue_bytes(dir) as f64 / 1e6;
    println!("opened again in {:.2} s: queue {queue:.1} MB, {recovery:?}", started.elapsed().as_secs_f64());
}

async fn send(store: Store, done: Arc<AtomicU64>, longest: Arc<AtomicU64>, org: u64, files: u64) {
    let code = OrgCode::new(&format!("ORG{org}")).unwrap();
    for number in 0..files {
        while number > done.load(Ordering::Relaxed) / ORGS + WAITING_MAX {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut bytes = vec![b'x'; FILE_BYTES];
        bytes[..8].copy_from_slice(&(org * 1_000_000_000 + number).to_le_bytes());
        let mut upload = store.upload().unwrap();
        upload.write(&bytes).await.unwrap();
        let sender = Sender { account: "bench".to_owned(), protocol: Protocol::Ftp };
        let asked = Instant::now();
        upload.accept(&code, sender, UploadName::new(format!("{number}.hl7")).unwrap()).await.unwrap();
        longest.fetch_max(u64::try_from(asked.elapsed().as_micros()).unwrap(), Ordering::Relaxed);
    }
}

async fn work(store: Store, done: Arc<AtomicU64>, all: u64) {
    while done.load(Ordering::Relaxed) < all {
        let claims = store.claim(1).await.unwrap();
        if claims.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for claim in claims {
            finish(&store, &claim).await;
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn finish(store: &Store, claim: &Claim) {
    fs::write(store.response_path(&claim.job), "MSH|response\rMSA|AA|1\r").unwrap();
    fs::write(store.report_path(&claim.job), "All is well.\n").unwrap();
    let counts = Counts { total: 1, accepted: 1, ..Counts::default() };
    store.finish(claim, JobEvent::Completed { outcome: Outcome::Accepted, counts }).await.unwrap();
}

async fn tidy(store: Store, over: Arc<AtomicBool>) {
    loop {
        let is_last = over.load(Ordering::Relaxed);
        store.retain(TERMS, Utc::now()).await.unwrap();
        store.compact().await.unwrap();
        if is_last {
            return;
        }
        tokio::time::sleep(REST).await;
    }
}

fn tell(dir: &Path, store: &Store, count: u64, rate: f64, queue: &Queue, longest_us: u64) {
    let jobs: u64 = store.stats().unwrap().by_state.values().sum();
    let (bytes, anew) = (queue_bytes(dir), queue.anew);
    let [bytes, peak, journal, all, memory] =
        [bytes, queue.peak.max(bytes), length(&dir.join("journal")), length(dir), memory_peak()]
            .map(|bytes| bytes as f64 / 1e6);
    println!(
        "{count:>10} {rate:>8.0} {bytes:>9.1} {peak:>9.1} {anew:>6} {journal:>11.1} {all:>9.1} {memory:>10.1} {jobs:>8} {:>10.1}",
        longest_us as f64 / 1e3
    );
}

/// What was seen of the index.
struct Queue {
    peak: u64,
    /// What its directory is known by, whatever its name.
    place: u64,
    /// How often another took its place.
    anew: u64,
}

impl Queue {
    fn look(dir: &Path) -> Self {
        Self { peak: queue_bytes(dir), place: fs::metadata(dir.join("queue")).unwrap().ino(), anew: 0 }
    }

    fn look_again(&mut self, dir: &Path) {
        let now = Self::look(dir);
        self.anew += u64::from(now.place != self.place);
        (self.peak, self.place) = (self.peak.max(now.peak), now.place);
    }
}

/// Bytes of the index, and of the next one while it is made.
fn queue_bytes(dir: &Path) -> u64 {
    length(&dir.join("queue")) + length(&dir.join("queue.next"))
}

/// Bytes that a directory takes on disk, in whole blocks as the file system gives them.
fn length(path: &Path) -> u64 {
    let Ok(found) = fs::symlink_metadata(path) else { return 0 };
    if !found.is_dir() {
        return found.blocks() * 512;
    }
    fs::read_dir(path).into_iter().flatten().map(|entry| entry.map_or(0, |entry| length(&entry.path()))).sum()
}

fn memory_peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) * 1024
}
