//! Layout 3: the journal may hold changes that programs of layout 2 do not know: calls, and those that were taken back,
//! uploads of the portal, files of organizations in test mode, and that staff read an upload. Such a journal they
//! refuse, but in an index that they trust they take those jobs for damage. Nothing that is there changes; the number
//! alone keeps those programs away.

use std::io;
use std::path::Path;

use tidegate_disk::Disk;

// Every step has this shape.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn run(_disk: &Disk, _root: &Path) -> io::Result<()> {
    Ok(())
}
