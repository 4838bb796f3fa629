//! Ways to make small files durable, beside each other: what does an accepted upload cost at least?
//!
//! `cargo bench -p tidegate-store --bench ways [-- DIRECTORY]`; the directory (default: the system's for
//! temporary files) must be on the disk to be measured. All ways take turns in each round, so that a
//! noisy neighbour hits all of them; compare the ratios of one run. What was concluded stands in
//! `docs/decisions/0006-cheapest-durable-accept.md`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark may stop at the first surprise"
)]

mod group;
mod way;

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use way::Way;

const FILE_BYTES: usize = 4096;
const CALLERS: [usize; 3] = [1, 8, 64];
const ROUNDS: usize = 21;
const EACH: Duration = Duration::from_millis(100);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let base = args.first().map_or_else(std::env::temp_dir, PathBuf::from);
    println!("4 KiB files, durable, a second; median of {ROUNDS} interleaved rounds, in {}", base.display());
    let mut kept = Vec::new();
    let mut rates = vec![[const { Vec::new() }; CALLERS.len()]; Way::ALL.len()];
    for _ in 0..ROUNDS {
        for (way, rates) in Way::ALL.into_iter().zip(&mut rates) {
            for (callers, rates) in CALLERS.into_iter().zip(rates) {
                rates.push(way.rate(directory(&base, &mut kept), callers, EACH));
            }
        }
    }
    let medians: Vec<[f64; 3]> = rates.iter().map(|rates| rates.clone().map(median)).collect();
    println!("{:42}{:>16}{:>16}{:>16}", "callers", CALLERS[0], CALLERS[1], CALLERS[2]);
    for (way, medians) in Way::ALL.into_iter().zip(&medians) {
        print!("{:42}", way.title());
        for rate in medians {
            print!("{rate:9.0}{:7.2}", rate / limit(&rates));
        }
        println!();
    }
}

/// The first way with one caller: what every ratio is beside.
fn limit(rates: &[[Vec<f64>; CALLERS.len()]]) -> f64 {
    median(rates[0][0].clone())
}

/// Directories are kept to the end: deleting many files would slow down who comes next.
fn directory<'a>(base: &Path, kept: &'a mut Vec<TempDir>) -> &'a Path {
    kept.push(tempfile::tempdir_in(base).unwrap());
    kept.last().unwrap().path()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
