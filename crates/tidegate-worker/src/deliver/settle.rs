//! One sync for all who wait for one.
//!
//! Invariant: whoever returns from [`GroupSync::settle`] with `Ok` was covered by a sync that began
//! after the call; after a failed sync nobody ever gets `Ok` again.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Syncs the file system of a directory.
#[derive(Debug)]
pub(super) struct GroupSync {
    directory: File,
    asked: AtomicU64,
    synced: Mutex<Synced>,
}

#[derive(Debug)]
enum Synced {
    /// Everybody who asked as this one or before.
    UpTo(u64),
    Failed,
}

impl GroupSync {
    pub(super) fn new(directory: File) -> Self {
        Self { directory, asked: AtomicU64::new(0), synced: Mutex::new(Synced::UpTo(0)) }
    }

    pub(super) fn settle(&self) -> io::Result<()> {
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        // While one syncs, the others wait here; the next one syncs for all of them.
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        match *synced {
            Synced::Failed => return Err(io::Error::other("an earlier sync failed")),
            Synced::UpTo(last) if last >= mine => return Ok(()),
            Synced::UpTo(_) => {}
        }
        let covered = self.asked.load(Ordering::SeqCst);
        let result = rustix::fs::syncfs(&self.directory);
        *synced = if result.is_ok() { Synced::UpTo(covered) } else { Synced::Failed };
        Ok(result?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_returns_before_a_sync_that_covers_him() {
        let directory = tempfile::tempdir().unwrap();
        let sync = GroupSync::new(File::open(directory.path()).unwrap());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..20).for_each(|_| sync.settle().unwrap()));
            }
        });
        assert!(matches!(*sync.synced.lock().unwrap(), Synced::UpTo(160)));
    }

    #[test]
    fn a_failed_sync_is_never_followed_by_a_good_one() {
        let directory = tempfile::tempdir().unwrap();
        let sync = GroupSync::new(File::open(directory.path()).unwrap());
        *sync.synced.lock().unwrap() = Synced::Failed;
        assert!(sync.settle().is_err());
    }
}
