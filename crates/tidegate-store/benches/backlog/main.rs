//! A backlog of a million jobs: how long a start takes, what the questions of staff and workers take, and
//! how much memory.
//!
//! `cargo bench -p tidegate-store --bench backlog [-- DIRECTORY [JOBS]]`; the directory (default: the
//! system's for temporary files) is filled with one small file for each job. Each start is a process of
//! its own, so that neither filling nor an earlier start counts to its memory.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "a benchmark may stop at the first surprise"
)]

mod fill;
mod look;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tidegate_domain::{OrgCode, SystemClock};
use tidegate_store::{Options, Recovery, Store};

const ORGS: u64 = 50;
const ROUNDS: usize = 3;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["in-child", what, data_dir] => look::run(what, Path::new(data_dir)),
        [] => measure(&std::env::temp_dir(), 1_000_000),
        [base] => measure(Path::new(base), 1_000_000),
        [base, jobs, ..] => measure(Path::new(base), jobs.parse().unwrap()),
    }
}

fn measure(base: &Path, jobs: u64) {
    let dir = tempfile::tempdir_in(base).unwrap();
    let data_dir = dir.path().join("data");
    println!("{jobs} jobs of {ORGS} organizations wait, in {}", base.display());
    fill::fill(&data_dir, jobs);
    for _ in 0..ROUNDS {
        child("start after a clean end", "leave", &data_dir);
        child("start after a kill", "close", &data_dir);
    }
    fs::remove_dir_all(data_dir.join("queue")).unwrap();
    child("start without an index", "close", &data_dir);
    child("with the backlog", "ask", &data_dir);
    println!(
        "on disk: journal {} MiB, index {} MiB",
        mebibytes(&data_dir, "journal"),
        mebibytes(&data_dir, "queue")
    );
}

/// Opens the store in a process of its own, which tells what it measured.
fn child(title: &str, what: &str, data_dir: &Path) {
    println!("{title}");
    let this = std::env::current_exe().unwrap();
    assert!(Command::new(this).args(["in-child", what]).arg(data_dir).status().unwrap().success());
}

fn open(data_dir: &Path) -> (Store, Recovery) {
    Store::open(data_dir, Options::default(), Arc::new(SystemClock)).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn org(number: u64) -> OrgCode {
    OrgCode::new(&format!("ORG{number:03}")).unwrap()
}

fn mebibytes(data_dir: &Path, name: &str) -> u64 {
    let files = fs::read_dir(data_dir.join(name)).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>() >> 20
}
