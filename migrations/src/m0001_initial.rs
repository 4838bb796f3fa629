//! Layout 1: the journal, the queue's index, the organizations' directories.

use std::fs;
use std::io;
use std::path::Path;

use tidegate_disk::Disk;

const DIRECTORIES: [&str; 5] = ["journal", "orgs", "queue", "staged", "uploads"];
/// What the service itself may have put beside them before the first step ran.
const TOLERATED: [&str; 5] = ["lock", "layout.tmp", "control.sock", "delivered", "lost+found"];

/// Whether the directory holds nothing but what a first start leaves when it is cut short: no segment
/// of a journal, no file of anyone.
pub(crate) fn may_begin(root: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        let known = |names: &[&str]| names.iter().any(|known| name == *known);
        if !known(&DIRECTORIES) && !known(&TOLERATED) {
            return Ok(false);
        }
    }
    let journal = root.join("journal");
    Ok(!journal.is_dir() || fs::read_dir(journal)?.next().is_none())
}

pub(crate) fn run(disk: &Disk, root: &Path) -> io::Result<()> {
    for name in DIRECTORIES {
        disk.create_dir_all(&root.join(name))?;
    }
    disk.sync_dir(root)
}
