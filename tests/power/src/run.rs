//! A run: cut after cut, each image of each cut opened every way.
//!
//! After a cut the next one often starts from one of its images, so that disks live through several
//! cuts and starts: what was acknowledged before the first must still be there after the last.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};

use crate::arguments::Arguments;
use crate::bench::Bench;
use crate::check::Problems;
use crate::cut::{self, Cut, Plan, Start};
use crate::disk::{Image, Survivors};
use crate::opening::{self, Index};
use crate::random::Random;

/// A disk lives through that many cuts at most.
const GENERATIONS_MAX: u64 = 4;
/// Problems of one opening that are printed.
const PRINTED_MAX: usize = 12;

/// Openings that went well and those that did not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    unflushed: usize,
    acknowledged: usize,
}

impl Tally {
    /// Counts what passed or failed as a whole.
    pub(crate) fn note(&mut self, passed: bool) {
        if passed { self.passed += 1 } else { self.failed += 1 }
    }
}

/// One image, opened one way.
struct Case {
    survivors: Survivors,
    image: Image,
    index: Index,
}

/// Makes cuts until enough images were opened.
pub(crate) fn run(bench: &Bench, arguments: &Arguments) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut start = Start::on(bench.empty.clone());
    let cuts = arguments.images.div_ceil(arguments.per_cut);
    for number in 1..=cuts {
        let seed = Random::new(arguments.seed, number).next();
        let generation = start.generation + 1;
        let cut = match cut::make(bench, start, Plan::Any, seed) {
            Ok(cut) => cut,
            Err(error) => {
                println!("cut {number} seed={seed}: FAILED before it: {error:#}");
                tally.failed += 1;
                start = Start::on(bench.empty.clone());
                continue;
            }
        };
        let images = (arguments.images - (number - 1) * arguments.per_cut).min(arguments.per_cut);
        let failed = open_all(bench, &cut, &cases(&cut, images, seed), seed, &mut tally);
        println!("cut {number}/{cuts} seed={seed} disk's {generation}.: {} {failed}", describe(&cut));
        start = next_start(bench, cut, generation, seed);
    }
    if cuts > 0 && arguments.images >= arguments.per_cut {
        anyhow::ensure!(tally.unflushed > 0, "no cut met a write that was not flushed: nothing was tested");
        anyhow::ensure!(
            tally.acknowledged > 0,
            "no cut came after an acknowledged upload: nothing was tested"
        );
    }
    Ok(tally)
}

fn describe(cut: &Cut) -> String {
    format!(
        "at {} ms, {} uploads begun, {} acknowledged, {} responses deleted, {} blocks unflushed of {}, \
         {} flushes:",
        cut.moment.as_millis(),
        cut.ledger.uploads.len(),
        cut.ledger.acknowledged(),
        cut.ledger.deleted(),
        cut.snapshot.unflushed(),
        cut.snapshot.counts.blocks_written,
        cut.snapshot.counts.flushes
    )
}

fn cases(cut: &Cut, images: u64, seed: u64) -> Vec<Case> {
    let survivors = |number: u64| match number {
        0 => Survivors::Flushed,
        1 => Survivors::Some(seed),
        2 => Survivors::Received,
        more => Survivors::Some(seed ^ more),
    };
    let case = |(survivors, index)| Case { survivors, image: cut.snapshot.image(survivors), index };
    (0..images).flat_map(|number| Index::ALL.map(|index| (survivors(number), index))).map(case).collect()
}

/// Opens images of a cut every way; words about the result, and how many openings went wrong.
pub(crate) fn open_images(bench: &Bench, cut: &Cut, images: u64, seed: u64) -> (String, usize) {
    let mut tally = Tally::default();
    let words = open_all(bench, cut, &cases(cut, images, seed), seed, &mut tally);
    (words, tally.failed)
}

/// Opens every case, some at once; words about the result.
fn open_all(bench: &Bench, cut: &Cut, cases: &[Case], seed: u64, tally: &mut Tally) -> String {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(words) = failure(bench, cut, case, seed) {
                failures.lock().unwrap_or_else(PoisonError::into_inner).push(words);
            }
        }
    };
    std::thread::scope(|scope| (0..bench.at_once.max(1)).for_each(|_| drop(scope.spawn(work))));
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    tally.failed += failures.len();
    tally.passed += cases.len() - failures.len();
    tally.unflushed += cut.snapshot.unflushed();
    tally.acknowledged += cut.ledger.acknowledged();
    if failures.is_empty() { format!("{} openings ok", cases.len()) } else { failures.join("") }
}

fn failure(bench: &Bench, cut: &Cut, case: &Case, seed: u64) -> Option<String> {
    let opened = opening::open(bench, case.image.clone(), &cut.ledger, case.index, seed);
    let problems = opened.unwrap_or_else(|error| Problems(vec![format!("{error:#}")]));
    if problems.0.is_empty() {
        return None;
    }
    let mut words = format!("\n  FAILED {:?}, index {:?}:", case.survivors, case.index);
    for problem in problems.0.iter().take(PRINTED_MAX) {
        let _ = write!(words, "\n    {problem}");
    }
    let _ = write!(words, "\n    {} problems", problems.0.len());
    if let Some(directory) = &bench.keep {
        let name = format!("{seed}-{:?}-{:?}", case.survivors, case.index).replace(['(', ')'], "-");
        let kept = keep(&directory.join(&name), cut, case, &problems);
        let _ = write!(words, "; kept: {kept:?}");
    }
    Some(words)
}

fn keep(directory: &Path, cut: &Cut, case: &Case, problems: &Problems) -> Result<()> {
    std::fs::create_dir_all(directory).context("making a directory")?;
    case.image.write(&directory.join("image"))?;
    std::fs::write(directory.join("ledger"), format!("{:#?}", cut.ledger))?;
    Ok(std::fs::write(directory.join("problems"), problems.0.join("\n"))?)
}

/// The next cut's disk: a new one, or one of the images of this cut.
fn next_start(bench: &Bench, cut: Cut, generation: u64, seed: u64) -> Start {
    let mut random = Random::new(seed, 4);
    if generation >= GENERATIONS_MAX || random.one_in(4) {
        return Start::on(bench.empty.clone());
    }
    let survivors = match random.below(3) {
        0 => Survivors::Flushed,
        1 => Survivors::Some(seed),
        _ => Survivors::Received,
    };
    let image = cut.snapshot.image(survivors);
    Start { image, ledger: cut.ledger, next_upload: cut.next_upload, generation }
}
