//! Changes that sled does not have yet.
//!
//! Each batch that sled is given costs it a rollover of its log and the waking of its threads, as much
//! as a durable accept costs otherwise. So the writer keeps what changed since the index was last made
//! durable here and gives it to sled in one batch before the next time; readers see both as one. What a
//! crash takes from here, the journal has.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sled::IVec;

use super::database::{Database, Stored};
use crate::error::StoreError;

/// A key and its value; none for a key that is gone.
pub(super) type Change = (IVec, Option<IVec>);

/// Values by key; none for a key that is gone.
type Changes = BTreeMap<IVec, Option<IVec>>;

/// Changes as sled takes them, all or none.
pub(super) fn batch<'a>(changes: impl IntoIterator<Item = &'a Change>) -> sled::Batch {
    let mut batch = sled::Batch::default();
    for (key, value) in changes {
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
    }
    batch
}

/// The changes, shared by the writer and all readers.
#[derive(Debug, Clone, Default)]
pub(super) struct Recent(Arc<RwLock<Changes>>);

impl Recent {
    /// The value of a key: if nothing is known of it here, the one that `stored` tells. That is asked after this
    /// was looked at: what is not here any more has gone to whichever database is in use by then.
    pub(super) fn get_or(
        &self,
        key: &[u8],
        stored: impl FnOnce() -> sled::Result<Option<IVec>>,
    ) -> Result<Option<IVec>, StoreError> {
        let changed = self.read().get(key).cloned();
        Ok(changed.map_or_else(stored, Ok)?)
    }

    pub(super) fn extend(&self, changes: impl IntoIterator<Item = Change>) {
        self.write().extend(changes);
    }

    /// All of them, by key.
    pub(super) fn all(&self) -> Vec<Change> {
        self.read().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> u64 {
        let len =
            |(key, value): (&IVec, &Option<IVec>)| key.len() + value.as_ref().map_or(0, |value| value.len());
        self.read().iter().map(len).sum::<usize>() as u64
    }

    /// Forgets what sled has by now.
    pub(super) fn clear(&self) {
        self.write().clear();
    }

    /// The changes of keys from `from` up to `end`.
    fn range(&self, from: &[u8], end: &[u8]) -> VecDeque<Change> {
        let bounds = (std::ops::Bound::Included(from), std::ops::Bound::Excluded(end));
        let changes = self.read();
        changes.range::<[u8], _>(bounds).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Changes> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Changes> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pair of the index.
pub(super) type Pair = Result<(IVec, IVec), StoreError>;

/// The pairs of a range, from both ends: those of sled with the recent changes over them.
pub(super) struct Pairs {
    recent: VecDeque<Change>,
    stored: sled::Iter,
    /// Pairs that were taken from `stored` and not yet given out.
    first: Option<sled::Result<(IVec, IVec)>>,
    last: Option<sled::Result<(IVec, IVec)>>,
    /// The last keys that were taken from `recent`, from either end.
    passed: (Option<IVec>, Option<IVec>),
    /// What `stored` is read from.
    _database: Arc<Database>,
}

impl Pairs {
    /// The pairs from `from` up to `end`.
    pub(super) fn new(recent: &Recent, stored: &Stored, from: &[u8], end: &[u8]) -> Self {
        // In this order: what goes from the one to the other meanwhile may come twice, but never not at all.
        let recent = recent.range(from, end);
        let database = stored.now();
        let stored = database.tree.range(from..end);
        Self { recent, stored, first: None, last: None, passed: (None, None), _database: database }
    }

    /// Whether a stored pair went there from `recent` after it was given out from there.
    fn is_passed(&self, stored: Option<&sled::Result<(IVec, IVec)>>) -> bool {
        let Some(Ok((key, _))) = stored else { return false };
        let (first, last) = &self.passed;
        first.as_ref().is_some_and(|passed| key <= passed)
            || last.as_ref().is_some_and(|passed| key >= passed)
    }
}

impl Iterator for Pairs {
    type Item = Pair;

    fn next(&mut self) -> Option<Pair> {
        loop {
            if self.first.is_none() {
                self.first = self.stored.next().or_else(|| self.last.take());
            }
            if self.is_passed(self.first.as_ref()) {
                self.first = None;
                continue;
            }
            let change = self.recent.front().map(|(key, _)| key);
            match (&self.first, change) {
                (None, None) => return None,
                (Some(Ok((stored, _))), Some(changed)) if changed < stored => {}
                (Some(Ok((stored, _))), Some(changed)) if changed == stored => self.first = None,
                (None, Some(_)) => {}
                (Some(_), _) => return self.first.take().map(|pair| pair.map_err(StoreError::from)),
            }
            if let Some((key, value)) = self.recent.pop_front() {
                self.passed.0 = Some(key.clone());
                if let Some(value) = value {
                    return Some(Ok((key, value)));
                }
            }
        }
    }
}

impl DoubleEndedIterator for Pairs {
    fn next_back(&mut self) -> Option<Pair> {
        loop {
            if self.last.is_none() {
                self.last = self.stored.next_back().or_else(|| self.first.take());
            }
            if self.is_passed(self.last.as_ref()) {
                self.last = None;
                continue;
            }
            let change = self.recent.back().map(|(key, _)| key);
            match (&self.last, change) {
                (None, None) => return None,
                (Some(Ok((stored, _))), Some(changed)) if changed > stored => {}
                (Some(Ok((stored, _))), Some(changed)) if changed == stored => self.last = None,
                (None, Some(_)) => {}
                (Some(_), _) => return self.last.take().map(|pair| pair.map_err(StoreError::from)),
            }
            if let Some((key, value)) = self.recent.pop_back() {
                self.passed.1 = Some(key.clone());
                if let Some(value) = value {
                    return Some(Ok((key, value)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_disk::Disk;

    use super::*;

    fn stored() -> (tempfile::TempDir, Stored) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&Disk::default(), dir.path()).unwrap();
        (dir, Stored::new(Arc::new(database)))
    }

    /// Whatever lies where, both ends together give every pair once, the recent ones before the stored.
    #[test]
    fn both_ends_see_the_recent_changes_over_the_stored_pairs() {
        let (_dir, stored) = stored();
        let tree = &stored.now().tree;
        let recent = Recent::default();
        let mut expected = BTreeMap::new();
        for key in 0..60_u8 {
            // In all combinations: stored or not; changed, removed or neither.
            if key % 2 == 0 {
                tree.insert([key], &[0]).unwrap();
                expected.insert(key, 0);
            }
            if key % 3 == 0 {
                recent.extend([(IVec::from(&[key]), Some(IVec::from(&[1])))]);
                expected.insert(key, 1);
            } else if key % 5 == 0 {
                recent.extend([(IVec::from(&[key]), None)]);
                expected.remove(&key);
            }
        }
        let expected: Vec<(u8, u8)> = expected.into_iter().filter(|(key, _)| (5..55).contains(key)).collect();
        let plain = |pair: Pair| pair.map(|(key, value)| (key[0], value[0])).unwrap();
        let pairs = || Pairs::new(&recent, &stored, &[5], &[55]);
        assert_eq!(pairs().map(plain).collect::<Vec<_>>(), expected);
        assert!(pairs().rev().map(plain).eq(expected.iter().rev().copied()));
        for turns in [2, 3, 7] {
            let (mut both, mut front, mut back) = (pairs(), Vec::new(), Vec::new());
            for turn in 0.. {
                let (next, into) =
                    if turn % turns == 0 { (both.next_back(), &mut back) } else { (both.next(), &mut front) };
                let Some(pair) = next else { break };
                into.push(plain(pair));
            }
            back.reverse();
            assert_eq!([front, back].concat(), expected, "every {turns}");
        }
    }

    /// A listing that was read while sled was given the changes told a job twice.
    #[test]
    fn what_goes_to_sled_while_it_is_read_is_seen_once() {
        for (moved_at, ends) in (0..=5).flat_map(|turn| [1, 2, 3].map(|ends| (turn, ends))) {
            let (_dir, stored) = stored();
            let tree = &stored.now().tree;
            tree.insert([2], &[0]).unwrap();
            let recent = Recent::default();
            recent.extend([1, 3, 4, 5].map(|key| (IVec::from(&[key]), Some(IVec::from(&[1])))));
            let mut pairs = Pairs::new(&recent, &stored, &[0], &[9]);
            let mut seen = Vec::new();
            for turn in 0.. {
                if turn == moved_at {
                    tree.apply_batch(batch(&recent.all())).unwrap();
                    recent.clear();
                }
                let is_front = ends == 1 || (ends == 3 && turn % 2 == 0);
                let Some(pair) = (if is_front { pairs.next() } else { pairs.next_back() }) else { break };
                seen.push(pair.unwrap().0[0]);
            }
            seen.sort_unstable();
            assert_eq!(seen, [1, 2, 3, 4, 5], "moved at {moved_at}, ends {ends}");
        }
    }
}
