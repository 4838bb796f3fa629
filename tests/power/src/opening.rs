//! Opens an image with the real server, in each state that its index can be in, and lets it drain.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::bench::Bench;
use crate::check::{self, Problems};
use crate::disk::Image;
use crate::ledger::Ledger;
use crate::random::Random;
use crate::server::Server;
use crate::site::Site;

/// A backlog that takes longer does not drain at all.
const DRAIN_MAX: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(50);
/// Places of the index that are overwritten, and the most bytes of one.
const PLACES: u64 = 40;
const PLACE_BYTES_MAX: u64 = 400;
/// Jobs in these states have not ended.
const OPEN_STATES: [&str; 4] = ["queued", "processing", "retrying", "held"];

/// What is done to the sled directory before the server starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    AsFound,
    Deleted,
    Overwritten,
}

impl Index {
    pub(crate) const ALL: [Self; 3] = [Self::AsFound, Self::Deleted, Self::Overwritten];

    fn prepare(self, site: &Site, seed: u64) -> Result<()> {
        let queue = site.data("queue");
        match self {
            Self::Deleted if queue.exists() => Ok(std::fs::remove_dir_all(queue)?),
            Self::Overwritten => Ok(overwrite(&queue.join("db"), seed)?),
            _ => Ok(()),
        }
    }
}

/// Starts the server on an image, lets everything drain and compares with the ledger; what is wrong.
pub(crate) fn open(
    bench: &Bench,
    image: Image,
    ledger: &Ledger,
    index: Index,
    seed: u64,
) -> Result<Problems> {
    let (_machine, site) = bench.boot(image)?;
    index.prepare(&site, seed).context("preparing the index")?;
    let server = Server::start(&site)?;
    let problems = drain(&site, &server, ledger);
    problems.with_context(|| format!("log: {}", site.log_of_trouble().unwrap_or_default()))
}

fn drain(site: &Site, server: &Server, ledger: &Ledger) -> Result<Problems> {
    let mut problems = Problems::default();
    let held = site.status("/gate/state")? == "closed";
    problems.expect(ledger.held.is_none_or(|told| told == held), || format!("the queue is held: {held}"));
    if held {
        site.run(&["maintenance", "release"])?;
    }
    wait_until_drained(site)?;
    check::all(site, server, ledger, &mut problems)?;
    Ok(problems)
}

/// Waits until no job is left to be processed.
pub(crate) fn wait_until_drained(site: &Site) -> Result<()> {
    let deadline = Instant::now() + DRAIN_MAX;
    loop {
        let jobs = site.status("/jobs")?;
        let open = |state: &&str| jobs.get(*state).and_then(Value::as_u64).context("no number of open jobs");
        if OPEN_STATES.iter().map(open).sum::<Result<u64>>()? == 0 {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the backlog does not drain: {jobs}");
        std::thread::sleep(POLL);
    }
}

fn overwrite(path: &std::path::Path, seed: u64) -> io::Result<()> {
    let file = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let (length, mut random) = (file.metadata()?.len(), Random::new(seed, 2));
    for _ in 0..PLACES {
        let bytes: Vec<u8> =
            (0..=random.below(PLACE_BYTES_MAX)).map(|_| random.next().to_le_bytes()[3]).collect();
        let at = random.below(length.saturating_sub(bytes.len() as u64));
        file.write_all_at(&bytes, at)?;
    }
    Ok(())
}
