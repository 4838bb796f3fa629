//! Loads a server and cuts the power at a moment that the seed decides.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::bench::Bench;
use crate::disk::{Image, Snapshot};
use crate::ledger::{Ledger, Shared};
use crate::load::Load;
use crate::random::Random;
use crate::server::Server;

/// Moments are counted from the start of the server, so that some cuts fall into a start.
const MOMENT_MS: Range<u64> = 30..1_800;
/// Every so many cuts come late, after ext4 has committed by itself and senders are done.
const LATE_EVERY: u64 = 8;
const LATE_MS: Range<u64> = 2_000..8_000;
/// A cut waits for 0, 1, 2, 4 and so on up to 128 unflushed blocks: so many powers are there.
const UNFLUSHED_POWERS: u64 = 9;

/// From where a server starts.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) image: Image,
    pub(crate) ledger: Ledger,
    /// The first number that no upload has yet.
    pub(crate) next_upload: u64,
    /// Cuts that this disk has been through.
    pub(crate) generation: u64,
}

impl Start {
    pub(crate) fn on(image: Image) -> Self {
        Self { image, ledger: Ledger::default(), next_upload: 1, generation: 0 }
    }
}

/// What there is after a cut.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) moment: Duration,
    pub(crate) snapshot: Snapshot,
    pub(crate) ledger: Ledger,
    pub(crate) next_upload: u64,
}

/// When a cut is made, and on what kind of disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// At a moment that the seed decides.
    Any,
    /// Late, on a disk that says it flushed and did not: the check must find losses.
    LateOnLyingDisk,
}

impl Plan {
    /// After how long, and with how many blocks in the drive's cache if there are so many soon.
    fn moment(self, seed: u64) -> (Duration, usize) {
        let mut random = Random::new(seed, 1);
        let unflushed = 1 << random.below(UNFLUSHED_POWERS) >> 1;
        let within = if random.one_in(LATE_EVERY) { LATE_MS } else { MOMENT_MS };
        let millis = match self {
            Self::Any => within.start + random.below(within.end - within.start),
            Self::LateOnLyingDisk => LATE_MS.start,
        };
        (Duration::from_millis(millis), unflushed)
    }
}

/// Runs a server under load until the cut. The clients go on until the server is killed, but what they
/// are told after the cut counts no more.
pub(crate) fn make(bench: &Bench, start: Start, plan: Plan, seed: u64) -> Result<Cut> {
    let (machine, site) = bench.boot(start.image)?;
    machine.disk.be_slow(seed);
    if plan == Plan::LateOnLyingDisk {
        machine.disk.ignore_flushes();
    }
    let (moment, unflushed) = plan.moment(seed);
    let shared = Shared::new(start.ledger);
    let (disk, ledger) = (machine.disk.clone(), shared.clone());
    let cutter = std::thread::spawn(move || {
        std::thread::sleep(moment);
        ledger.freeze(&disk, unflushed)
    });
    let mut server = Server::start(&site)?;
    let load = Load::start(&site, server.ftp, &shared, start.next_upload, seed);
    let cut = cutter.join();
    server.kill();
    load.end();
    drop(machine);
    let (snapshot, ledger) = cut.ok().context("the cutter panicked")?;
    Ok(Cut { moment, snapshot, ledger, next_upload: Load::numbers_end(start.next_upload) })
}
