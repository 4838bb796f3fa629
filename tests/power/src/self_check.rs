//! The rig's own test: a disk that forgets too much or too little would prove nothing.
//!
//! A writer that syncs as it should must never lose, one that does not sync must lose, and the check of
//! the real server must find it when the disk lies about its flushes.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::bench::Bench;
use crate::cut::{self, Plan, Start};
use crate::disk::{Image, Snapshot, Survivors};
use crate::opening::{self, Index};
use crate::random::Random;

/// Cuts for each writer.
const CUTS: u64 = 3;
/// A cut falls into this time after the writer's first file.
const MOMENT_MAX_MS: u64 = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    Careful,
    Careless,
}

/// Fails with words if the rig can't be trusted.
pub(crate) fn run(bench: &Bench, seed: u64) -> Result<()> {
    for number in 0..CUTS {
        let seed = Random::new(seed, 1_000 + number).next();
        let (snapshot, files) = cut_writer(bench, Writer::Careful, seed)?;
        ensure!(snapshot.counts.flushes > 0, "syncs of files do not reach the disk as flushes");
        for survivors in [Survivors::Flushed, Survivors::Some(seed), Survivors::Received] {
            let lost = lost(bench, snapshot.image(survivors), files)?;
            ensure!(lost == 0, "{lost} of {files} synced files are lost in {survivors:?}");
        }
        let (snapshot, files) = cut_writer(bench, Writer::Careless, seed)?;
        let lost = lost(bench, snapshot.image(Survivors::Flushed), files)?;
        ensure!(lost > 0, "all {files} files are there although nobody synced them");
    }
    println!("self-check: {CUTS} cuts of a writer that syncs lose nothing, without syncs they do");
    lying_disk(bench, seed)?;
    println!("self-check: a disk that lies about its flushes is found out");
    Ok(())
}

fn lying_disk(bench: &Bench, seed: u64) -> Result<()> {
    let cut = cut::make(bench, Start::on(bench.empty.clone()), Plan::LateOnLyingDisk, seed)?;
    ensure!(cut.ledger.acknowledged() > 0, "no upload was acknowledged in time");
    let image = cut.snapshot.image(Survivors::Flushed);
    let found = opening::open(bench, image, &cut.ledger, Index::AsFound, seed)?;
    ensure!(!found.0.is_empty(), "the check finds nothing wrong on a disk that lost everything");
    Ok(())
}

/// Lets a writer write until the cut; the files that it was done with.
fn cut_writer(bench: &Bench, writer: Writer, seed: u64) -> Result<(Snapshot, u64)> {
    let (machine, _site) = bench.boot(bench.empty.clone())?;
    machine.disk.be_slow(seed);
    let (done, over) = (Mutex::new(0_u64), AtomicBool::new(false));
    let count = || done.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| -> io::Result<()> {
            while !over.load(Ordering::Relaxed) {
                let number = *count();
                write(&machine.root(), number, writer)?;
                *count() += 1;
            }
            Ok(())
        });
        while *count() == 0 && !writing.is_finished() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(Random::new(seed, 3).below(MOMENT_MAX_MS)));
        let cut = {
            let files = count();
            (machine.disk.snapshot(), *files)
        };
        over.store(true, Ordering::Relaxed);
        writing.join().ok().context("the writer panicked")??;
        Ok(cut)
    })
}

fn write(directory: &Path, number: u64, writer: Writer) -> io::Result<()> {
    let temporary = directory.join("temporary");
    let mut file = File::create(&temporary)?;
    file.write_all(&content(number))?;
    if writer == Writer::Careful {
        file.sync_all()?;
    }
    fs::rename(temporary, directory.join(number.to_string()))?;
    if writer == Writer::Careful {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn content(number: u64) -> Vec<u8> {
    format!("{number:08}\n").repeat(600).into_bytes()
}

/// How many of the first `files` files an image does not have with their bytes.
fn lost(bench: &Bench, image: Image, files: u64) -> Result<usize> {
    let (machine, _site) = bench.boot(image)?;
    let root = machine.root();
    let is_lost = |number: &u64| fs::read(root.join(number.to_string())).ok() != Some(content(*number));
    Ok((0..files).filter(is_lost).count())
}
