//! The worker as the composition root sees it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tidegate_domain::job::RetryPolicy;
use tidegate_domain::{Clock, Organizations};
use tidegate_hl7::Tables;
use tidegate_store::Store;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use crate::calls::{Calls, Work};
use crate::config::WorkerConfig;
use crate::dispatch::Dispatcher;
use crate::error::WorkerError;
use crate::process::Context;
use crate::targets::Targets;

/// Processes the store's jobs, several at once.
pub struct Worker {
    store: Store,
    organizations: watch::Receiver<Arc<Organizations>>,
    targets: Targets,
    config: WorkerConfig,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    tables: Arc<Tables>,
    turns: watch::Sender<()>,
    desk: Calls,
    calls: mpsc::Receiver<Work>,
}

impl Worker {
    /// A worker on `store`, with the clock that the store has too.
    pub fn new(
        store: Store,
        organizations: watch::Receiver<Arc<Organizations>>,
        targets: Targets,
        config: WorkerConfig,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (desk, calls) = Calls::new(store.clone(), Arc::clone(&clock));
        Self {
            store,
            organizations,
            targets,
            config,
            clock,
            retry: RetryPolicy::default(),
            tables: Arc::default(),
            turns: watch::Sender::default(),
            desk,
            calls,
        }
    }

    /// Waits by another policy after passing failures.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Looks codes up in these tables rather than in those that are compiled in.
    #[must_use]
    pub fn with_tables(mut self, tables: Arc<Tables>) -> Self {
        self.tables = tables;
        self
    }

    /// Where messages are handed in whose senders wait for the answer.
    pub fn calls(&self) -> Calls {
        self.desk.clone()
    }

    /// Changes with each turn of the worker, of which there is at least one a second while it runs, be the
    /// gate open or closed; for whoever watches whether it still moves.
    pub fn turns(&self) -> watch::Receiver<()> {
        self.turns.subscribe()
    }

    /// Works until `shutdown`, then gives the files in hand back between two messages, each with a
    /// checkpoint, and returns. Needs a multi-threaded runtime; files are processed on its blocking
    /// threads. If the returned future is dropped, files in hand stop at their next message too, and
    /// their claims run out.
    ///
    /// An error means that the process has to end: see [`WorkerError`].
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), WorkerError> {
        let context = Context {
            store: self.store,
            organizations: self.organizations,
            targets: self.targets,
            clock: self.clock,
            retry: self.retry,
            tables: self.tables,
            stopping: AtomicBool::new(false),
            runtime: Handle::current(),
        };
        let slots = self.config.jobs_concurrent_max;
        Dispatcher::new(context, slots, self.turns, self.calls).run(shutdown).await
    }
}
