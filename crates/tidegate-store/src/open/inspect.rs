//! Looks through a store that nobody uses, and changes nothing in it.
//!
//! What the journal says is sorted in an index of its own in a scratch directory, so that memory stays
//! bounded, and nothing is taken from the store's own index but how far it goes.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use sha2::Digest;
use tidegate_disk::Disk;
use tidegate_domain::JobId;
use tidegate_domain::job::{Job, JobEvent};
use tidegate_migrations::MigrationError;

use super::orphans::Orphans;
use super::replay::CHANGES_PER_COMMIT;
use crate::error::{OpenError, StoreError};
use crate::index::Index;
use crate::journal::{Damage, Item, Journal};
use crate::layout::Layout;
use crate::record::Change;
use crate::spool::Spool;
use crate::upload::HashWriter;
use crate::verify::{Verification, bytes_missing, journal_damaged};

pub(crate) fn inspect(
    data_dir: &Path,
    scratch: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, OpenError> {
    if tidegate_migrations::layout_of(data_dir)? == 0 {
        return Err(MigrationError::Foreign { path: data_dir.to_owned() }.into());
    }
    let _lock = lock_if_there(data_dir)?;
    let (disk, layout) = (Disk::default(), Layout::new(data_dir));
    let Some(journal) = super::replay::find(&disk, &layout)? else { return Ok(Verification::default()) };
    let failed = |error: StoreError| OpenError::Index(error.to_string());
    let (index, _) = Index::open(&disk, &scratch.join("sorted"), journal.store_id).map_err(failed)?;
    let spool = Spool::new(disk.clone(), layout.clone());
    let found = Verification::default();
    let mut look = Look {
        disk,
        layout,
        spool,
        index,
        found,
        last_seq: journal.compacted_through(),
        lost: 0,
        orphans: Orphans::default(),
        in_journal: HashSet::new(),
        unwritten: 0,
    };
    look.journal(&journal, progress)?;
    look.own_index(journal.store_id, &scratch.join("copied"))?;
    look.jobs().map_err(failed)?;
    Ok(look.found)
}

/// Keeps a server from starting meanwhile. Where there is no file to lock nobody has ever started.
fn lock_if_there(data_dir: &Path) -> Result<Option<File>, OpenError> {
    let path = Layout::new(data_dir).lock();
    match File::open(&path) {
        Ok(file) => super::lock_file(file, data_dir).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OpenError::io("opening", &path)(error)),
    }
}

struct Look {
    disk: Disk,
    layout: Layout,
    spool: Spool,
    index: Index,
    found: Verification,
    last_seq: u64,
    /// Changes that can't be, as others before them are lost.
    lost: u64,
    orphans: Orphans,
    /// Small uploads whose bytes the journal has.
    in_journal: HashSet<JobId>,
    unwritten: usize,
}

impl Look {
    fn journal(&mut self, journal: &Journal, progress: &mut dyn FnMut(u64, u64)) -> Result<(), OpenError> {
        let total = journal.len_bytes();
        let damage = journal.read::<io::Error>(0, |item, bytes| {
            progress(bytes.min(total), total);
            self.take(&item)
        });
        let path = self.layout.journal();
        let damage = damage.map_err(OpenError::journal(&path))?;
        self.index
            .commit(self.last_seq)
            .and_then(|()| self.index.write_back())
            .map_err(|error| OpenError::Index(error.to_string()))?;
        progress(total, total);
        // A torn end was never acknowledged; the next start cuts it off.
        for place in damage {
            if !matches!(place, Damage::TornEnd { .. }) {
                self.found.findings.push(journal_damaged(&place));
            }
        }
        let lost = self.lost + self.orphans.changes();
        if lost > 0 {
            self.found.findings.push(format!("{lost} changes in the journal stand on others that are lost"));
        }
        Ok(())
    }

    fn take(&mut self, item: &Item) -> io::Result<()> {
        self.found.changes += 1;
        self.found.last_change_at = Some(item.entry.at);
        self.last_seq = self.last_seq.max(item.entry.seq);
        if let Change::Job { id, event: JobEvent::Accepted(submission) } = &item.entry.change
            && (item.payload.is_some() || submission.size_bytes == 0)
        {
            self.in_journal.insert(*id);
        }
        match self.index.apply(&item.entry) {
            Err(StoreError::UnknownJob) => self.orphans.add(&item.entry.change),
            Err(StoreError::Illegal(_)) => self.lost += 1,
            applied => self.orphans.note(&applied.map_err(io::Error::other)?),
        }
        self.unwritten += 1;
        if self.unwritten >= CHANGES_PER_COMMIT {
            self.unwritten = 0;
            self.index
                .commit(item.entry.seq)
                .and_then(|()| self.index.write_back())
                .map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// An index that goes further than the journal proves that the journal lost something. Else it is of
    /// no account: the next start makes a new one if it has to. sled writes to what it opens: to a copy.
    fn own_index(&mut self, store_id: u64, scratch: &Path) -> Result<(), OpenError> {
        let copy = Layout::new(scratch);
        copy_index(&self.disk, &self.layout.queue(), &copy.queue())
            .map_err(OpenError::io("copying the index to", scratch))?;
        if super::index::shows(&self.disk, &copy, store_id).is_some_and(|shown| shown > self.last_seq) {
            let journal = self.layout.journal();
            self.found.findings.push(format!(
                "{} has lost changes that the index still knows: keep a copy of the data directory, then start the \
                 service on it",
                journal.display()
            ));
        }
        Ok(())
    }

    fn jobs(&mut self) -> Result<(), StoreError> {
        for item in self.index.reader().lanes() {
            let Some(job) = self.index.job(item?.id)? else { continue };
            self.found.jobs_waiting += 1;
            if let Some(finding) = self.look_for_bytes(&job) {
                self.found.findings.push(finding);
            }
        }
        Ok(())
    }

    fn look_for_bytes(&self, job: &Job) -> Option<String> {
        if self.in_journal.contains(&job.id) {
            return None;
        }
        let Some(place) = self.spool.find_payload(job) else { return Some(bytes_missing(job.id)) };
        let path = self.layout.payload(&job.submission.org, place, job.id);
        let id = job.id;
        match hash(&self.disk, &path) {
            Ok(sha256) if sha256 == job.submission.sha256 => None,
            Ok(_) => {
                Some(format!("the bytes of job {id} are not those that were acknowledged: ask its sender"))
            }
            Err(error) => Some(format!("the bytes of job {id} can't be read: {error}")),
        }
    }
}

fn hash(disk: &Disk, path: &Path) -> io::Result<[u8; 32]> {
    let mut hasher = HashWriter::default();
    io::copy(&mut disk.open_read(path)?, &mut hasher)?;
    Ok(hasher.0.finalize().into())
}

fn copy_index(disk: &Disk, from: &Path, to: &Path) -> io::Result<()> {
    disk.create_dir_all(to)?;
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_index(disk, &entry.path(), &to)?;
        } else {
            disk.create_new(&to)?.write_from(&mut disk.open_read(&entry.path())?)?;
        }
    }
    Ok(())
}
