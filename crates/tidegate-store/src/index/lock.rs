//! Waits for the index's lock.
//!
//! sled locks its file while it has it open, and its threads hold it a moment longer than whoever used it. An index that
//! is locked says nothing of what it is worth, so nobody opens it before the lock is free.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};

/// So long the lock is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether nobody has the index in `directory` open, or soon nobody had any more. Blocks.
pub(crate) fn wait_until_unlocked(directory: &Path) -> bool {
    wait(directory, PATIENCE)
}

fn wait(directory: &Path, patience: Duration) -> bool {
    // What is not there is not locked; what can't be opened is for sled to tell.
    let Ok(file) = File::open(directory.join("db")) else { return true };
    if flock(&file, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK) {
        return true;
    }
    // The kernel has no limit for how long it waits. A thread that is given up ends with the lock.
    let (unlocked, heard) = channel();
    let waiting = std::thread::Builder::new().name("store-unlock".to_owned()).spawn(move || {
        _ = retry_on_intr(|| flock(&file, FlockOperation::LockExclusive));
        drop(file);
        _ = unlocked.send(());
    });
    waiting.is_ok() && heard.recv_timeout(patience).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked() -> (tempfile::TempDir, File) {
        let directory = tempfile::tempdir().unwrap();
        let file = File::create(directory.path().join("db")).unwrap();
        flock(&file, FlockOperation::LockExclusive).unwrap();
        (directory, file)
    }

    #[test]
    fn a_lock_that_is_given_up_is_waited_for() {
        let (directory, file) = locked();
        assert!(!wait(directory.path(), Duration::ZERO));
        // Waits behind the thread of the look before, so that it is there for the lock.
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| wait(directory.path(), PATIENCE));
            drop(file);
            assert!(waits.join().unwrap());
        });
        assert!(wait(directory.path(), PATIENCE), "and it is free afterwards");
    }

    #[test]
    fn what_is_not_there_is_not_locked() {
        assert!(wait(tempfile::tempdir().unwrap().path(), Duration::ZERO));
    }
}
