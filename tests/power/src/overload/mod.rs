//! Disks that fail, are slow or fill up, and a queue that grows long.
//!
//! Each scenario runs the real server under real sessions, prints what it measured, and says what is not
//! as it was promised.

mod backlog;
mod crew;
mod failing_sync;
mod full_disk;
mod slow_disk;
mod staff;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::arguments::{Arguments, Scenario};
use crate::bench::Bench;
use crate::check::Problems;
use crate::run::Tally;

/// What is waited for takes longer than this only if it never comes.
const PATIENCE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(20);

type Try = fn(&Bench, &Arguments, &mut Problems) -> Result<()>;

const SCENARIOS: [(Scenario, &str, Try); 4] = [
    (Scenario::FailingSync, "failing sync", failing_sync::run),
    (Scenario::SlowDisk, "slow disk", slow_disk::run),
    (Scenario::FullDisk, "full disk", full_disk::run),
    (Scenario::Backlog, "backlog", backlog::run),
];

/// Runs one scenario or all of them.
pub(crate) fn run(bench: &Bench, arguments: &Arguments) -> Tally {
    let mut tally = Tally::default();
    for (scenario, name, attempt) in SCENARIOS {
        if [scenario, Scenario::Overload].contains(&arguments.scenario) {
            let (started, mut problems) = (Instant::now(), Problems::default());
            if let Err(error) = attempt(bench, arguments, &mut problems) {
                problems.0.push(format!("{error:#}"));
            }
            tell(name, started.elapsed(), &problems);
            tally.note(problems.0.is_empty());
        }
    }
    tally
}

fn tell(name: &str, took: Duration, problems: &Problems) {
    let result = if problems.0.is_empty() { "ok" } else { "FAILED" };
    println!("{name}: {result}, {} s", took.as_secs());
    for problem in &problems.0 {
        println!("    {problem}");
    }
}

/// Waits until something is so.
fn wait_until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so()? {
        ensure!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(POLL);
    }
    Ok(())
}
