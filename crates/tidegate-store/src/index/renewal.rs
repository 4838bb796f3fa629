//! A new index, made from the one in use while that goes on.
//!
//! sled does not give back what its file once took, and under steady work the file grows although there is
//! nothing in it (`docs/decisions/0014-renewal-of-the-index.md`). A database that was just filled is short.
//!
//! Invariant: the new database has the pairs of the one in use up to the key that was copied last, and none
//! behind it. The writer alone calls what is here, so the pairs do not change while they are copied; what it
//! writes later goes to both. The copy takes its place only if its pairs add up to the mark.

use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use sled::IVec;
use tidegate_disk::Disk;

use super::database::{Database, Stored};
use super::digest::Digest;
use super::read::decode;
use super::recent::{Change, batch};
use super::{Mark, keys};
use crate::error::StoreError;

/// Copied at once, but for what one pair has more.
const BYTES_AT_ONCE: usize = 1 << 20;

/// How far the new index is.
#[derive(Debug)]
pub(super) struct Renewal {
    pub(super) made: Arc<Database>,
    pairs_at_once: usize,
    reached: Reached,
    /// Sum over the pairs that it has.
    digest: Digest,
    /// Why it lacks a change.
    failed: Option<StoreError>,
}

#[derive(Debug)]
enum Reached {
    Nothing,
    Key(IVec),
    End,
}

impl Renewal {
    /// Begins one in `directory`, where nothing else may be.
    pub(super) fn begin(disk: &Disk, directory: &Path, pairs_at_once: usize) -> Result<Self, StoreError> {
        disk.remove_dir_all(directory).map_err(StoreError::io("removing what is left of a new index"))?;
        let made = Arc::new(contained(|| Database::open(disk, directory))?);
        if !made.is_movable() {
            return Err(StoreError::Index("without /proc it can't be moved".to_owned()));
        }
        let (reached, digest) = (Reached::Nothing, Digest::default());
        Ok(Self { made, pairs_at_once, reached, digest, failed: None })
    }

    /// Copies the next pairs; whether all are there.
    pub(super) fn copy(&mut self, stored: &Stored) -> Result<bool, StoreError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        contained(|| self.copy_next(&stored.now().tree))?;
        Ok(matches!(self.reached, Reached::End))
    }

    fn copy_next(&mut self, from: &sled::Tree) -> Result<(), StoreError> {
        let behind = match &self.reached {
            Reached::Nothing => Bound::Unbounded,
            Reached::Key(key) => Bound::Excluded(key.clone()),
            Reached::End => return Ok(()),
        };
        let (mut pairs, mut bytes) = (Vec::new(), 0);
        for pair in from.range((behind.clone(), Bound::Unbounded)) {
            let (key, value) = pair?;
            bytes += key.len() + value.len();
            pairs.push((key, Some(value)));
            if pairs.len() >= self.pairs_at_once || bytes >= BYTES_AT_ONCE {
                break;
            }
        }
        let Some((last, _)) = pairs.last().cloned() else {
            self.reached = Reached::End;
            return Ok(());
        };
        self.made.tree.apply_batch(batch(&pairs))?;
        // What it gives back counts, not what it was given.
        for pair in self.made.tree.range((behind, Bound::Included(last.clone()))) {
            let (key, value) = pair?;
            self.digest.add_pair(&key, &value);
        }
        self.reached = Reached::Key(last);
        Ok(())
    }

    /// Gives it changes that go to the one in use next. One that fails is not the other's concern.
    pub(super) fn follow(&mut self, changes: &[Change]) {
        if let Err(error) = contained(|| self.write(changes)) {
            self.made.note_lack();
            self.failed = Some(error);
        }
    }

    fn write(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let known: Vec<&Change> = changes.iter().filter(|(key, _)| self.has_reached(key)).collect();
        for (key, value) in &known {
            if let Some(old) = self.made.tree.get(key)? {
                self.digest.remove_pair(key, &old);
            }
            if let Some(value) = value {
                self.digest.add_pair(key, value);
            }
        }
        Ok(self.made.tree.apply_batch(batch(known))?)
    }

    fn has_reached(&self, key: &IVec) -> bool {
        match &self.reached {
            Reached::Nothing => false,
            Reached::Key(last) => key <= last,
            Reached::End => true,
        }
    }

    /// Whether it is what the one in use is, which has this mark.
    pub(super) fn is_equal(&self, mark: &Mark) -> Result<bool, StoreError> {
        let found = self.made.tree.get(keys::MARK)?.map(|value| decode::<Mark>(&value)).transpose()?;
        Ok(found.as_ref() == Some(mark) && self.digest.0 == mark.digest)
    }
}

/// A panic inside sled ends the attempt, not the thread.
pub(crate) fn contained<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let panicked = |_| Err(StoreError::Index("sled panicked".to_owned()));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked)
}
