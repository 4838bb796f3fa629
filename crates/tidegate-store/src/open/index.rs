//! Opens the index, or gives it up and begins a new one.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tidegate_disk::Disk;

use crate::error::{OpenError, StoreError};
use crate::index::{Condition, Durability, Index, Reader};
use crate::journal::{Journal, Standing};
use crate::lanes::Lanes;
use crate::layout::Layout;

/// An index that adds up.
pub(super) struct Opened {
    pub(super) index: Index,
    pub(super) durability: Durability,
    /// The change up to which the directories are durable.
    pub(super) views_through: u64,
    /// Whether it is empty and everything has to be put into it.
    pub(super) is_new: bool,
    /// Whether it knows changes that the journal has lost. It is kept, as the only one who does.
    pub(super) is_ahead: bool,
}

/// Opens the index if it adds up, or is trusted to; else removes it and begins a new one. sled may fail,
/// panic or lose things silently when its files are damaged: it only ever costs time. What does not come
/// from the index itself (too many open files, a lock, a journal that can't be read) does not cost the index: it
/// may be the only one who knows what a damaged journal has lost.
pub(super) fn open(
    disk: &Disk,
    layout: &Layout,
    store_id: u64,
    journal: Option<&Journal>,
    trusted: bool,
) -> Result<Opened, OpenError> {
    let attempt = catch_unwind(AssertUnwindSafe(|| try_open(disk, layout, store_id, journal, trusted)));
    match attempt {
        Ok(Ok(Some(opened))) => return Ok(opened),
        Ok(Ok(None)) => {}
        Ok(Err(OpenError::Index(error))) => tracing::warn!(error, "index could not be opened"),
        // The index may be all that is left of what the journal has lost.
        Ok(Err(error)) => return Err(error),
        Err(_) => tracing::warn!("index could not be opened: sled panicked"),
    }
    begin(disk, layout, store_id)
}

fn try_open(
    disk: &Disk,
    layout: &Layout,
    store_id: u64,
    journal: Option<&Journal>,
    trusted: bool,
) -> Result<Option<Opened>, OpenError> {
    let failed = |error: StoreError| match error {
        StoreError::Io { source, .. } if source.kind() == io::ErrorKind::WouldBlock => {
            OpenError::Locked(layout.root().to_owned())
        }
        StoreError::Io { doing, source } => OpenError::Io { doing, path: layout.queue(), source },
        StoreError::NoSpace => OpenError::io("opening", &layout.queue())(io::ErrorKind::StorageFull.into()),
        error => OpenError::Index(error.to_string()),
    };
    let (mut index, durability) = Index::open(disk, &layout.queue(), store_id).map_err(failed)?;
    let Some(journal) = journal else { return Ok(None) };
    if index.mark().seq < journal.compacted_through() {
        tracing::warn!(mark = index.mark().seq, "index is older than what the journal was compacted to");
        return Ok(None);
    }
    let mark = index.mark();
    let standing = journal.standing(mark.seq, mark.last_change);
    let standing = standing.map_err(OpenError::journal(&layout.journal()))?;
    if standing == Standing::Foreign {
        tracing::warn!(mark = mark.seq, "index is of another copy of this store");
        return Ok(None);
    }
    if index.condition(store_id, trusted).map_err(failed)? == Condition::Useless {
        tracing::warn!(mark = index.mark().seq, "index is missing or does not add up");
        return Ok(None);
    }
    let views_through = index.reader().views_through().map_err(failed)?;
    Ok(Some(Opened {
        index,
        durability,
        views_through,
        is_new: false,
        is_ahead: standing == Standing::Ahead,
    }))
}

/// The last change that a sound index of this store shows; `None` if there is no such index.
pub(super) fn shows(disk: &Disk, layout: &Layout, store_id: u64) -> Option<u64> {
    let look = || -> Result<Option<u64>, StoreError> {
        let (mut index, _durability) = Index::open(disk, &layout.queue(), store_id)?;
        let is_sound = index.condition(store_id, false)? == Condition::Whole;
        Ok(is_sound.then_some(index.mark().seq))
    };
    catch_unwind(AssertUnwindSafe(look)).ok()?.ok()?
}

/// Removes what a crash left of a new index, or of the one that it replaced: it may take the room that the start needs.
pub(super) fn remove_next(disk: &Disk, layout: &Layout) -> Result<(), OpenError> {
    let (root, next) = (layout.root(), layout.next_queue());
    if !next.exists() {
        return Ok(());
    }
    // A killed process may just have exchanged the two.
    disk.sync_dir(root).map_err(OpenError::io("syncing", root))?;
    if let Err(error) = disk.remove_dir_all(&next) {
        tracing::warn!(%error, "leftover of a new index was not removed");
    }
    Ok(())
}

pub(super) fn begin(disk: &Disk, layout: &Layout, store_id: u64) -> Result<Opened, OpenError> {
    let queue = layout.queue();
    // It may be anything by now, a file for example.
    let is_dir = fs::symlink_metadata(&queue).is_ok_and(|it| it.is_dir());
    let removed = if is_dir { disk.remove_dir_all(&queue) } else { disk.remove_once(&queue) };
    removed.map_err(OpenError::io("removing", &queue))?;
    disk.create_dir_all(&queue).map_err(OpenError::io("creating", &queue))?;
    let failed = |error: StoreError| OpenError::Index(error.to_string());
    let (mut index, durability) = Index::open(disk, &queue, store_id).map_err(failed)?;
    index.commit(0).and_then(|()| index.write_back()).map_err(failed)?;
    Ok(Opened { index, durability, views_through: 0, is_new: true, is_ahead: false })
}

/// The lanes as the index tells them.
pub(super) fn lanes(reader: &Reader) -> Result<Lanes, StoreError> {
    let mut lanes = Lanes::default();
    for item in reader.lanes() {
        let item = item?;
        if item.state.is_waiting() {
            lanes.job_waits(&item.org, item.id);
        }
    }
    Ok(lanes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_domain::SystemClock;

    use super::*;
    use crate::{Options, Store};

    /// Whoever has it open has a use for it.
    #[tokio::test]
    async fn an_index_that_stays_locked_is_not_thrown_away() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(dir.path(), Options::default(), Arc::new(SystemClock)).unwrap();
        store.close().await;
        let (disk, layout) = (Disk::default(), Layout::new(dir.path()));
        let journal = Journal::find(&disk, &layout.journal()).unwrap().unwrap();
        let db = layout.queue().join("db");
        let file = fs::File::open(&db).unwrap();
        file.try_lock().unwrap();
        let refused = open(&disk, &layout, journal.store_id, Some(&journal), true);
        assert!(matches!(refused, Err(OpenError::Locked(path)) if path == dir.path()));
        drop(file);
        assert!(!open(&disk, &layout, journal.store_id, Some(&journal), true).unwrap().is_new);
    }
}
