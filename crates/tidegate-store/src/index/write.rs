//! The one writer of the index.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sled::IVec;
use tidegate_disk::Disk;
use tidegate_domain::JobId;
use tidegate_domain::job::Job;

use super::database::{Database, Former, Stored};
use super::digest::Digest;
use super::mark::FORMAT;
use super::read::decode;
use super::recent::{Recent, batch};
use super::renewal::Renewal;
use super::{Mark, Reader, keys};
use crate::error::StoreError;

/// Collects changes in memory and writes them as one sled batch.
#[derive(Debug)]
pub(crate) struct Index {
    pub(super) reader: Reader,
    pub(super) mark: Mark,
    renewal: Option<Renewal>,
    pending: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

/// Makes the index durable; apart from the writer, because it may take long.
#[derive(Debug)]
pub(crate) struct Durability {
    stored: Stored,
    disk: Disk,
    directory: PathBuf,
}

/// What an opened index is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It adds up.
    Whole,
    /// It is new, of another store, or does not add up.
    Useless,
}

impl Index {
    /// Opens or creates the index in `directory`.
    pub(crate) fn open(
        disk: &Disk,
        directory: &Path,
        store_id: u64,
    ) -> Result<(Self, Durability), StoreError> {
        let reader = Reader {
            stored: Stored::new(Arc::new(Database::open(disk, directory)?)),
            recent: Recent::default(),
        };
        let mark = reader.mark().ok().flatten().unwrap_or_else(|| Mark::empty(store_id));
        let durability = Durability::new(reader.stored.clone(), disk, directory);
        durability.sync_creation()?;
        Ok((Self { reader, mark, renewal: None, pending: BTreeMap::new() }, durability))
    }

    /// What the index is worth to a store. One that is trusted is taken at its word; else every pair
    /// is read and added up.
    pub(crate) fn condition(&mut self, store_id: u64, trusted: bool) -> Result<Condition, StoreError> {
        let Ok(Some(mark)) = self.reader.mark() else { return Ok(Condition::Useless) };
        let ours = mark.format == FORMAT && mark.store_id == store_id;
        Ok(if ours && (trusted || self.adds_up()?) { Condition::Whole } else { Condition::Useless })
    }

    /// Whether the pairs add up to the mark's sum. Every pair is read, by several threads: after a kill with a
    /// million jobs in the index a start waits for this more than for anything else.
    pub(crate) fn adds_up(&mut self) -> Result<bool, StoreError> {
        self.write_back()?;
        let tree = &self.reader.stored.now().tree;
        let sums: Result<Vec<Digest>, StoreError> = std::thread::scope(|scope| {
            let threads: Vec<_> = keys::shares().map(|share| scope.spawn(move || sum(tree, share))).collect();
            let panicked = |_| StoreError::Index("sled panicked".to_owned());
            threads.into_iter().map(|thread| thread.join().map_err(panicked)?).collect()
        });
        Ok(sums?.into_iter().sum::<Digest>().0 == self.mark.digest)
    }

    pub(crate) fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// A job as it is with all changes collected so far.
    pub(crate) fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.get(&keys::job_key(id))
    }

    pub(crate) fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Shows what was collected to every reader, with the mark at `seq`.
    pub(crate) fn commit(&mut self, seq: u64) -> Result<(), StoreError> {
        let mut digest = Digest(self.mark.digest);
        let mut changes = Vec::with_capacity(self.pending.len() + 1);
        for (key, value) in std::mem::take(&mut self.pending) {
            if let Some(old) = self.reader.get(&key)? {
                digest.remove(&key, &old);
            }
            if let Some(value) = &value {
                digest.add(&key, value);
            }
            changes.push((IVec::from(key), value.map(IVec::from)));
        }
        self.mark.seq = seq;
        self.mark.digest = digest.0;
        changes.push((IVec::from(keys::MARK), Some(encode(&self.mark)?.into())));
        self.reader.recent.extend(changes);
        Ok(())
    }

    /// Whether the disk has room for what was committed since the last time, wherever it is to go.
    pub(crate) fn has_room(&self) -> bool {
        let bytes = self.reader.recent.bytes();
        let has_room = |database: &Database| database.room.has_for_batch(bytes);
        has_room(&self.reader.stored.now())
            && self.renewal.as_ref().is_none_or(|renewal| has_room(&renewal.made))
    }

    /// Gives sled what was committed since the last time, in one batch. A full disk ends the index for this
    /// process: see [`Self::has_room`].
    pub(crate) fn write_back(&mut self) -> Result<(), StoreError> {
        let changes = self.reader.recent.all();
        if !changes.is_empty() {
            // The new one first: it may be in use by the time the batch is written to that.
            if let Some(renewal) = &mut self.renewal {
                renewal.follow(&changes);
            }
            self.reader.stored.now().tree.apply_batch(batch(&changes))?;
            self.reader.recent.clear();
        }
        Ok(())
    }

    /// Begins to make a new index in `directory`, where nothing else may be.
    pub(crate) fn begin_renewal(
        &mut self,
        disk: &Disk,
        directory: &Path,
        pairs_at_once: usize,
    ) -> Result<(), StoreError> {
        self.renewal = Some(Renewal::begin(disk, directory, pairs_at_once)?);
        Ok(())
    }

    /// Copies some more pairs into the new index. Once all are there, and add up, what makes it durable; from
    /// then on it follows until the renewal ends.
    pub(crate) fn renew(&mut self, disk: &Disk, directory: &Path) -> Result<Option<Durability>, StoreError> {
        self.write_back()?;
        let Some(renewal) = &mut self.renewal else { return Ok(None) };
        if !renewal.copy(&self.reader.stored)? {
            return Ok(None);
        }
        if !renewal.is_equal(&self.mark)? {
            return Err(StoreError::Index("the new one does not add up".to_owned()));
        }
        let stored = Stored::new(Arc::clone(&renewal.made));
        Ok(Some(Durability::new(stored, disk, directory)))
    }

    /// The new index is in use, or nobody wants it any more.
    pub(crate) fn end_renewal(&mut self) {
        self.renewal = None;
    }

    pub(super) fn put(&mut self, key: Vec<u8>, value: &impl Serialize) -> Result<(), StoreError> {
        let value = encode(value)?;
        self.put_bytes(key, value);
        Ok(())
    }

    pub(super) fn put_bytes(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.pending.insert(key, Some(value));
    }

    pub(super) fn delete(&mut self, key: Vec<u8>) {
        self.pending.insert(key, None);
    }

    /// Takes a job's history away, what was collected of it and not yet written included; its lines.
    pub(super) fn delete_history(&mut self, id: JobId) -> Result<u64, StoreError> {
        let prefix = keys::history_prefix(id);
        for pair in self.reader.scan(&prefix) {
            self.pending.insert(pair?.0.to_vec(), None);
        }
        let collected: Vec<Vec<u8>> = self
            .pending
            .range(prefix.clone()..)
            .map(|(key, _)| key)
            .take_while(|key| key.starts_with(&prefix))
            .cloned()
            .collect();
        let lines = collected.len() as u64;
        self.pending.extend(collected.into_iter().map(|key| (key, None)));
        Ok(lines)
    }

    pub(super) fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        match self.pending.get(key) {
            Some(Some(value)) => decode(value).map(Some),
            Some(None) => Ok(None),
            None => self.reader.get(key)?.map(|value| decode(&value)).transpose(),
        }
    }
}

/// Sum over the pairs of a part of the tree.
fn sum(tree: &sled::Tree, share: keys::Share) -> Result<Digest, StoreError> {
    let mut digest = Digest::default();
    for pair in tree.range(share) {
        let (key, value) = pair?;
        digest.add_pair(&key, &value);
    }
    Ok(digest)
}

impl Durability {
    fn new(stored: Stored, disk: &Disk, directory: &Path) -> Self {
        Self { stored, disk: disk.clone(), directory: directory.to_owned() }
    }

    /// Makes durable that the index is there: sled syncs neither the files that it creates nor their directories.
    pub(crate) fn sync_creation(&self) -> Result<(), StoreError> {
        let synced = sync_creation(&self.disk, &self.directory);
        synced.map_err(StoreError::file("syncing the index's directory"))
    }

    /// Puts `next`, which is durable, in the place of this one; that lies in the other's directory then, for
    /// whoever still reads it. Both names change at once.
    pub(crate) fn exchange(&self, next: &Self) -> Result<Former, StoreError> {
        let exchange = || {
            let exchanged = self.disk.exchange(&next.directory, &self.directory);
            exchanged.map_err(StoreError::io("exchanging the index"))
        };
        self.stored.put(next.stored.now(), exchange)
    }

    /// The last change that sled itself has, whatever else readers are shown.
    pub(crate) fn stored_seq(&self) -> Result<u64, StoreError> {
        let mark: Option<Mark> =
            self.stored.now().tree.get(keys::MARK)?.map(|value| decode(&value)).transpose()?;
        Ok(mark.map_or(0, |mark| mark.seq))
    }

    /// Whether the disk has room for what sled was given.
    pub(crate) fn has_room(&self) -> bool {
        self.stored.now().room.has_for_sync()
    }

    /// Records that the spool's directories are durable up to `seq`, and puts the index on stable
    /// storage. sled's own `flush` only starts the writing on Linux; our sync ends it.
    #[expect(clippy::disallowed_methods, reason = "the one place that may flush sled, as it syncs after it")]
    pub(crate) fn sync(&self, views_through: u64) -> Result<(), StoreError> {
        let database = self.stored.now();
        database.tree.insert(keys::VIEWS, encode(&views_through)?)?;
        database.db.flush()?;
        database.room.sync_file()
    }
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    postcard::to_allocvec(value).map_err(|error| StoreError::Index(error.to_string()))
}

fn sync_creation(disk: &Disk, directory: &Path) -> io::Result<()> {
    for name in ["conf", "db"] {
        disk.sync_dir(&directory.join(name))?;
    }
    for directory in
        [Some(directory.join("blobs")), Some(directory.to_owned()), directory.parent().map(Into::into)]
            .into_iter()
            .flatten()
            .filter(|directory| directory.is_dir())
    {
        disk.sync_dir(&directory)?;
    }
    Ok(())
}
