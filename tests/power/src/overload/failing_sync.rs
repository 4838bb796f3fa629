//! A disk that fails: the server says no, ends by itself with an error, and its next start is sound.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::crew::{Crew, Outcome, Reply, Until};
use super::staff::HOLD;
use super::wait_until;
use crate::arguments::Arguments;
use crate::bench::Bench;
use crate::check::Problems;
use crate::cut::Cut;
use crate::disk::Fault;
use crate::ledger::Shared;
use crate::random::Random;
use crate::run::open_images;
use crate::server::{Server, log_in};
use crate::site::{ORGS, Site};
use crate::upload::Upload;

/// Two sessions for each organization.
const SESSIONS: u64 = 8;
/// The disk fails after so many acknowledged uploads.
const ACKNOWLEDGED: std::ops::Range<u64> = 20..120;
/// How long the server may go on.
const END_MAX: Duration = Duration::from_secs(10);
/// What `tidegate serve` ends with.
const EXIT_CODE: i32 = 1;
/// Images of the disk that are opened afterwards: flushed, some of the rest, received.
const IMAGES: u64 = 3;

pub(super) fn run(bench: &Bench, arguments: &Arguments, problems: &mut Problems) -> Result<()> {
    for (fault, number) in [Fault::Flushes, Fault::WritesAndFlushes].into_iter().zip(1..) {
        let seed = Random::new(arguments.seed, number).next();
        let mut of_fault = Problems::default();
        fail(bench, fault, seed, &mut of_fault).with_context(|| format!("{fault:?} fail"))?;
        problems.0.extend(of_fault.0.into_iter().map(|problem| format!("{fault:?} fail: {problem}")));
    }
    Ok(())
}

fn fail(bench: &Bench, fault: Fault, seed: u64, problems: &mut Problems) -> Result<()> {
    let (machine, site) = bench.boot(bench.empty.clone())?;
    machine.disk.be_slow(seed);
    let mut server = Server::start(&site)?;
    let ledger = Shared::default();
    if fault == Fault::Flushes {
        // A worker with nothing to do does not notice that the store has failed.
        site.run(HOLD)?;
        ledger.lock().held = Some(true);
    }
    let mut crew = Crew::new(server.ftp, &ledger);
    for (org, number) in ORGS.into_iter().cycle().zip(1..=SESSIONS) {
        crew.send(org, Until::Told, (number..).step_by(8).map(Upload));
    }
    // A sender that has stopped in the middle of a file must not keep the server from ending.
    let mut stalled = log_in(server.ftp, "A")?;
    let mut data = stalled.put_with_stream("stalled.hl7")?;
    data.write_all(b"MSH|^~\\&|")?;

    let moment = Random::new(seed, 1).below(ACKNOWLEDGED.end - ACKNOWLEDGED.start) + ACKNOWLEDGED.start;
    wait_until("acknowledged uploads", || Ok(ledger.lock().acknowledged() as u64 >= moment))?;
    machine.disk.fail(fault);
    let failed = Instant::now();
    let ended = server.wait_for_end(END_MAX)?;
    println!(
        "  {fault:?} fail after {moment} uploads: {} after {} ms",
        ended.map_or("the server still runs".to_owned(), |status| status.to_string()),
        failed.elapsed().as_millis()
    );
    let code = ended.and_then(|status| status.code());
    problems.expect(code == Some(EXIT_CODE), || format!("exit code {code:?} after {END_MAX:?}"));
    replies_are_right(&crew.end(), failed, problems);
    log_is_right(&site, problems)?;
    problems.expect(log_in(server.ftp, "A").is_err(), || "the server still lets sessions in".to_owned());

    server.kill();
    let (snapshot, ledger) = (machine.disk.snapshot(), ledger.lock().clone());
    drop(machine);
    let cut = Cut { moment: Duration::ZERO, snapshot, ledger, next_upload: 0 };
    let (words, failures) = open_images(bench, &cut, IMAGES, seed);
    problems.expect(failures == 0, || words);
    Ok(())
}

/// Whoever was uploading when the disk failed is told so, and nobody reads success afterwards.
fn replies_are_right(outcomes: &[Outcome], failed: Instant, problems: &mut Problems) {
    let in_flight: Vec<&Outcome> =
        outcomes.iter().filter(|it| it.begun < failed && it.ended() > failed).collect();
    let later: Vec<&Outcome> = outcomes.iter().filter(|it| it.begun >= failed).collect();
    let replies = |outcomes: &[&Outcome]| outcomes.iter().map(|it| it.reply).collect::<Vec<_>>();
    println!("    in flight: {:?}; later: {}", replies(&in_flight), later.len());
    let told = in_flight.iter().all(|it| it.reply != Reply::Lost);
    problems.expect(told, || format!("not everyone was told: {:?}", replies(&in_flight)));
    let refused = in_flight.iter().any(|it| matches!(it.reply, Reply::Refused(_)));
    problems.expect(refused, || format!("nobody was refused: {:?}", replies(&in_flight)));
    let accepted = later.iter().filter(|it| it.reply == Reply::Accepted).count();
    problems.expect(accepted == 0, || format!("{accepted} times success on a broken disk"));
}

fn log_is_right(site: &Site, problems: &mut Problems) -> Result<()> {
    let log = std::fs::read_to_string(site.log())?;
    let says_so = log.lines().any(|line| line.contains("ERROR") && line.contains("store failed"));
    problems.expect(says_so, || "the log does not say that the store failed".to_owned());
    Ok(())
}
