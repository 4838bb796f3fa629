//! A copy of the whole store while it goes on, as it was at one instant.
//!
//! Invariants: the copy has every change up to its point and none after it, and of each job that it has
//! the bytes, and the answers as they were then. A directory gets its file `layout` when everything
//! else in it is durable, so that no start takes up a copy that is not whole.
//!
//! **How.** The committer ends the journal's segment: all changes up to now lie in closed ones, which
//! are copied at leisure. They are then read again from the copy, and the files of each job that was
//! accepted in them follow. Those may move meanwhile, and lie in the copy where they were found: its
//! first start, which has no index, puts every file where the journal says.

mod copying;
mod error;
mod target;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::OwnedMutexGuard;

pub use error::BackupError;

use crate::Store;
use crate::committer::Command;
use crate::core::Core;
use copying::Copying;
use target::Target;

/// The point in the order of all changes that a backup shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// The last change before it.
    pub(crate) seq: u64,
    pub(crate) at: DateTime<Utc>,
    /// Jobs at that point.
    pub(crate) jobs: u64,
}

/// A file or directory of others that belongs to a whole backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// Where it lies; that there is nothing is fine. Hidden files in it are left out.
    pub from: PathBuf,
    /// Where it shall lie, below the backup's directory.
    pub to: PathBuf,
}

/// How far a backup is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackupProgress {
    /// Jobs whose files are copied.
    pub jobs: u64,
    /// Jobs in all.
    pub jobs_all: u64,
    /// Bytes copied.
    pub bytes: u64,
}

/// A backup that is whole and durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupDone {
    /// The instant that it shows.
    pub at: DateTime<Utc>,
    /// Jobs in it.
    pub jobs: u64,
    /// Files in it.
    pub files: u64,
    /// Their length in bytes.
    pub bytes: u64,
    /// Jobs not yet processed whose bytes are missing from the store, and so from the backup.
    pub jobs_without_bytes: u64,
}

/// A backup whose instant has passed; dropping it leaves a directory that nobody takes for a whole one.
#[derive(Debug)]
pub struct Backup {
    keeping: Keeping,
    target: Target,
    point: Point,
    beside: Vec<Beside>,
    _turn: OwnedMutexGuard<()>,
    _removal: OwnedMutexGuard<()>,
}

/// Answers that jobs had at the point are kept until it is dropped.
#[derive(Debug)]
struct Keeping(Arc<Core>);

impl Drop for Keeping {
    fn drop(&mut self) {
        self.0.spool.keep_no_more_answers();
    }
}

impl Store {
    /// Begins a backup into `directory`, an absolute path where there is nothing yet or an empty
    /// directory; its instant lies just before this returns. [`Backup::copy`] does the work. `beside` is
    /// copied last, as it is then.
    pub async fn backup(&self, directory: PathBuf, beside: Vec<Beside>) -> Result<Backup, BackupError> {
        let core = Arc::clone(&self.core);
        core.check()?;
        if core.journal_holes > 0 {
            return Err(BackupError::Damaged { path: core.layout.journal() });
        }
        let turn = Arc::clone(&core.backup).try_lock_owned().map_err(|_| BackupError::Busy)?;
        let removal = Arc::clone(&core.removal).lock_owned().await;
        let prepared = tokio::task::spawn_blocking(move || Target::prepare(&core, &directory));
        let target = prepared.await.map_err(|_| BackupError::Interrupted)??;
        let keeping = Keeping(Arc::clone(&self.core));
        let point = self.ask(|reply| Command::Backup { reply }).await?;
        Ok(Backup { keeping, target, point, beside, _turn: turn, _removal: removal })
    }
}

impl Backup {
    /// Copies everything and makes it durable; blocks. `progress` hears of each file and may break off.
    pub fn copy(
        mut self,
        progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<BackupDone, BackupError> {
        let mut copying = Copying::new(&self.keeping.0, &mut self.target, self.point, progress);
        copying.segments()?;
        copying.jobs()?;
        copying.staged()?;
        copying.known()?;
        for beside in &self.beside {
            copying.tree(&beside.from, &beside.to)?;
        }
        copying.finish()
    }
}
