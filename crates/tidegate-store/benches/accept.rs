//! Durable accepts a second beside what the disk allows, measured in the same run.
//!
//! `cargo bench -p tidegate-store --bench accept [-- DIRECTORY]`; the directory (default: the system's
//! for temporary files) must be on the disk to be measured. Compare the ratios, not the rates.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark may stop at the first surprise"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;
use tidegate_domain::job::Protocol;
use tidegate_domain::{OrgCode, SystemClock, UploadName};
use tidegate_store::{Options, Sender, Store};

const FILE_BYTES: usize = 4096;
const ROUNDS: usize = 3;

fn main() {
    let base = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .map_or_else(std::env::temp_dir, PathBuf::from);
    println!("4 KiB uploads, median of {ROUNDS} interleaved rounds, in {}", base.display());
    // Directories are kept to the end: ext4 without a journal is slow to create files for some seconds
    // after many were deleted.
    let mut kept = Vec::new();
    let mut raw = [Vec::new(), Vec::new()];
    let mut ours = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (rates, threads) in raw.iter_mut().zip([1, 8]) {
            rates.push(raw_limit(directory(&base, &mut kept), threads, 1_000));
        }
        for (rates, (callers, files)) in ours.iter_mut().zip([(1, 1_000), (8, 5_000), (64, 20_000)]) {
            rates.push(accepts(directory(&base, &mut kept), callers, files));
        }
    }
    let limit = median(&mut raw[0]);
    let many = median(&mut raw[1]);
    println!("raw limit, 1 thread:  {limit:9.0}/s   1.00   (write, fsync, rename, fsync of the directory)");
    println!("raw limit, 8 threads: {many:9.0}/s   {:.2}", many / limit);
    for (rates, callers) in ours.iter_mut().zip([1, 8, 64]) {
        let rate = median(rates);
        println!("accept, {callers:2} callers:   {rate:9.0}/s   {:.2}", rate / limit);
    }
}

fn directory<'a>(base: &Path, kept: &'a mut Vec<TempDir>) -> &'a Path {
    kept.push(tempfile::tempdir_in(base).unwrap());
    kept.last().unwrap().path()
}

/// Files made durable under their final names by plain system calls.
fn raw_limit(dir: &Path, threads: usize, files: usize) -> f64 {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                let bytes = [b'x'; FILE_BYTES];
                for n in 0..files / threads {
                    let temporary = dir.join(format!("{thread}-{n}.tmp"));
                    let mut file = File::create(&temporary).unwrap();
                    file.write_all(&bytes).unwrap();
                    file.sync_all().unwrap();
                    fs::rename(&temporary, dir.join(format!("{thread}-{n}"))).unwrap();
                    File::open(dir).unwrap().sync_all().unwrap();
                }
            });
        }
    });
    rate(files, start)
}

/// Uploads accepted by a store: durable, named, queued.
fn accepts(dir: &Path, callers: usize, files: usize) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (store, _) = Store::open(dir, Options::default(), Arc::new(SystemClock)).unwrap();
    let taken = runtime.block_on(async {
        let start = Instant::now();
        let callers: Vec<_> =
            (0..callers).map(|caller| tokio::spawn(send(store.clone(), caller, files / callers))).collect();
        for caller in callers {
            caller.await.unwrap();
        }
        start
    });
    let rate = rate(files, taken);
    runtime.block_on(store.close());
    rate
}

async fn send(store: Store, caller: usize, files: usize) {
    let org = OrgCode::new(&format!("ORG{}", caller % 8)).unwrap();
    for n in 0..files {
        let mut bytes = vec![b'x'; FILE_BYTES];
        bytes[..8].copy_from_slice(&((caller * 1_000_000 + n) as u64).to_le_bytes());
        let mut upload = store.upload().unwrap();
        upload.write(&bytes).await.unwrap();
        let sender = Sender { account: "bench".to_owned(), protocol: Protocol::Ftp };
        upload.accept(&org, sender, UploadName::new(format!("{n}.hl7")).unwrap()).await.unwrap();
    }
}

fn rate(files: usize, start: Instant) -> f64 {
    files as f64 / start.elapsed().as_secs_f64()
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
