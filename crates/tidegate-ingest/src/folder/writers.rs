//! Who has a file open for writing.
//!
//! Linux shows a process the open files of those of its own user, and of all to root. So this can tell
//! that a file is being written; it can't tell that it is not.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Whether a process that we may look at has the file of this device and inode open for writing. Blocks;
/// looks at every open file of the machine's visible processes.
pub(super) fn has_visible_writer(file: (u64, u64)) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    let is_process =
        |entry: &fs::DirEntry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
    processes.flatten().filter(is_process).any(|process| writes(&process.path(), file))
}

fn writes(process: &Path, file: (u64, u64)) -> bool {
    let Ok(open) = fs::read_dir(process.join("fd")) else { return false };
    open.flatten().any(|one| {
        let found = fs::metadata(one.path());
        found.is_ok_and(|found| (found.dev(), found.ino()) == file)
            && is_for_writing(&process.join("fdinfo").join(one.file_name()))
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

    #[test]
    fn a_writer_is_seen_and_a_reader_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let writer = fs::File::create(&path).unwrap();
        let found = fs::metadata(&path).unwrap();
        let file = (found.dev(), found.ino());
        assert!(has_visible_writer(file));
        drop(writer);
        let _reader = fs::File::open(&path).unwrap();
        assert!(!has_visible_writer(file));
    }
}
