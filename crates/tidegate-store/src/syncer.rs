//! The thread that waits for the disk so that the committer need not.
//!
//! Whoever needs files durable asks; all who asked meanwhile share one `syncfs`. The same thread
//! makes the index durable and seals full segments of the journal.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::core::Core;
use crate::error::StoreError;
use crate::index::Durability;
use crate::journal::{self, Segment};
use crate::threads::PanicGuard;

/// What the thread may be asked.
#[derive(Debug)]
pub(crate) enum Request {
    /// Everything written so far shall be durable.
    Files(oneshot::Sender<Result<(), StoreError>>),
    /// The index shall be durable.
    Index,
    /// The same; answers with the change up to which index and directories are durable then.
    Views(oneshot::Sender<Result<u64, StoreError>>),
    /// A segment is full.
    Seal(Segment),
}

/// A handle on the thread.
#[derive(Debug, Clone)]
pub(crate) struct Syncer {
    requests: Sender<Request>,
}

impl Syncer {
    pub(crate) fn start(
        core: Arc<Core>,
        durability: Durability,
        store_id: u64,
    ) -> std::io::Result<(Self, JoinHandle<bool>)> {
        let (requests, inbox) = channel();
        let thread = Thread { core, durability, store_id, inbox };
        let handle = std::thread::Builder::new().name("store-sync".to_owned()).spawn(move || thread.run())?;
        Ok((Self { requests }, handle))
    }

    pub(crate) fn request(&self, request: Request) {
        // A thread that is gone has poisoned the store, which the asker learns of there.
        drop(self.requests.send(request));
    }

    /// Everything written to files before is on stable storage when this returns.
    pub(crate) async fn files(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.request(Request::Files(reply));
        answer.await.unwrap_or(Err(StoreError::Closed))
    }
}

impl Syncer {
    /// Makes the index and the directories durable; up to which change they are.
    pub(crate) async fn views(&self) -> Result<u64, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.request(Request::Views(reply));
        answer.await.unwrap_or(Err(StoreError::Closed))
    }
}

struct Thread {
    core: Arc<Core>,
    durability: Durability,
    store_id: u64,
    inbox: Receiver<Request>,
}

impl Thread {
    /// Serves requests until every handle is gone; whether the index is durable then.
    fn run(self) -> bool {
        let _guard = PanicGuard(Arc::clone(&self.core));
        let mut round = Round::default();
        while let Ok(first) = self.inbox.recv() {
            round.take(first);
            while let Ok(next) = self.inbox.try_recv() {
                round.take(next);
            }
            if let Err(error) = self.serve(&mut round) {
                self.core.poison("syncing", &error);
                return false;
            }
        }
        // Every handle is gone: the store closes. What is synced now need not be looked at next time.
        round.take(Request::Index);
        match self.serve(&mut round) {
            Ok(()) => !round.index,
            Err(error) => {
                self.core.poison("syncing at the close", &error);
                false
            }
        }
    }

    fn serve(&self, round: &mut Round) -> Result<(), StoreError> {
        self.core.check()?;
        let settled = self.core.settled();
        // What sled is given later than this may not be on the disk afterwards.
        let durable = settled.min(self.durability.stored_seq()?);
        self.core
            .disk()
            .sync_all_of(&self.core.directory)
            .map_err(StoreError::io("syncing the file system"))?;
        for reply in round.files.drain(..) {
            drop(reply.send(Ok(())));
        }
        if round.concerns_index() {
            if !self.durability.has_room() {
                round.wait_for_room();
                return Ok(());
            }
            self.durability.sync(settled)?;
            round.index = false;
        }
        for segment in round.full.drain(..) {
            self.seal(&segment);
        }
        for reply in round.views.drain(..) {
            drop(reply.send(Ok(durable)));
        }
        Ok(())
    }

    /// A segment that can't be sealed stays as it is, which costs space only.
    fn seal(&self, segment: &Segment) {
        let sealed = journal::seal(self.core.disk(), &self.core.layout.journal(), self.store_id, segment);
        if let Err(error) = sealed.map_err(self.core.io("sealing a segment")) {
            tracing::warn!(%error, first = segment.first_seq, "journal segment was not sealed");
        }
    }
}

/// The requests that one sync serves. What concerns the index stays while the disk has no room for that.
#[derive(Debug, Default)]
struct Round {
    files: Vec<oneshot::Sender<Result<(), StoreError>>>,
    index: bool,
    views: Vec<oneshot::Sender<Result<u64, StoreError>>>,
    full: Vec<Segment>,
}

impl Round {
    fn take(&mut self, request: Request) {
        match request {
            Request::Files(reply) => self.files.push(reply),
            Request::Index => self.index = true,
            Request::Views(reply) => self.views.push(reply),
            Request::Seal(segment) => self.full.push(segment),
        }
    }

    fn concerns_index(&self) -> bool {
        self.index || !self.full.is_empty() || !self.views.is_empty()
    }

    /// Only those who asked for an answer have to ask again.
    fn wait_for_room(&mut self) {
        for reply in self.views.drain(..) {
            drop(reply.send(Err(StoreError::NoSpace)));
        }
    }
}
