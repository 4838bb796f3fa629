//! The note of a clean end: that the last process closed the store in good order, and what the index
//! looked like then.
//!
//! Adding a large index up takes long, so a start after a clean end spares it if nothing has touched the
//! index's files since. Whoever writes to one, or puts another in its place, changes the time of its last
//! change (`ctime`), which no program can set. What a decaying disk does leaves no such trace: see
//! [`super::open`].

use std::fmt::Write as _;
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tidegate_disk::Disk;

use crate::error::OpenError;
use crate::layout::Layout;

/// How the last process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It was killed, or failed, or there was none.
    Unclean,
    /// In good order, but the index was touched since.
    IndexTouched,
    /// In good order, and everything is as it was.
    Clean,
}

/// Writes the note. Everything is durable already.
pub(crate) fn note(disk: &Disk, layout: &Layout) -> io::Result<()> {
    let mut note = disk.create_new(&layout.clean())?;
    note.write_all(looks(&layout.queue())?.as_bytes())?;
    note.sync_all()?;
    disk.sync_dir(layout.root())
}

/// Reads the note and takes it away, since from here on it is not true any more.
pub(super) fn take(disk: &Disk, layout: &Layout) -> Result<End, OpenError> {
    let path = layout.clean();
    let note = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(End::Unclean),
        other => other.map_err(OpenError::io("reading", &path))?,
    };
    disk.remove_once(&path).map_err(OpenError::io("removing", &path))?;
    disk.sync_dir(layout.root()).map_err(OpenError::io("syncing", layout.root()))?;
    let is_as_noted = looks(&layout.queue()).is_ok_and(|looks| looks.as_bytes() == note);
    Ok(if is_as_noted { End::Clean } else { End::IndexTouched })
}

/// Names, lengths, places and times of the last change of what lies in a directory.
fn looks(directory: &Path) -> io::Result<String> {
    let mut entries: Vec<DirEntry> = fs::read_dir(directory)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(DirEntry::file_name);
    let mut looks = String::from("closed in good order\n");
    for entry in entries {
        let (name, file) = (entry.file_name(), entry.metadata()?);
        let name = name.display();
        let (length, place) = (file.len(), file.ino());
        // Writing to a string does not fail.
        _ = writeln!(looks, "{name} {length} {place} {}.{:09}", file.ctime(), file.ctime_nsec());
    }
    Ok(looks)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_domain::SystemClock;

    use super::*;
    use crate::{Options, Store};

    fn take(layout: &Layout) -> Result<End, OpenError> {
        super::take(&Disk::default(), layout)
    }

    /// A data directory that a store closed in good order, and that nobody has touched since.
    async fn closed() -> (tempfile::TempDir, Layout) {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(dir.path(), Options::default(), Arc::new(SystemClock)).unwrap();
        store.close().await;
        let layout = Layout::new(dir.path());
        (dir, layout)
    }

    #[tokio::test]
    async fn a_clean_end_is_known_by_its_note_once() {
        let (_dir, layout) = closed().await;
        assert_eq!(take(&layout).unwrap(), End::Clean);
        assert_eq!(take(&layout).unwrap(), End::Unclean);
    }

    #[tokio::test]
    async fn an_index_that_was_touched_or_exchanged_since_is_not_trusted() {
        let touch = |layout: &Layout| {
            let db = fs::OpenOptions::new().write(true).open(layout.queue().join("db")).unwrap();
            let before = db.metadata().unwrap().modified().unwrap();
            io::Write::write_all(&mut &db, b"x").unwrap();
            db.set_modified(before).unwrap();
        };
        let exchange = |layout: &Layout| {
            let (queue, aside) = (layout.queue(), layout.root().join("aside"));
            fs::rename(&queue, &aside).unwrap();
            fs::create_dir(&queue).unwrap();
            for name in ["conf", "db"] {
                fs::copy(aside.join(name), queue.join(name)).unwrap();
            }
        };
        let add = |layout: &Layout| fs::write(layout.queue().join("snap.1"), "").unwrap();
        let remove = |layout: &Layout| fs::remove_dir_all(layout.queue()).unwrap();
        let all: [&dyn Fn(&Layout); 4] = [&touch, &exchange, &add, &remove];
        for (number, change) in all.into_iter().enumerate() {
            let (_dir, layout) = closed().await;
            change(&layout);
            assert_eq!(take(&layout).unwrap(), End::IndexTouched, "{number}");
        }
    }
}
