//! The one thread that changes the store.
//!
//! Invariant: a change is decided against the state that all changes before it left, journaled and
//! synced, then shown in the index and the spool, then answered; in this order and nowhere else. Only
//! the files of small uploads are written later, see `deferred`: the journal has their bytes.
//!
//! Whatever commands pile up while a batch is on its way to the disk make up the next batch, so that
//! 64 senders share one sync. No timer is needed for that.

mod batch;
mod command;
mod decide;
mod publish;
mod renew;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

pub(crate) use command::{Command, Reply};
pub(crate) use publish::Unsettled;

use crate::core::Core;
use crate::index::Index;
use crate::journal::{AppendError, BATCH_BYTES_MAX, BatchBuilder, Segment, Writer};
use crate::syncer::{Request, Syncer};
use crate::threads::PanicGuard;
use batch::Batch;
use renew::Renewing;

/// Changes after which the index is made durable: fewer than one of sled's segments holds, since a
/// lost segment costs all that follow it.
const INDEX_SYNC_CHANGES: u64 = 256;
/// An idle store makes its index durable after this long.
const IDLE: Duration = Duration::from_millis(500);
/// Changes behind which the file of a small upload is written though there is always something else to
/// do: as many as the next start looks at again in a moment.
const DEFERRED_CHANGES_MAX: u64 = 8192;

pub(crate) struct Committer {
    core: Arc<Core>,
    commands: Receiver<Command>,
    writer: Writer,
    builder: BatchBuilder,
    index: Index,
    syncer: Syncer,
    batch: Batch,
    /// A command that did not fit into the batch before.
    postponed: Option<Command>,
    next_seq: u64,
    index_synced_seq: u64,
    /// Whether the index lacks changes, since the disk had no room for them.
    index_waits: bool,
    /// When what was left over was last looked at.
    settled_at: Instant,
    /// Jobs whose files could not be put right yet, with the change that asked for it.
    unsettled: Vec<Unsettled>,
    /// Segments that are closed and not yet sealed, with their last changes.
    full: Vec<(Segment, u64)>,
    renewing: Renewing,
}

impl Committer {
    pub(crate) fn new(
        core: Arc<Core>,
        commands: Receiver<Command>,
        writer: Writer,
        store_id: u64,
        index: Index,
        syncer: Syncer,
        unsettled: Vec<Unsettled>,
    ) -> Self {
        let last_seq = index.mark().seq;
        Self {
            core,
            commands,
            writer,
            builder: BatchBuilder::new(store_id),
            index,
            syncer,
            batch: Batch::default(),
            postponed: None,
            next_seq: last_seq + 1,
            index_synced_seq: last_seq,
            index_waits: false,
            settled_at: Instant::now(),
            unsettled,
            full: Vec::new(),
            renewing: Renewing::default(),
        }
    }

    /// Serves commands until every sender of them is gone; whether the index was given everything.
    pub(crate) fn run(mut self) -> bool {
        let _guard = PanicGuard(Arc::clone(&self.core));
        loop {
            let has_files_to_write = self.has_files_to_write();
            let patience = match has_files_to_write {
                true => self.core.options.files_after,
                false if self.renewing.is_running() => self.core.options.renewal.pause.min(IDLE),
                false => IDLE,
            };
            let next = match self.postponed.take() {
                Some(command) => Ok(command),
                None => self.commands.recv_timeout(patience),
            };
            match next {
                Ok(Command::Close) | Err(RecvTimeoutError::Disconnected) => return self.end(),
                Err(RecvTimeoutError::Timeout) if has_files_to_write => self.write_deferred(),
                // Nothing that is left over waits for the last of many steps.
                Err(RecvTimeoutError::Timeout)
                    if self.renewing.is_running() && self.settled_at.elapsed() < IDLE =>
                {
                    self.renew();
                }
                Err(RecvTimeoutError::Timeout) => self.keep_up(),
                Ok(command) => self.serve(command),
            }
        }
    }

    /// Not while the disk refuses some: those are tried again now and then.
    fn has_files_to_write(&self) -> bool {
        let deferred = &self.core.spool.deferred;
        deferred.oldest_seq().is_some() && !deferred.has_refused()
    }

    fn keep_up(&mut self) {
        self.settle_and_sync();
        self.renew();
    }

    fn settle_and_sync(&mut self) {
        self.settled_at = Instant::now();
        self.settle_left_over();
        if self.index.mark().seq > self.index_synced_seq {
            self.sync_index();
        }
    }

    /// Without room on the disk the index stays as it is until there is: what it lacks is in memory, and no more
    /// than the journal still finds room for.
    fn sync_index(&mut self) {
        let waits = !self.index.has_room();
        if waits != std::mem::replace(&mut self.index_waits, waits) {
            tell_waiting(waits);
        }
        if waits {
            return;
        }
        self.index_synced_seq = self.index.mark().seq;
        match self.index.write_back() {
            Ok(()) => self.syncer.request(Request::Index),
            // The changes are durable, and the next start shows them; this process soon can't.
            Err(error) => self.core.poison("writing the index", &error),
        }
    }

    /// The last words: whatever is left for the index and the spool; whether the index was given everything.
    fn end(&mut self) -> bool {
        while self.core.spool.deferred.write_oldest() {}
        self.settle_and_sync();
        self.break_renewal_off();
        self.writer.end();
        !self.index_waits
    }

    fn serve(&mut self, first: Command) {
        self.gather(first);
        if !self.batch.is_empty() {
            self.commit();
        }
        self.batch.clear();
        if self.index.mark().seq - self.index_synced_seq >= INDEX_SYNC_CHANGES {
            self.keep_up();
        } else if self.renewing.is_late() {
            self.renew();
        }
    }

    /// Decides commands until there are no more, or one must see the batch's effect first.
    fn gather(&mut self, first: Command) {
        let mut next = Some(first);
        while let Some(command) = next {
            if matches!(command, Command::Close) || !self.batch.has_room_for(&command) {
                self.postponed = Some(command);
                return;
            }
            self.decide(command);
            next = self.commands.try_recv().ok();
        }
    }

    fn commit(&mut self) {
        match self.journal() {
            Ok(()) => self.publish(),
            Err(AppendError::Refused(error)) => {
                tracing::warn!(%error, "journal refused a batch");
                self.take_back(&error);
            }
            Err(AppendError::Unknown(error)) => {
                self.core.poison("syncing the journal", &error);
                self.batch.fail();
            }
        }
    }

    fn roll_if_full(&mut self) -> Result<(), AppendError> {
        if self.writer.is_full(self.core.options.segment_bytes_max) {
            self.full.push((self.writer.roll(self.next_seq)?, self.next_seq - 1));
        }
        self.seal_full();
        Ok(())
    }

    /// Closed segments are sealed once no small upload has its only home in them.
    fn seal_full(&mut self) {
        let oldest = self.core.spool.deferred.oldest_seq().unwrap_or(u64::MAX);
        while self.full.first().is_some_and(|(_, last_seq)| *last_seq < oldest) {
            self.syncer.request(Request::Seal(self.full.remove(0).0));
        }
    }

    fn journal(&mut self) -> Result<(), AppendError> {
        if self.core.check().is_err() {
            return Err(AppendError::Unknown(std::io::Error::other("the store has failed before")));
        }
        self.roll_if_full()?;
        self.builder.clear();
        for item in self.batch.items() {
            let pushed = self.builder.push(&item.entry, item.payload.as_deref());
            pushed.map_err(|error| AppendError::Refused(std::io::Error::other(error)))?;
        }
        if self.builder.body_len() > BATCH_BYTES_MAX {
            return Err(AppendError::Refused(std::io::Error::other("longer than a reader takes")));
        }
        self.writer.append(self.builder.finish())?;
        self.next_seq += self.batch.items().len() as u64;
        Ok(())
    }
}

fn tell_waiting(waits: bool) {
    if waits {
        tracing::warn!("the disk has no room for the index: it waits, and everything else goes on");
    } else {
        tracing::info!("the disk has room for the index again");
    }
}
