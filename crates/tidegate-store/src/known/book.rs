//! What is known of one organization's messages, as one of its jobs sees it.

use std::io;
use std::path::{Path, PathBuf};

use tidegate_disk::Disk;
use tidegate_domain::JobId;

use super::fresh::Fresh;
use super::run::{self, Record, Run};
use super::{Known, merge};

#[derive(Debug)]
pub(super) struct Book {
    disk: Disk,
    directory: PathBuf,
    job: JobId,
    /// Fresh records that become a run.
    full: usize,
    /// Read when the first message is looked up or written.
    shelf: Option<Shelf>,
    /// Remembered and not yet written.
    pending: Vec<Record>,
}

/// What lies in the directory.
#[derive(Debug)]
struct Shelf {
    runs: Vec<Run>,
    fresh: Fresh,
}

impl Book {
    pub(super) fn new(disk: Disk, directory: PathBuf, job: JobId, full: usize) -> Self {
        Self { disk, directory, job, full, shelf: None, pending: Vec::new() }
    }

    pub(super) fn look_up(&mut self, key: u128, content: u64) -> io::Result<Known> {
        let job = self.job;
        let (own, others): (Vec<_>, Vec<_>) =
            self.shelf()?.of(key)?.into_iter().partition(|record| record.job == job);
        let holds = |records: &[Record]| records.iter().any(|record| record.content == content);
        Ok(match others.as_slice() {
            [] if holds(&own) => Known::Own,
            [] => Known::No,
            others if holds(others) => Known::Same,
            _ => Known::Other,
        })
    }

    pub(super) fn remember(&mut self, key: u128, content: u64) {
        self.pending.push(Record { key, content, job: self.job });
    }

    /// Looks anew at what lies there, with the next question.
    pub(super) fn look_again(&mut self) {
        self.shelf = None;
    }

    /// Whether there is nothing to write.
    pub(super) fn is_written(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn write(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        let appended = self.append(&pending);
        if appended.is_err() {
            (self.pending, self.shelf) = (pending, None);
        }
        let is_full = appended?;
        if is_full {
            // Read anew by whoever looks next, whatever comes of this.
            self.shelf = None;
            merge::tidy(&self.disk, &self.directory, self.full)?;
        }
        Ok(())
    }

    /// Whether there are many fresh records now.
    fn append(&mut self, records: &[Record]) -> io::Result<bool> {
        let (disk, directory) = (self.disk.clone(), self.directory.clone());
        disk.create_dir_all(&directory)?;
        let full = self.full;
        let fresh = &mut self.shelf()?.fresh;
        fresh.append(&disk, &directory, records)?;
        Ok(fresh.places() >= full)
    }

    fn shelf(&mut self) -> io::Result<&mut Shelf> {
        let open = match self.shelf.take() {
            Some(open) => open,
            None => Shelf::open(&self.disk, &self.directory)?,
        };
        Ok(self.shelf.insert(open))
    }
}

impl Shelf {
    fn open(disk: &Disk, directory: &Path) -> io::Result<Self> {
        // In this order: what moves from one to the other meanwhile is met twice, not missed.
        let fresh = Fresh::open(disk, directory)?;
        Ok(Self { fresh, runs: run::list(disk, directory)? })
    }

    /// What was delivered under a key.
    fn of(&self, key: u128) -> io::Result<Vec<Record>> {
        let mut found = self.fresh.find(key);
        for run in &self.runs {
            run.find(key, &mut found)?;
        }
        Ok(found)
    }
}
