//! Who has a file open for writing.
//!
//! Linux shows a process the open files of those of its own user, and of all to root. So this can tell
//! that a file is being written; it can't tell that it is not.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::identity::{Inode, inode};

/// How long a look counts: every open file of the visible processes is looked at, which takes milliseconds.
const LOOK_MAX: Duration = Duration::from_millis(200);

/// The files that a process was seen to have open for writing a moment ago.
#[derive(Debug, Default)]
pub(super) struct Writers {
    looked: Option<(HashSet<Inode>, Instant)>,
}

impl Writers {
    /// Whether a process that we may look at has this file open for writing.
    pub(super) async fn have(&mut self, file: Inode) -> bool {
        let now = Instant::now();
        if self.looked.as_ref().is_none_or(|(_, at)| now.duration_since(*at) > LOOK_MAX) {
            self.looked = spawn_blocking(open_for_writing).await.ok().map(|files| (files, now));
        }
        // Who could not look has to wait.
        self.looked.as_ref().is_none_or(|(files, _)| files.contains(&file))
    }
}

fn open_for_writing() -> HashSet<Inode> {
    let mut files = HashSet::new();
    let is_process =
        |entry: &fs::DirEntry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
    for process in fs::read_dir("/proc").into_iter().flatten().flatten().filter(is_process) {
        files.extend(written_by(&process.path()));
    }
    files
}

fn written_by(process: &Path) -> impl Iterator<Item = Inode> {
    let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    open.filter_map(move |one| {
        let found = fs::metadata(one.path()).ok().filter(fs::Metadata::is_file)?;
        let info = process.join("fdinfo").join(one.file_name());
        is_for_writing(&info).then(|| inode(&found))
    })
}

/// Reads the line `flags:` of proc(5): the octal flags of open(2), of which the last two bits are the
/// access mode and 0 means only reading.
fn is_for_writing(info: &Path) -> bool {
    let text = fs::read_to_string(info).unwrap_or_default();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 0o3 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_writer_is_seen_and_a_reader_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let writer = fs::File::create(&path).unwrap();
        let found = fs::metadata(&path).unwrap();
        let file = inode(&found);
        assert!(Writers::default().have(file).await);
        drop(writer);
        let _reader = fs::File::open(&path).unwrap();
        assert!(!Writers::default().have(file).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_counts_for_a_moment() {
        let folder = tempfile::tempdir().unwrap();
        let writer = fs::File::create(folder.path().join("a")).unwrap();
        let found = writer.metadata().unwrap();
        let (file, mut writers) = (inode(&found), Writers::default());
        assert!(writers.have(file).await);
        drop(writer);
        assert!(writers.have(file).await);
        tokio::time::advance(LOOK_MAX + Duration::from_millis(1)).await;
        assert!(!writers.have(file).await);
    }
}
