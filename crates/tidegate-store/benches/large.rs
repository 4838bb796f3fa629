//! One large upload beside what the disk allows, measured in the same run.
//!
//! `cargo bench -p tidegate-store --bench large [-- DIRECTORY]`; the directory (default: the system's
//! for temporary files) must be on the disk to be measured. Compare the ratios, not the rates.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark may stop at the first surprise"
)]

use std::fs::{File, read_to_string};
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest, Sha256};
use tidegate_disk::{DIRECT_ALIGN_BYTES, Disk};
use tidegate_domain::job::Protocol;
use tidegate_domain::{OrgCode, SystemClock, UploadName};
use tidegate_store::{Options, Sender, Store, Upload};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

const FILE_BYTES: usize = 1 << 30;
const BLOCK_BYTES: usize = 1 << 20;
const ROUNDS: usize = 5;

/// A way to get a large file to the disk.
type Way = (&'static str, fn(&Path));

const WAYS: [Way; 6] = [
    ("write, fsync", cached),
    ("direct write, fsync", direct),
    ("SHA-256 alone", hash),
    ("socket alone", socket),
    ("upload, from memory", from_memory),
    ("upload, from a socket", from_socket),
];

fn main() {
    let base = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .map_or_else(std::env::temp_dir, PathBuf::from);
    println!("1 GiB, median and best of {ROUNDS} interleaved rounds, in {}", base.display());
    let mut taken = [const { Vec::new() }; WAYS.len()];
    for _ in 0..ROUNDS {
        for ((_, run), taken) in WAYS.iter().zip(&mut taken) {
            let dir = tempfile::tempdir_in(&base).unwrap();
            let (start, cpu) = (Instant::now(), cpu_seconds());
            run(dir.path());
            taken.push((start.elapsed().as_secs_f64(), cpu_seconds() - cpu));
        }
    }
    for ((name, _), mut taken) in WAYS.iter().zip(taken) {
        taken.sort_by(|a, b| a.0.total_cmp(&b.0));
        let rate = |seconds: f64| FILE_BYTES as f64 / seconds / 1e6;
        let (median, cpu) = taken[ROUNDS / 2];
        println!("{name:22} {:6.0} MB/s  {:6.0} MB/s  {cpu:.2} CPU s", rate(median), rate(taken[0].0));
    }
}

fn cached(dir: &Path) {
    let mut file = File::create_new(dir.join("file")).unwrap();
    let block = vec![b'x'; BLOCK_BYTES];
    (0..FILE_BYTES / BLOCK_BYTES).for_each(|_| file.write_all(&block).unwrap());
    file.sync_all().unwrap();
}

fn direct(dir: &Path) {
    let mut file = Disk::default().create_new(&dir.join("file")).unwrap();
    let memory = vec![b'x'; BLOCK_BYTES + DIRECT_ALIGN_BYTES];
    let block = &memory[memory.as_ptr().align_offset(DIRECT_ALIGN_BYTES)..][..BLOCK_BYTES];
    (0..FILE_BYTES / BLOCK_BYTES).for_each(|_| file.write_direct(block).unwrap());
    file.sync_all().unwrap();
}

fn hash(_: &Path) {
    let block = vec![b'x'; BLOCK_BYTES];
    let mut hasher = Sha256::new();
    (0..FILE_BYTES / BLOCK_BYTES).for_each(|_| hasher.update(&block));
    std::hint::black_box(hasher.finalize());
}

fn from_memory(dir: &Path) {
    let block = vec![b'x'; BLOCK_BYTES];
    run(async {
        let store = open(dir);
        let mut upload = store.upload().unwrap();
        for _ in 0..FILE_BYTES / BLOCK_BYTES {
            upload.write(&block).await.unwrap();
        }
        accept(store, upload).await;
    });
}

fn from_socket(dir: &Path) {
    run(async {
        let store = open(dir);
        let mut upload = store.upload().unwrap();
        let (mut input, sender) = sender().await;
        while upload.room().await.unwrap().fill(&mut input).await.unwrap() > 0 {}
        sender.join().unwrap();
        accept(store, upload).await;
    });
}

fn socket(_: &Path) {
    run(async {
        let (mut input, sender) = sender().await;
        let mut block = vec![0; BLOCK_BYTES];
        while input.read(&mut block).await.unwrap() > 0 {}
        sender.join().unwrap();
    });
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work);
}

fn open(dir: &Path) -> Store {
    Store::open(dir, Options::default(), Arc::new(SystemClock)).unwrap().0
}

async fn accept(store: Store, upload: Upload) {
    let sender = Sender { account: "bench".to_owned(), protocol: Protocol::Ftp };
    let name = UploadName::new("large.hl7").unwrap();
    upload.accept(&OrgCode::new("BENCH").unwrap(), sender, name).await.unwrap();
    store.close().await;
}

/// A connection on which somebody sends a file.
async fn sender() -> (tokio::net::TcpStream, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sender = std::thread::spawn(move || {
        let mut output = TcpStream::connect(address).unwrap();
        let block = vec![b'x'; BLOCK_BYTES];
        (0..FILE_BYTES / BLOCK_BYTES).for_each(|_| output.write_all(&block).unwrap());
    });
    (listener.accept().await.unwrap().0, sender)
}

/// User and system time of this process so far, to a hundredth of a second.
fn cpu_seconds() -> f64 {
    let stat = read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
