//! Everything durable: the journal, the spool and the queue's index.
//!
//! **The promise.** When [`Upload::accept`] returns `Ok`, the upload's bytes, its name and its job are
//! on stable storage, and nothing but the loss of the disk takes them away again.
//!
//! **How.** One thread, the `committer`, makes every change: it decides it, writes it to the
//! `journal` and syncs, shows it in the `index` (sled) and the `spool` (the organizations'
//! directories), and answers. The journal is the truth; index and spool are views of it which a
//! start (`open`) repairs or makes anew. `docs/decisions/0001-journal-and-index.md` tells why.
//!
//! **What it does not do.** It knows nothing of protocols or HL7, and delivers nothing.

mod backup;
mod committer;
mod compact;
mod core;
mod deferred;
mod drain;
mod error;
mod index;
mod journal;
mod known;
mod lanes;
mod layout;
mod maintenance;
mod open;
mod record;
mod retain;
mod sender_view;
mod spool;
mod staff;
mod syncer;
mod threads;
mod upload;
mod verify;
mod work;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender as CommandSender;

use tidegate_domain::Clock;
use tokio::sync::{oneshot, watch};

pub use crate::backup::{Backup, BackupDone, BackupError, BackupProgress, Beside};
pub use crate::compact::Compaction;
pub use crate::core::{Options, Renewal};
pub use crate::error::{OpenError, StoreError};
pub use crate::known::{Known, KnownMessages};
pub use crate::maintenance::{Happened, Happening, Maintenance};
pub use crate::open::Recovery;
pub use crate::retain::{Amount, Due};
pub use crate::sender_view::SenderFile;
pub use crate::staff::{Filter, LaneState, Stats};
pub use crate::upload::{Abandoned, Sender, Upload};
pub use crate::verify::Verification;
pub use crate::work::Claim;

use crate::committer::{Command, Reply};
use crate::core::Core;
use crate::threads::Threads;

/// A handle on the store; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    core: Arc<Core>,
    commands: CommandSender<Command>,
    threads: Arc<Threads>,
}

impl Store {
    /// Opens the store in `data_dir`, or begins a new one there if it is empty, and says what the
    /// start had to repair. Blocks; reads as much of the journal as the index has missed.
    pub fn open(
        data_dir: &Path,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Recovery), OpenError> {
        open::open(data_dir, options, clock, &mut |_, _| {})
    }

    /// Throws the index away and makes it anew from the journal. `progress` hears of bytes read and
    /// all bytes. No other process may use the store meanwhile.
    pub fn rebuild(
        data_dir: &Path,
        options: Options,
        clock: Arc<dyn Clock>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Self, Recovery), OpenError> {
        open::rebuild(data_dir, options, clock, progress)
    }

    /// Looks through the store in `data_dir`, which no other process may use meanwhile, and changes
    /// nothing there. What has to be sorted goes to `scratch`, an empty directory elsewhere, which takes
    /// up to as many bytes as the journal and the index. `progress` hears of bytes of the journal read,
    /// and all of them. Blocks.
    pub fn inspect(
        data_dir: &Path,
        scratch: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Verification, OpenError> {
        open::inspect(data_dir, scratch, progress)
    }

    /// Closes the store in good order: what was begun is finished, everything is made durable. Every
    /// other handle answers [`StoreError::Closed`] from then on, and keeps nobody from opening it again.
    pub async fn close(&self) {
        drop(self.commands.send(Command::Close));
        let (threads, core) = (Arc::clone(&self.threads), Arc::clone(&self.core));
        let closed = tokio::task::spawn_blocking(move || threads.close(&core));
        drop(closed.await);
    }

    /// Turns true when the store has failed: the process has to end with an error, and the next start
    /// is sound.
    pub fn failed(&self) -> watch::Receiver<bool> {
        self.core.failed.subscribe()
    }

    /// Resolves once the thread that changes the store has answered; for whoever watches whether it still
    /// moves. A sync that takes long is waited for.
    pub async fn answers(&self) -> Result<(), StoreError> {
        self.ask(|reply| Command::Answer { reply }).await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, StoreError> {
        self.core.check()?;
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).map_err(|_| StoreError::Closed)?;
        // The committer ended: in good order before it came to the command, or in a panic.
        answer.await.unwrap_or_else(|_| self.core.check().and(Err(StoreError::Closed)))
    }

    /// Everything that was written to the data directory's file system before is durable.
    async fn sync_files(&self) -> Result<(), StoreError> {
        let synced = self.threads.syncer().ok_or(StoreError::Closed)?.files().await;
        // The thread ended: in good order, or because a sync failed.
        synced.map_err(|error| self.core.check().err().unwrap_or(error))
    }
}
