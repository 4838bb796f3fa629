//! A disk whose every flush takes 50 ms: everything goes on, slower, and staff notice little.

use std::time::Duration;

use anyhow::Result;

use super::crew::{Crew, Outcome, Reply, Until};
use super::staff::{HOLD, RELEASE, Staff, VERIFY};
use crate::arguments::Arguments;
use crate::bench::Bench;
use crate::check::{self, Problems};
use crate::ledger::Shared;
use crate::opening::wait_until_drained;
use crate::server::Server;
use crate::site::ORGS;
use crate::upload::Upload;

const FLUSH: Duration = Duration::from_millis(50);
/// Three sessions for each organization, and files of each.
const SESSIONS: u64 = 12;
const FILES: usize = 12;
const MEMORY_MAX_MIB: u64 = 300;

pub(super) fn run(bench: &Bench, _: &Arguments, problems: &mut Problems) -> Result<()> {
    let (machine, site) = bench.boot(bench.empty.clone())?;
    let server = Server::start(&site)?;
    machine.disk.flushes_take(FLUSH);
    let ledger = Shared::default();
    let mut crew = Crew::new(server.ftp, &ledger);
    for (org, number) in ORGS.into_iter().cycle().zip(1..=SESSIONS) {
        crew.send(org, Until::Told, (number..).step_by(12).map(Upload).take(FILES));
    }
    super::wait_until("the first upload", || Ok(ledger.lock().acknowledged() > 0))?;
    let mut staff = Staff::default();
    while !crew.is_done() {
        staff.look(&site)?;
        for command in [HOLD, RELEASE, VERIFY] {
            staff.ask(&site, command);
        }
    }
    let outcomes = crew.join();
    tell(&outcomes);
    staff.tell("under load", problems);
    let all = outcomes.iter().all(|it| it.reply == Reply::Accepted)
        && outcomes.len() as u64 == SESSIONS * FILES as u64;
    problems.expect(all, || format!("not every upload was accepted: {outcomes:?}"));
    // Otherwise nothing was slow.
    let waited = outcomes.iter().all(|it| it.took >= FLUSH);
    problems.expect(waited, || "an upload was acknowledged sooner than the disk can flush".to_owned());

    machine.disk.flushes_take(Duration::ZERO);
    wait_until_drained(&site)?;
    let ledger = ledger.lock().clone();
    check::all(&site, &server, &ledger, problems)?;
    let memory = server.memory_peak_mib()?;
    println!("  memory: {memory} MiB at most");
    problems.expect(memory <= MEMORY_MAX_MIB, || format!("{memory} MiB of memory"));
    Ok(())
}

fn tell(outcomes: &[Outcome]) {
    let mut times: Vec<u128> = outcomes.iter().map(|it| it.took.as_millis()).collect();
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    println!(
        "  {} uploads, ms each: median {}, 95 % {}, longest {}",
        times.len(),
        at(50),
        at(95),
        times.last().copied().unwrap_or_default()
    );
}
