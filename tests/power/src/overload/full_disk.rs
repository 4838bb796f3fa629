//! A small disk that fills up: first until uploads are refused, then to its last block, once while
//! everything rests and once while files come in and are processed.
//!
//! Promised is that the server goes on, whatever of its own finds no room, that nothing acknowledged is lost,
//! and that everything goes on once there is room again.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::crew::{Crew, Outcome, Reply, Until};
use super::staff::{HOLD, RELEASE, Staff};
use super::wait_until;
use crate::arguments::Arguments;
use crate::bench::Bench;
use crate::check::{self, Problems};
use crate::command::run as run_tool;
use crate::ledger::Shared;
use crate::opening::wait_until_drained;
use crate::server::Server;
use crate::site::{ORGS, Settings, Site};
use crate::upload::Upload;

const DISK_BYTES: u64 = 96 << 20;
const FREE_BYTES_MIN: &str = "24MiB";
/// With more than that uploads are taken again, a few.
const ROOM_MIB: u64 = 26;
/// What lies on the disk besides, until staff make room.
const BALLAST_BYTES: usize = 32 << 20;
/// Two sessions for each organization.
const SESSIONS: u64 = 8;
/// Uploads that come in before the disk is full.
const MORE: usize = 40;
/// "Requested action not taken. Insufficient storage space in system." (RFC 959)
const NO_STORAGE: Reply = Reply::Refused(452);

pub(super) fn run(bench: &Bench, _: &Arguments, problems: &mut Problems) -> Result<()> {
    let (machine, site) = bench.boot_on_new(DISK_BYTES)?;
    let site = site.with(Settings { free_bytes_min: FREE_BYTES_MIN, ..Settings::default() })?;
    let (ballast, eaten) = (machine.root().join("ballast"), machine.root().join("eaten"));
    std::fs::write(&ballast, vec![1; BALLAST_BYTES])?;
    let server = Server::start(&site)?;
    let mut trial = Trial { site, server, ledger: Shared::default(), next: 1, eaten };
    let tried = trial.run(&ballast, problems);
    if tried.is_err() || !problems.0.is_empty() {
        println!("  log: {}", trial.site.log_of_trouble()?);
    }
    tried
}

struct Trial {
    site: Site,
    server: Server,
    ledger: Shared,
    /// The first file that was not sent yet.
    next: u64,
    /// What eats the disk.
    eaten: PathBuf,
}

impl Trial {
    fn run(&mut self, ballast: &Path, problems: &mut Problems) -> Result<()> {
        self.nearly_full(problems)?;
        make_room(ballast)?;
        self.full_at_rest(problems)?;
        self.full_at_work(problems)
    }

    /// Long files until every session is refused. What was accepted is processed, and staff can work.
    fn nearly_full(&mut self, problems: &mut Problems) -> Result<()> {
        let outcomes = self.crew(Until::Refused, Upload::long).join();
        self.expect_no_storage("on a nearly full disk", &outcomes, problems);
        let mut staff = Staff::default();
        staff.look(&self.site)?;
        staff.ask(&self.site, HOLD);
        staff.ask(&self.site, RELEASE);
        staff.tell("on a nearly full disk", problems);
        self.check(problems)
    }

    /// Something else eats the rest while files wait. With room again the same server goes on.
    fn full_at_rest(&mut self, problems: &mut Problems) -> Result<()> {
        self.site.run(HOLD)?;
        let crew = self.crew(Until::Told, Upload);
        self.wait_for_more()?;
        let accepted = crew.end();
        self.note(&accepted);
        self.eat_all()?;
        let refused = self.crew(Until::Refused, Upload).join();
        self.expect_no_storage("on a full disk", &refused, problems);
        let mut staff = Staff::default();
        staff.look(&self.site)?;
        staff.tell("on a full disk", problems);
        self.expect_running("although it had nothing to write", problems)?;
        make_room(&self.eaten)?;
        self.expect_success(problems);
        self.site.run(RELEASE)?;
        self.check(problems)
    }

    /// Something else eats the rest while files come in and others are processed.
    fn full_at_work(&mut self, problems: &mut Problems) -> Result<()> {
        let crew = self.crew(Until::Refused, Upload);
        self.wait_for_more()?;
        self.eat_all()?;
        let outcomes = crew.join();
        self.note(&outcomes);
        let accepted = outcomes.iter().filter(|it| it.reply == Reply::Accepted).count();
        println!("  full at work: {accepted} accepted, then {:?}", unlucky(&outcomes));
        // This has the index written, unless there is no room for it.
        let verified = self.site.run(&["store", "verify"]).err().map(|error| error.to_string());
        println!("  store verify on the full disk: {}", verified.as_deref().unwrap_or("all is well"));
        self.expect_running("on a full disk", problems)?;
        make_room(&self.eaten)?;
        self.expect_success(problems);
        self.check(problems)?;
        self.expect_running("with room again", problems)
    }

    fn expect_running(&mut self, when: &str, problems: &mut Problems) -> Result<()> {
        let runs = self.server.is_running()?;
        problems.expect(runs, || format!("the server ended {when}"));
        Ok(())
    }

    fn crew(&self, until: Until, upload: fn(u64) -> Upload) -> Crew {
        let mut crew = Crew::new(self.server.ftp, &self.ledger);
        for (org, number) in ORGS.into_iter().cycle().zip(self.next..self.next + SESSIONS) {
            crew.send(org, until, (number..).step_by(8).map(upload));
        }
        crew
    }

    fn wait_for_more(&self) -> Result<()> {
        let enough = self.ledger.lock().acknowledged() + MORE;
        wait_until("some more uploads", || Ok(self.ledger.lock().acknowledged() >= enough))
    }

    /// Takes note of the numbers that are used up.
    fn note(&mut self, outcomes: &[Outcome]) {
        self.next = outcomes.iter().map(|it| it.upload.0 + 1).chain([self.next]).max().unwrap_or_default();
    }

    fn eat_all(&self) -> Result<()> {
        let mut file = File::create(&self.eaten)?;
        let mut size = 1 << 20;
        while size > 0 {
            if file.write(&vec![2; size]).is_err() {
                size /= 2;
            }
        }
        Ok(())
    }

    fn expect_no_storage(&mut self, when: &str, outcomes: &[Outcome], problems: &mut Problems) {
        self.note(outcomes);
        let refused = unlucky(outcomes);
        println!("  {when}: {} accepted, {} refused", outcomes.len() - refused.len(), refused.len());
        let told = refused.len() as u64 == SESSIONS && refused.iter().all(|reply| *reply == NO_STORAGE);
        problems.expect(told, || format!("{when} not everyone was refused with 452: {refused:?}"));
    }

    /// An upload of each organization is accepted.
    fn expect_success(&mut self, problems: &mut Problems) {
        let mut crew = Crew::new(self.server.ftp, &self.ledger);
        for (org, number) in ORGS.into_iter().zip(self.next..) {
            crew.send(org, Until::Told, std::iter::once(Upload(number)));
        }
        let outcomes = crew.join();
        self.note(&outcomes);
        let accepted = outcomes.len() == ORGS.len() && unlucky(&outcomes).is_empty();
        problems.expect(accepted, || format!("not accepted with room again: {outcomes:?}"));
    }

    fn check(&self, problems: &mut Problems) -> Result<()> {
        wait_until_drained(&self.site)?;
        let ledger = self.ledger.lock().clone();
        check::all(&self.site, &self.server, &ledger, problems)
    }
}

/// Removes a file. Its blocks are free when nobody holds it any more: the server may just be syncing the file
/// system, which on a busy machine takes a while.
fn make_room(file: &Path) -> Result<()> {
    let directory = file.parent().context("a file without a directory")?;
    let begun = Instant::now();
    std::fs::remove_file(file).context("making room")?;
    wait_until("room on the disk", || Ok(free_mib(directory)? > ROOM_MIB))?;
    println!("  room after {} ms", begun.elapsed().as_millis());
    Ok(())
}

fn free_mib(directory: &Path) -> Result<u64> {
    let arguments = ["--output=avail", "--block-size=1M"].map(AsRef::as_ref);
    let told = run_tool("df", arguments.into_iter().chain([directory.as_os_str()]))?;
    told.split_whitespace().last().and_then(|number| number.parse().ok()).context("df tells no number")
}

/// Replies that are no success.
fn unlucky(outcomes: &[Outcome]) -> Vec<Reply> {
    outcomes.iter().map(|it| it.reply).filter(|reply| *reply != Reply::Accepted).collect()
}
