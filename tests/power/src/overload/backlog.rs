//! Many files that wait for a hold to end: staff are answered as ever, memory stays bounded, and when the
//! files are processed at last, the organization that has most of them does not keep the others waiting.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::crew::{Crew, Reply, Until};
use super::staff::{HOLD, RELEASE, Staff};
use super::wait_until;
use crate::arguments::Arguments;
use crate::bench::Bench;
use crate::check::Problems;
use crate::ledger::Shared;
use crate::server::Server;
use crate::site::{Settings, Site};
use crate::upload::Upload;

/// The organization that has most files, by so many sessions.
const LARGE: &str = "A";
const LARGE_SESSIONS: u64 = 8;
/// The others have one file in so many.
const SMALL: [&str; 3] = ["B", "C", "D"];
const SMALL_SHARE: u64 = 500;
/// Fewer than there are organizations, so that it matters whose turn it is.
const SLOTS: usize = 2;
/// 100,000 files took 307 to 317 MiB, 80 of them for checking passwords.
const MEMORY_MAX_MIB: u64 = 400;
/// A start after a kill, which adds the whole index up.
const START_MAX: Duration = Duration::from_secs(10);
/// The large organization has as many turns as each of the others. Some more of its files may be in hand,
/// or end sooner than those that began before them.
const AHEAD_MAX: usize = 16;

pub(super) fn run(bench: &Bench, arguments: &Arguments, problems: &mut Problems) -> Result<()> {
    let settings = Settings { jobs_concurrent_max: SLOTS, ..Settings::default() };
    let site = bench.site_in_memory()?.with(settings)?;
    let mut server = Server::start(&site)?;
    site.run(HOLD)?;
    let of_each = arguments.files.div_ceil(SMALL_SHARE);
    fill(&server, arguments.files, of_each, problems);
    let filled = server.memory_peak_mib()?;
    server.kill();

    let begun = Instant::now();
    let server = Server::start(&site)?;
    let took = begun.elapsed();
    println!("  start after a kill: {} ms", took.as_millis());
    problems.expect(took <= START_MAX, || format!("the start took {} ms", took.as_millis()));
    let waiting = site.status("/jobs/queued")?;
    problems.expect(waiting == arguments.files, || format!("{waiting} files wait"));

    let mut staff = Staff::default();
    staff.look(&site)?;
    staff.ask(&site, RELEASE);
    drain_the_others(&site, &mut staff)?;
    staff.ask(&site, HOLD);
    staff.tell("with a long queue", problems);
    is_fair(&site, of_each, problems)?;
    let started = server.memory_peak_mib()?;
    println!("  memory: {filled} MiB at most while it filled, {started} MiB after the start");
    problems
        .expect(filled.max(started) <= MEMORY_MAX_MIB, || format!("{filled} and {started} MiB of memory"));
    Ok(())
}

/// All organizations upload; the large one has all files but the others' share.
fn fill(server: &Server, files: u64, of_each: u64, problems: &mut Problems) {
    let (begun, mut crew) = (Instant::now(), Crew::new(server.ftp, &Shared::default()));
    let small = SMALL.len() as u64 * of_each;
    for (org, number) in SMALL.into_iter().zip(0..) {
        crew.send(org, Until::Told, short(number * of_each..(number + 1) * of_each));
    }
    for session in 0..LARGE_SESSIONS {
        let numbers = (small + session..files).step_by(8);
        crew.send(LARGE, Until::Told, short(numbers));
    }
    let outcomes = crew.join();
    let refused = outcomes.iter().filter(|it| it.reply != Reply::Accepted).count();
    println!("  {} uploads in {} ms", outcomes.len(), begun.elapsed().as_millis());
    problems.expect(refused == 0, || format!("{refused} uploads were not accepted"));
}

/// Files that are not long.
fn short(
    numbers: impl Iterator<Item = u64> + Send + 'static,
) -> impl Iterator<Item = Upload> + Send + 'static {
    numbers.map(Upload::short)
}

/// Waits until only the large organization has files that wait; staff look at the queue meanwhile.
fn drain_the_others(site: &Site, staff: &mut Staff) -> Result<()> {
    wait_until("the others' files", || {
        staff.look(site)?;
        let waits = |org: &&str| -> Result<bool> {
            let listed =
                site.json(&["queue", "list", "--org", org, "--state", "queued", "--limit", "1", "--json"])?;
            Ok(listed.as_array().is_some_and(|jobs| !jobs.is_empty()))
        };
        Ok(!SMALL.iter().map(waits).collect::<Result<Vec<_>>>()?.contains(&true))
    })
}

/// When the others' last file was done, the large organization had had its turns and no more.
fn is_fair(site: &Site, of_each: u64, problems: &mut Problems) -> Result<()> {
    let mut last = String::new();
    for org in SMALL {
        let ends = ends(site, org)?;
        problems.expect(ends.len() as u64 == of_each, || format!("{org}: {} files are done", ends.len()));
        last = ends.into_iter().chain([last]).max().unwrap_or_default();
    }
    let before = ends(site, LARGE)?.iter().filter(|end| **end <= last).count();
    println!("  {before} files of {LARGE} were done with the last of {of_each} each of {SMALL:?}");
    let fair = before as u64 <= of_each + AHEAD_MAX as u64;
    problems.expect(fair, || format!("{before} files of {LARGE} came before the others' {of_each}"));
    Ok(())
}

/// When the files of an organization were done; times of one zone, which can be compared as text.
fn ends(site: &Site, org: &str) -> Result<Vec<String>> {
    let listed =
        site.json(&["queue", "list", "--org", org, "--state", "complete", "--limit", "100000", "--json"])?;
    let end = |job: &Value| job["finished_at"].as_str().map(str::to_owned).context("a job without an end");
    listed.as_array().context("no list of jobs")?.iter().map(end).collect()
}
