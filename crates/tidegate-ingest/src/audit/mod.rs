//! The audit log: who logged in, from where, what was sent, fetched and deleted, what was refused and why, and who
//! was turned away.
//!
//! Invariant: it never holds anybody up and never makes anything fail. What its bounded queue can't take, or
//! the disk refuses, is counted, told in the log and in [`Audit::trouble`], and the count is written as soon
//! as that is possible. No entry has a file's name or contents, nor an account's name that does not exist:
//! people type passwords there.

mod entry;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tidegate_domain::{Clock, OrgCode};
use tidegate_store::Sender;
use tokio::sync::{mpsc, oneshot};

use crate::accounts::Login;
use crate::session::Session;
use crate::tally::Tally;

use entry::Entry;
pub use entry::Event;

/// Entries that wait to be written.
const QUEUE_MAX: usize = 10_000;

/// Where entries go; cheap to clone. The default keeps none, and counts them all the same.
#[derive(Clone, Default)]
pub struct Audit {
    log: Option<Arc<Log>>,
    tally: Arc<Tally>,
}

/// What the callers and the writer share.
struct Log {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    queue: mpsc::Sender<Order>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Entries that were not written since the last ones that were.
    lost: AtomicU64,
    trouble: Mutex<Option<String>>,
}

/// What the writer is told.
enum Order {
    Write(Entry),
    Reopen,
    /// Everything before has been tried.
    Tell(oneshot::Sender<()>),
}

impl Audit {
    /// Appends to the file at `path`, which is made for its owner only if it is not there. A thread of its own
    /// writes, and ends with the last clone. Whether the file can be opened shows in [`Self::trouble`].
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let (queue, orders) = mpsc::channel(QUEUE_MAX);
        let shared = Arc::new(Shared::default());
        let writer = writer::Writer::new(path.to_owned(), Arc::clone(&clock), Arc::clone(&shared));
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(orders))?;
        let log = Some(Arc::new(Log { path: path.to_owned(), clock, queue, shared }));
        Ok(Self { log, tally: Arc::default() })
    }

    /// Notes what happened in a session; `login` where somebody is known.
    pub fn note(&self, session: &Session, login: Option<&Login>, event: Event) {
        self.tally.count(session.protocol(), event.as_str());
        self.write(|at| Entry::new(at, session, login, event));
    }

    /// Notes what happened to a file of a watched folder, or to its answer.
    pub(crate) fn note_folder(&self, org: &OrgCode, folder: &Sender, event: Event) {
        self.tally.count(folder.protocol, event.as_str());
        self.write(|at| Entry::of_folder(at, org, folder, event));
    }

    /// Notes that an upload was removed which nobody went on with.
    pub fn note_abandoned(&self, org: &OrgCode, size_bytes: u64) {
        self.write(|at| Entry::of_org(at, org, None, Event::Abandoned { size_bytes }));
    }

    /// Notes what was done about an address.
    pub(crate) fn note_defence(&self, event: Event) {
        self.write(|at| Entry::of_nobody(at, event));
    }

    /// Notes what staff changed about an organization, or about that account of it.
    pub fn note_change(&self, org: &OrgCode, account: Option<&str>, staff: &str, change: &str) {
        let event = Event::OrganizationChanged { staff: staff.to_owned(), change: change.to_owned() };
        self.write(|at| Entry::of_org(at, org, account, event));
    }

    fn write(&self, entry: impl FnOnce(DateTime<Utc>) -> Entry) {
        let Some(log) = &self.log else { return };
        if log.queue.try_send(Order::Write(entry(log.clock.now()))).is_err() {
            log.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often what happened since the start.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Opens the file anew, after somebody has moved it away.
    pub fn reopen(&self) {
        if let Some(log) = &self.log {
            // With the queue full the next rotation does it; the old file goes on until then.
            let _ = log.queue.try_send(Order::Reopen);
        }
    }

    /// What is wrong, for people.
    pub fn trouble(&self) -> Option<String> {
        let log = self.log.as_ref()?;
        log.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Resolves when everything that was noted so far has been written, or refused by the disk.
    pub async fn flushed(&self) {
        let Some(log) = &self.log else { return };
        let (told, done) = oneshot::channel();
        if log.queue.send(Order::Tell(told)).await.is_ok() {
            // An error means that the writer is gone, and nothing more will be written.
            let _ = done.await;
        }
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Audit").field(&self.log.as_ref().map(|log| &log.path)).finish()
    }
}

#[cfg(test)]
#[path = "../audit_tests.rs"]
mod tests;
