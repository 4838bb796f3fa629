//! What the system tells of a folder.
//!
//! Invariant: hints are bounded; where more come than are taken up, the reader is told that some were
//! lost. Without any hint the rescans find everything, later.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use super::identity::{Inode, inode};

/// Hints that may wait; as many events as Linux keeps by default.
const WAITING_MAX: usize = 16_384;

/// What happened in the folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// Something was written to a file.
    Written(OsString),
    /// A writer closed a file, or one was renamed to here.
    Finished(OsString),
    /// A file was deleted or renamed away.
    Gone(OsString),
}

/// The receiving end, and the system's watch.
pub(super) struct Hints {
    waiting: mpsc::Receiver<Hint>,
    losses: Arc<Losses>,
    /// `None`: the folder could not be watched.
    watcher: Option<RecommendedWatcher>,
    path: PathBuf,
    /// The directory that stood at the path before the watch.
    place: Option<Inode>,
}

/// What the receiving end has missed.
#[derive(Default)]
struct Losses {
    /// Some hints did not get through.
    some: AtomicBool,
    /// The folder itself was deleted or renamed: nothing more comes.
    all: AtomicBool,
}

impl Hints {
    pub(super) fn of(folder: &Path) -> Self {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        let losses = Arc::new(Losses::default());
        let (told, itself) = (Arc::clone(&losses), folder.to_owned());
        let (path, place) = (folder.to_owned(), std::fs::metadata(folder).ok().as_ref().map(inode));
        let watcher = watch(folder, move |event| pass_on(event, &itself, &sender, &told));
        let failed = |error: &notify::Error| tracing::warn!(%error, "folder not watched; rescans go on");
        Self { waiting, losses, watcher: watcher.inspect_err(failed).ok(), path, place }
    }

    /// The next hint; never resolves without a watch.
    pub(super) async fn next(&mut self) -> Hint {
        match self.waiting.recv().await {
            Some(hint) => hint,
            None => std::future::pending().await,
        }
    }

    /// A hint that waits already.
    pub(super) fn waiting(&mut self) -> Option<Hint> {
        self.waiting.try_recv().ok()
    }

    /// Whether hints were lost since this was last asked.
    pub(super) fn take_lost(&self) -> bool {
        self.losses.some.swap(false, Ordering::AcqRel)
    }

    /// Whether there is no watch, or none on what stands at the folder's path now: a mount, a link that was changed
    /// and a renamed directory above put another there, and nothing tells of that.
    pub(super) async fn have_ended(&self) -> bool {
        let found = tokio::fs::metadata(&self.path).await.ok();
        let is_other = found.as_ref().map(inode) != self.place;
        self.watcher.is_none() || is_other || self.losses.all.load(Ordering::Acquire)
    }
}

fn watch(
    folder: &Path,
    handler: impl FnMut(notify::Result<Event>) + Send + 'static,
) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(handler)?;
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

fn pass_on(event: notify::Result<Event>, folder: &Path, sender: &mpsc::Sender<Hint>, losses: &Losses) {
    let is_through = match event {
        Ok(event) if event.need_rescan() => false,
        Ok(event) if event.paths.first().is_some_and(|path| path == folder) => {
            let is_end = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
            losses.all.fetch_or(is_end, Ordering::AcqRel);
            true
        }
        Ok(event) => hint_of(&event).is_none_or(|hint| sender.try_send(hint).is_ok()),
        Err(_) => false,
    };
    losses.some.fetch_or(!is_through, Ordering::AcqRel);
}

fn hint_of(event: &Event) -> Option<Hint> {
    let hint = match event.kind {
        EventKind::Modify(ModifyKind::Data(_)) => Hint::Written,
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Hint::Finished,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Hint::Gone,
        _ => return None,
    };
    let name = event.paths.first()?.file_name()?.to_owned();
    Some(hint(name))
}

#[cfg(test)]
mod tests {
    use notify::event::{Flag, RemoveKind};

    use super::*;

    #[tokio::test]
    async fn the_system_tells_of_writing_closing_and_renaming() {
        let folder = tempfile::tempdir().unwrap();
        let mut hints = Hints::of(folder.path());
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::write(&one, "x").unwrap();
        std::fs::rename(&one, &other).unwrap();
        std::fs::remove_file(&other).unwrap();
        for expected in [
            Hint::Written("one".into()),
            Hint::Finished("one".into()),
            Hint::Gone("one".into()),
            Hint::Finished("other".into()),
            Hint::Gone("other".into()),
        ] {
            assert_eq!(hints.next().await, expected);
        }
    }

    #[test]
    fn a_reader_that_is_behind_is_told_so() {
        let (sender, _waiting) = mpsc::channel(1);
        let losses = Losses::default();
        let tell = |event: Event| {
            pass_on(Ok(event), Path::new("/drop"), &sender, &losses);
            losses.some.swap(false, Ordering::AcqRel)
        };
        let removed = || Event::new(EventKind::Remove(RemoveKind::File)).add_path("/drop/a".into());
        assert!(!tell(removed()));
        assert!(tell(removed()), "there was no room for it");
        assert!(tell(Event::new(EventKind::Other).set_flag(Flag::Rescan)), "the system's queue ran over");
    }

    #[tokio::test]
    async fn a_folder_that_goes_away_ends_its_hints() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("drop");
        std::fs::create_dir(&folder).unwrap();
        let mut hints = Hints::of(&folder);
        assert!(!hints.have_ended().await);
        std::fs::write(folder.join("a"), "x").unwrap();
        std::fs::rename(folder.join("a"), base.path().join("a")).unwrap();
        std::fs::remove_dir(&folder).unwrap();
        while hints.next().await != Hint::Gone("a".into()) {}
        // What tells of the folder comes next, and nothing after it could be waited for.
        while !hints.have_ended().await {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_folder_in_whose_place_another_stands_ends_its_hints() {
        let base = tempfile::tempdir().unwrap();
        let (link, new) = (base.path().join("link"), base.path().join("new"));
        for name in ["one", "other"] {
            std::fs::create_dir_all(base.path().join(name).join("drop")).unwrap();
        }
        std::os::unix::fs::symlink("one", &link).unwrap();
        let hints = Hints::of(&link.join("drop"));
        assert!(!hints.have_ended().await);
        std::os::unix::fs::symlink("other", &new).unwrap();
        std::fs::rename(&new, &link).unwrap();
        assert!(hints.have_ended().await);
        assert!(!Hints::of(&link.join("drop")).have_ended().await);
    }
}
