//! How many sessions there are of each organization, and from each address.
//!
//! Invariant: nobody ever has more than the limit, and what one uses is not missing to another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts sessions by what they have in common.
#[derive(Debug)]
pub struct SessionCounts<K: Ord> {
    open: Arc<Mutex<BTreeMap<K, usize>>>,
}

impl<K: Ord> Default for SessionCounts<K> {
    fn default() -> Self {
        Self { open: Arc::default() }
    }
}

impl<K: Ord + Clone> SessionCounts<K> {
    /// A place for one more session of `key`, held until it is dropped; `None` if there are `max` already.
    pub fn admit(&self, key: &K, max: usize) -> Option<Counted<K>> {
        let mut open = lock(&self.open);
        let count = open.entry(key.clone()).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Counted { open: Arc::clone(&self.open), key: key.clone() })
    }
}

/// A session's place.
#[derive(Debug)]
pub struct Counted<K: Ord> {
    open: Arc<Mutex<BTreeMap<K, usize>>>,
    key: K,
}

impl<K: Ord> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

fn lock<K: Ord>(open: &Mutex<BTreeMap<K, usize>>) -> MutexGuard<'_, BTreeMap<K, usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_does_not_take_the_places_of_another() {
        let sessions = SessionCounts::default();
        let held = sessions.admit(&"A", 1);
        assert!(held.is_some() && sessions.admit(&"A", 1).is_none());
        assert!(sessions.admit(&"B", 1).is_some());
        assert!(sessions.admit(&"A", 2).is_some(), "a limit that was raised counts at once");
        drop(held);
        assert!(sessions.admit(&"A", 1).is_some());
        assert!(lock(&sessions.open).is_empty(), "nothing is kept of those without sessions");
    }
}
