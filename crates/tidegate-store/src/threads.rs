//! The store's threads and the order in which they end.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::core::Core;
use crate::index::wait_until_unlocked;
use crate::open;
use crate::syncer::Syncer;

/// Joins the threads once, when the store is closed.
#[derive(Debug)]
pub(crate) struct Threads {
    running: Mutex<Option<Running>>,
    syncer: Mutex<Option<Syncer>>,
}

#[derive(Debug)]
struct Running {
    /// Tells whether the index was given everything.
    commit: JoinHandle<bool>,
    /// Tells whether it is durable.
    sync: JoinHandle<bool>,
    /// Looks for decay in the index.
    check: Option<JoinHandle<()>>,
}

/// Held by a thread: if it panics the store has failed, and nobody is left to wait for it.
pub(crate) struct PanicGuard(pub(crate) Arc<Core>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.poison("running a thread of the store", &"it panicked");
        }
    }
}

impl Threads {
    pub(crate) fn new(commit: JoinHandle<bool>, sync: JoinHandle<bool>, syncer: Syncer) -> Self {
        let running = Mutex::new(Some(Running { commit, sync, check: None }));
        Self { running, syncer: Mutex::new(Some(syncer)) }
    }

    /// A thread that ends by itself, or when the store closes.
    pub(crate) fn join_too(&self, check: JoinHandle<()>) {
        if let Some(running) = self.running.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            running.check = Some(check);
        }
    }

    pub(crate) fn syncer(&self) -> Option<Syncer> {
        self.syncer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for the committer, which was told to end, then for the last sync, then for sled to let go of
    /// the index, and notes that all is in order.
    pub(crate) fn close(&self, core: &Core) {
        let Some(running) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        core.is_closing.store(true, Ordering::Relaxed);
        *core.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let checked = running.check.is_none_or(|check| check.join().is_ok());
        let committed = running.commit.join().unwrap_or(false);
        drop(self.syncer.lock().unwrap_or_else(PoisonError::into_inner).take());
        let synced = running.sync.join().unwrap_or(false);
        core.give_reader_up();
        if checked && committed && synced && core.check().is_ok() && !note_clean(core) {
            tracing::warn!("a clean end could not be noted; the next start looks at everything");
        }
        drop(core.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// sled may write to the index for as long as it has it open, which would look like a hand laid on it.
fn note_clean(core: &Core) -> bool {
    wait_until_unlocked(&core.layout.queue()) && open::note_clean(core.disk(), &core.layout).is_ok()
}
