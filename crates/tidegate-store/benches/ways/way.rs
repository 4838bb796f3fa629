//! The ways.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FallocateFlags, OFlags};
use tidegate_domain::job::Protocol;
use tidegate_domain::{OrgCode, SystemClock, UploadName};
use tidegate_store::{Options, Sender, Store};

use crate::group;

const SEGMENT_BYTES: u64 = 16 << 20;
const SYNC_THREADS: usize = 8;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// Write, `fsync`, rename, `fsync` of the directory, for each file.
    FileEach,
    /// The files of a batch without a sync of their own, then one `syncfs`.
    Syncfs,
    /// The files of a batch synced by eight threads, renamed, then one `fsync` of the directory.
    ParallelSyncs,
    /// A batch in one write at the end of a log that grows, then `fdatasync`: what the journal does.
    Log,
    /// The same, and each file beside it without a sync: what the store does.
    LogAndFiles,
    /// A log whose room was allocated before.
    Allocated,
    /// A log that was written full of zeros and synced before.
    Zeros,
    /// The same with `O_DSYNC` and no call of its own to sync.
    ZerosDsync,
    /// The room allocated, and each file beside it.
    AllocatedAndFiles,
    /// Zeros, and each file beside it.
    ZerosAndFiles,
    /// The store itself: hashed, journaled, in the index and the spool.
    Store,
}

impl Way {
    pub(crate) const ALL: [Self; 11] = [
        Self::FileEach,
        Self::Syncfs,
        Self::ParallelSyncs,
        Self::Log,
        Self::LogAndFiles,
        Self::Allocated,
        Self::Zeros,
        Self::ZerosDsync,
        Self::AllocatedAndFiles,
        Self::ZerosAndFiles,
        Self::Store,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::FileEach => "write, fsync, rename, fsync dir; each",
            Self::Syncfs => "write, rename; one syncfs",
            Self::ParallelSyncs => "8 fsyncs at once, rename; one fsync dir",
            Self::Log => "log, growing",
            Self::LogAndFiles => "log, growing; files unsynced",
            Self::Allocated => "log, allocated",
            Self::Zeros => "log, zeros written before",
            Self::ZerosDsync => "log, zeros written before, O_DSYNC",
            Self::AllocatedAndFiles => "log, allocated; files unsynced",
            Self::ZerosAndFiles => "log, zeros written before; files unsynced",
            Self::Store => "the store",
        }
    }

    /// Files a second that are made durable in `dir`.
    pub(crate) fn rate(self, dir: &Path, callers: usize, time: Duration) -> f64 {
        match self {
            Self::FileEach => group::rate_alone(callers, time, file_each, dir),
            Self::Syncfs => group::rate(callers, time, syncfs(dir)),
            Self::ParallelSyncs => group::rate(callers, time, parallel_syncs(dir)),
            Self::Log => group::rate(callers, time, log(dir, growing)),
            Self::LogAndFiles => group::rate(callers, time, and_files(dir, log(dir, growing))),
            Self::Allocated => group::rate(callers, time, log(dir, allocated)),
            Self::Zeros => group::rate(callers, time, log(dir, zeros)),
            Self::ZerosDsync => group::rate(callers, time, log_dsync(dir)),
            Self::AllocatedAndFiles => group::rate(callers, time, and_files(dir, log(dir, allocated))),
            Self::ZerosAndFiles => group::rate(callers, time, and_files(dir, log(dir, zeros))),
            Self::Store => store(dir, callers, time),
        }
    }
}

fn file_each(path: &Path) {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary).unwrap();
    file.write_all(&[b'x'; crate::FILE_BYTES]).unwrap();
    file.sync_all().unwrap();
    fs::rename(&temporary, path).unwrap();
    File::open(path.parent().unwrap()).unwrap().sync_all().unwrap();
}

fn syncfs(dir: &Path) -> impl FnMut(&[Vec<u8>]) {
    let directory = File::open(dir).unwrap();
    let mut names = Names::new(dir);
    move |batch| {
        for bytes in batch {
            let (temporary, path) = names.next();
            fs::write(&temporary, bytes).unwrap();
            fs::rename(&temporary, path).unwrap();
        }
        rustix::fs::syncfs(&directory).unwrap();
    }
}

fn parallel_syncs(dir: &Path) -> impl FnMut(&[Vec<u8>]) {
    let directory = File::open(dir).unwrap();
    let mut names = Names::new(dir);
    move |batch| {
        let files: Vec<_> = batch.iter().map(|bytes| (names.next(), bytes)).collect();
        std::thread::scope(|scope| {
            for files in files.chunks(batch.len().div_ceil(SYNC_THREADS)) {
                scope.spawn(move || {
                    for ((temporary, _), bytes) in files {
                        let mut file = File::create(temporary).unwrap();
                        file.write_all(bytes).unwrap();
                        file.sync_all().unwrap();
                    }
                });
            }
        });
        for ((temporary, path), _) in &files {
            fs::rename(temporary, path).unwrap();
        }
        directory.sync_all().unwrap();
    }
}

/// Appends each batch and syncs. A log that is full is begun anew by `begin`.
fn log(dir: &Path, begin: fn(&Path) -> File) -> impl FnMut(&[Vec<u8>]) {
    let mut log = Log::new(dir, begin);
    move |batch| {
        log.append(batch);
        log.file.sync_data().unwrap();
    }
}

fn log_dsync(dir: &Path) -> impl FnMut(&[Vec<u8>]) {
    let mut log = Log::new(dir, |dir| {
        drop(zeros(dir));
        let flags = OFlags::DSYNC.bits().cast_signed();
        OpenOptions::new().write(true).custom_flags(flags).open(dir.join("log")).unwrap()
    });
    move |batch| log.append(batch)
}

struct Log {
    dir: PathBuf,
    begin: fn(&Path) -> File,
    file: File,
    len: u64,
}

impl Log {
    fn new(dir: &Path, begin: fn(&Path) -> File) -> Self {
        Self { dir: dir.to_owned(), begin, file: begin(dir), len: 0 }
    }

    fn append(&mut self, batch: &[Vec<u8>]) {
        let bytes = batch.concat();
        if self.len + bytes.len() as u64 > SEGMENT_BYTES {
            (self.file, self.len) = ((self.begin)(&self.dir), 0);
        }
        self.len += bytes.len() as u64;
        self.file.write_all(&bytes).unwrap();
    }
}

fn growing(dir: &Path) -> File {
    let file = File::create(dir.join("log")).unwrap();
    file.sync_all().unwrap();
    file
}

fn allocated(dir: &Path) -> File {
    let file = growing(dir);
    rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, SEGMENT_BYTES).unwrap();
    file.sync_all().unwrap();
    file
}

/// Written once and then used again and again.
fn zeros(dir: &Path) -> File {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join("log")).unwrap();
    if file.metadata().unwrap().len() == 0 {
        for _ in 0..SEGMENT_BYTES >> 20 {
            file.write_all(&vec![0; 1 << 20]).unwrap();
        }
        file.sync_all().unwrap();
        file.rewind().unwrap();
    }
    file
}

fn and_files(dir: &Path, mut commit: impl FnMut(&[Vec<u8>])) -> impl FnMut(&[Vec<u8>]) {
    let mut names = Names::new(dir);
    move |batch| {
        for bytes in batch {
            fs::write(names.next().1, bytes).unwrap();
        }
        commit(batch);
    }
}

struct Names {
    dir: PathBuf,
    number: u64,
}

impl Names {
    fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), number: 0 }
    }

    fn next(&mut self) -> (PathBuf, PathBuf) {
        self.number += 1;
        (self.dir.join(format!(".{}", self.number)), self.dir.join(self.number.to_string()))
    }
}

fn store(dir: &Path, callers: usize, time: Duration) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (store, _) = Store::open(dir, Options::default(), Arc::new(SystemClock)).unwrap();
    let rate = runtime.block_on(async {
        let begun = std::time::Instant::now();
        let callers: Vec<_> = (0..callers)
            .map(|caller| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut count = 0;
                    while begun.elapsed() < time {
                        accept(&store, caller, count).await;
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let mut count = 0;
        for caller in callers {
            count += caller.await.unwrap();
        }
        count as f64 / begun.elapsed().as_secs_f64()
    });
    runtime.block_on(store.close());
    rate
}

async fn accept(store: &Store, caller: usize, number: usize) {
    let org = OrgCode::new(&format!("ORG{}", caller % 8)).unwrap();
    let mut bytes = [b'x'; crate::FILE_BYTES];
    bytes[..8].copy_from_slice(&((caller << 32) + number).to_le_bytes());
    let mut upload = store.upload().unwrap();
    upload.write(&bytes).await.unwrap();
    let sender = Sender { account: "bench".to_owned(), protocol: Protocol::Ftp };
    upload.accept(&org, sender, UploadName::new(format!("{number}.hl7")).unwrap()).await.unwrap();
}
