//! What one process measures that opens the store.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tidegate_domain::job::{Counts, JobEvent, JobState, Outcome};
use tidegate_store::{Filter, Store};

use crate::{ORGS, open, org, runtime};

const CLAIMS: usize = 1_000;
const TIMES: usize = 11;

/// Opens the store and leaves it as a kill would, closes it, or asks it first.
pub(crate) fn run(what: &str, data_dir: &Path) {
    let begun = Instant::now();
    let (store, recovery) = open(data_dir);
    println!("  ready after {:.2} s, {:.2} s of CPU; {recovery:?}", begun.elapsed().as_secs_f64(), cpu_s());
    let runtime = runtime();
    if what == "ask" {
        runtime.block_on(ask(&store));
    }
    println!("  peak memory {} MiB", peak_memory_mib());
    if what == "leave" {
        std::process::exit(0);
    }
    runtime.block_on(store.close());
}

async fn ask(store: &Store) {
    tell("status", || {
        let stats = store.stats().unwrap();
        assert!(stats.oldest_waiting_at.is_some());
        drop(store.gate(None));
        for number in 0..ORGS {
            drop(store.gate(Some(&org(number))));
        }
    });
    tell("the newest 100", || drop(store.list(&filter(None, None)).unwrap()));
    tell("100 of one organization", || drop(store.list(&filter(Some(7), None)).unwrap()));
    tell("100 of an organization that has none", || drop(store.list(&filter(Some(ORGS), None)).unwrap()));
    tell("complete ones, of which there are none", || {
        drop(store.list(&filter(None, Some(JobState::Complete))).unwrap());
    });
    tell("when is something due", || _ = store.next_due());
    let begun = Instant::now();
    for _ in 0..TIMES {
        assert!(store.claim(8).await.unwrap().is_empty());
    }
    println!("  a claim while the gate is closed: {:?}", begun.elapsed() / TIMES as u32);
    park_the_first_lane(store).await;
    store.release_holds(None, "bench", "measuring").await.unwrap();
    work(store).await;
}

fn filter(number: Option<u64>, state: Option<JobState>) -> Filter {
    Filter { org: number.map(org), states: state.into_iter().collect(), limit: 100, ..Filter::default() }
}

/// The median of some times, and the first: the one that finds nothing in memory.
fn tell(what: &str, mut question: impl FnMut()) {
    let mut times: Vec<Duration> = (0..TIMES)
        .map(|_| {
            let begun = Instant::now();
            question();
            begun.elapsed()
        })
        .collect();
    let first = times[0];
    times.sort();
    println!("  {what}: {:?}, the first time {first:?}", times[TIMES / 2]);
}

/// Staff hold the older half of one organization's jobs.
async fn park_the_first_lane(store: &Store) {
    let all =
        Filter { org: Some(org(0)), states: vec![JobState::Queued], limit: usize::MAX, ..Filter::default() };
    let jobs = store.list(&all).unwrap();
    let begun = Instant::now();
    let parked = &jobs[jobs.len() / 2..];
    for batch in parked.chunks(256) {
        let acts = batch.iter().map(|job| {
            let (store, id) = (store.clone(), job.id);
            tokio::spawn(async move {
                store.act(id, JobEvent::Held { reason: "measuring".to_owned() }, "bench").await.unwrap();
            })
        });
        for act in acts.collect::<Vec<_>>() {
            act.await.unwrap();
        }
    }
    println!("  {} jobs of one organization held in {:?}", parked.len(), begun.elapsed());
}

/// Claims and completes jobs one after another, as one worker would.
async fn work(store: &Store) {
    let (mut claiming, mut slowest, mut finishing) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let mut done = 0;
    while done < CLAIMS {
        let begun = Instant::now();
        let claims = store.claim(1).await.unwrap();
        claiming += begun.elapsed();
        slowest = slowest.max(begun.elapsed());
        for claim in claims {
            fs::write(store.response_path(&claim.job), "response").unwrap();
            fs::write(store.report_path(&claim.job), "report").unwrap();
            let begun = Instant::now();
            let end = JobEvent::Completed { outcome: Outcome::Accepted, counts: Counts::default() };
            store.finish(&claim, end).await.unwrap();
            finishing += begun.elapsed();
            done += 1;
        }
    }
    println!(
        "  claim {:?}, finish {:?}, one after another",
        claiming / CLAIMS as u32,
        finishing / CLAIMS as u32
    );
}

/// CPU time of the process so far, by the system's ticks of 10 ms.
fn cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

fn peak_memory_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    peak.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}
