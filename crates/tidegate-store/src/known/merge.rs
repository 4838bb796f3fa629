//! How many small files become few large ones.
//!
//! Invariant: what goes away was durable elsewhere before. Runs of about one size are merged when there are
//! [`MERGED`] of them, so each record is written anew a few times only, and there are few files to look through.

use std::io::{self, BufReader, Read as _};
use std::path::Path;

use tidegate_disk::Disk;

use super::fresh::{self, Fresh};
use super::run::{self, Record, Run, Writing};

/// Runs of one size that become one.
const MERGED: usize = 8;
/// Sizes: the largest holds some two million records, 71 MB, and is merged no more.
const LEVEL_MAX: u32 = 3;
/// Records that are read at once.
const READ: u64 = 4096;
/// Runs of the largest size that are kept; the oldest goes for the next.
const LARGEST_MAX: usize = 16;

/// Makes a run of the fresh records, and merges what has become much.
pub(super) fn tidy(disk: &Disk, directory: &Path, full: usize) -> io::Result<()> {
    let runs = run::list(disk, directory)?;
    let mut next = runs.last().map_or(1, |run| run.number + 1);
    let mut writing = Writing::begin(disk, directory, next)?;
    for record in Fresh::open(disk, directory)?.into_records() {
        writing.push(&record)?;
    }
    writing.finish(disk, directory)?;
    disk.remove_once(&fresh::path(directory))?;
    for level in 0..=LEVEL_MAX {
        let same: Vec<Run> =
            run::list(disk, directory)?.into_iter().filter(|run| of(run, full) == level).collect();
        if level == LEVEL_MAX {
            forget_surplus(disk, &same)?;
        } else if same.len() >= MERGED {
            next += 1;
            merge(disk, directory, next, &same)?;
        }
    }
    Ok(())
}

/// The size of a run: each is [`MERGED`] times the one before.
fn of(run: &Run, full: usize) -> u32 {
    (run.count / full as u64).max(1).ilog(MERGED as u64).min(LEVEL_MAX)
}

fn forget_surplus(disk: &Disk, runs: &[Run]) -> io::Result<()> {
    let mut by_age: Vec<&Run> = runs.iter().collect();
    by_age.sort_by_key(|run| run.newest);
    for oldest in by_age.iter().take(runs.len().saturating_sub(LARGEST_MAX)) {
        tracing::warn!(
            messages = oldest.count,
            "the oldest known messages were forgotten: there are too many"
        );
        disk.remove_once(&oldest.path)?;
    }
    Ok(())
}

fn merge(disk: &Disk, directory: &Path, number: u64, runs: &[Run]) -> io::Result<()> {
    let mut sources = Vec::new();
    for run in runs {
        if is_sound(run)? {
            sources.push(Source::open(disk, run)?);
        } else {
            tracing::warn!(messages = run.count, "known messages were damaged and are forgotten");
        }
    }
    let mut writing = Writing::begin(disk, directory, number)?;
    while let Some(first) =
        sources.iter_mut().filter(|source| source.head.is_some()).min_by_key(|source| source.head)
    {
        if let Some(record) = first.head {
            writing.push(&record)?;
        }
        first.advance()?;
    }
    writing.finish(disk, directory)?;
    for run in runs {
        disk.remove_once(&run.path)?;
    }
    Ok(())
}

/// Whether a run has the bytes that were written.
fn is_sound(run: &Run) -> io::Result<bool> {
    let mut checksum = 0;
    let mut at = 0;
    while at < run.count {
        let records = run.read(at, (run.count - at).min(READ))?;
        for record in &records {
            checksum = crc32c::crc32c_append(checksum, &record.encode());
        }
        at += records.len() as u64;
    }
    Ok(checksum == run.checksum)
}

/// A run that is read from its first record on.
struct Source {
    reader: BufReader<io::Take<std::fs::File>>,
    head: Option<Record>,
}

impl Source {
    fn open(disk: &Disk, run: &Run) -> io::Result<Self> {
        let file = disk.open_read(&run.path)?.take(run.count * Record::BYTES as u64);
        let mut source = Self { reader: BufReader::with_capacity(64 << 10, file), head: None };
        source.advance()?;
        Ok(source)
    }

    fn advance(&mut self) -> io::Result<()> {
        let mut bytes = [0; Record::BYTES];
        self.head = match self.reader.read_exact(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            read => read.map(|()| Record::decode(&bytes))?,
        };
        Ok(())
    }
}
