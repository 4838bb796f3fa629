//! The thread that waits for the disk so that the committer need not.
//!
//! Whoever needs files durable asks; all who asked meanwhile share one `syncfs`. The same thread
//! makes the index durable and seals full segments of the journal.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::core::Core;
use crate::error::StoreError;
use crate::index::{Durability, Former, contained};
use crate::journal::{self, Segment};
use crate::threads::PanicGuard;

/// Between two looks whether somebody still reads an index that was replaced.
const FORMER_LOOK: Duration = Duration::from_millis(20);

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
    /// A new index shall be in use, which lies in the directory for the next one. It, or the old one in its
    /// place, is gone from there by the answer.
    Renew(Durability, Renewed),
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
        let thread = Thread { core, durability, store_id, inbox, former: None };
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
    /// An index that was replaced and is not removed yet, and who waits for that.
    former: Option<(Former, Renewed)>,
}

/// Whoever wants a new index in use.
type Renewed = oneshot::Sender<Result<(), StoreError>>;

impl Thread {
    /// Serves requests until every handle is gone; whether the index is durable then.
    fn run(mut self) -> bool {
        let _guard = PanicGuard(Arc::clone(&self.core));
        let mut round = Round::default();
        while let Some(first) = self.next() {
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
        let served = self.serve(&mut round);
        self.remove_former();
        match served {
            Ok(()) => !round.index,
            Err(error) => {
                self.core.poison("syncing at the close", &error);
                false
            }
        }
    }

    /// The next request; none if there will be no more.
    fn next(&mut self) -> Option<Request> {
        loop {
            self.remove_former();
            let next = match self.former {
                Some(_) => self.inbox.recv_timeout(FORMER_LOOK),
                None => self.inbox.recv().map_err(RecvTimeoutError::from),
            };
            match next {
                Err(RecvTimeoutError::Timeout) => {}
                next => return next.ok(),
            }
        }
    }

    fn serve(&mut self, round: &mut Round) -> Result<(), StoreError> {
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
                if let Some((_, reply)) = round.next.take() {
                    self.refuse_next(reply, StoreError::NoSpace);
                }
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
        if let Some((next, reply)) = round.next.take() {
            self.renew(&next, settled, reply)?;
        }
        Ok(())
    }

    /// Makes a new index durable, then puts it in use. If it can't be the old one goes on; only a sync that
    /// failed is the store's end.
    fn renew(&mut self, next: &Durability, settled: u64, reply: Renewed) -> Result<(), StoreError> {
        if !next.has_room() {
            self.refuse_next(reply, StoreError::NoSpace);
            return Ok(());
        }
        let made = contained(|| next.sync_creation().and_then(|()| next.sync(settled)));
        match made.and_then(|()| self.durability.exchange(next)) {
            Ok(former) => {
                let (disk, root) = (self.core.disk(), self.core.layout.root());
                let synced = disk.sync_file(root, &self.core.directory);
                synced.map_err(StoreError::io("syncing the exchange of the index"))?;
                self.former = Some((former, reply));
            }
            Err(error) if error.is_failed_sync() => return Err(error),
            Err(error) => self.refuse_next(reply, error),
        }
        Ok(())
    }

    fn refuse_next(&self, reply: Renewed, error: StoreError) {
        self.remove_next_index();
        drop(reply.send(Err(error)));
    }

    /// Once nobody reads it; the next index is not begun before.
    fn remove_former(&mut self) {
        if let Some((former, reply)) = self.former.take_if(|(former, _)| !former.is_read()) {
            drop(former);
            self.remove_next_index();
            drop(reply.send(Ok(())));
        }
    }

    /// One that stays is removed before the next is made, or by the next start.
    fn remove_next_index(&self) {
        if let Err(error) = self.core.disk().remove_dir_all(&self.core.layout.next_queue()) {
            tracing::warn!(%error, "what is left of an index was not removed");
        }
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
    next: Option<(Durability, Renewed)>,
}

impl Round {
    fn take(&mut self, request: Request) {
        match request {
            Request::Files(reply) => self.files.push(reply),
            Request::Index => self.index = true,
            Request::Views(reply) => self.views.push(reply),
            Request::Seal(segment) => self.full.push(segment),
            Request::Renew(next, reply) => self.next = Some((next, reply)),
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;
    use std::sync::Mutex;
    use std::time::Instant;

    use tidegate_disk::{Call, Disk, Grant, Watch};
    use tidegate_domain::SystemClock;

    use super::*;
    use crate::{Options, Renewal, Store};

    /// Tells when a new index is about to be made durable, and waits until it may be.
    #[derive(Debug)]
    struct Held {
        comes: Sender<()>,
        may: Mutex<Receiver<()>>,
    }

    impl Watch for Held {
        fn before(&self, call: &Call<'_>) -> io::Result<Grant> {
            if matches!(call, Call::Sync(path) if path.ends_with("queue.next/db")) {
                _ = self.comes.send(());
                // Only once: the other end is gone afterwards.
                _ = self.may.lock().unwrap().recv();
            }
            Ok(Grant::Whole)
        }
    }

    async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !is_so() {
            assert!(Instant::now() < deadline, "{what}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn is_there(name: &str, below: &Path) -> bool {
        below.join(name).exists()
    }

    /// sled opens the files of large values by their names whenever it is asked for them.
    #[tokio::test]
    async fn an_index_that_was_replaced_is_there_until_nobody_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let ((comes, came), (go, may)) = (channel(), channel());
        let renewal = Renewal { garbage_bytes_max: 0, pairs_at_once: 2, pause: Duration::ZERO };
        let disk = Disk::watched(Arc::new(Held { comes, may: Mutex::new(may) }));
        let options = Options { renewal, disk, ..Options::default() };
        let (store, _) = Store::open(dir.path(), options, Arc::new(SystemClock)).unwrap();
        came.recv_timeout(Duration::from_mins(1)).unwrap();
        let mut pairs = store.core.reader().unwrap().pairs();
        drop(go);
        // Served behind the renewal, which would remove it.
        store.sync_files().await.unwrap();
        store.sync_files().await.unwrap();
        assert!(is_there("queue.next", dir.path()));
        assert!(pairs.all(|pair| pair.is_ok()));
        drop(pairs);
        wait_until("the old index is there still", || !is_there("queue.next", dir.path())).await;
        store.close().await;
        assert!(is_there("clean", dir.path()));
    }
}
