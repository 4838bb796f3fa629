//! The end of the journal that a process left which did not close it.
//!
//! Invariant: nothing is appended behind a batch that is not on stable storage, also when the batch
//! was written by a process before: that one may have been killed, or stopped because its sync failed.

use std::io;
use std::os::unix::fs::FileExt;

use super::reader::{Journal, Scan};

impl Journal {
    /// Writes the last batch once more over itself and syncs it. All before it were synced in their
    /// time. A sync alone is not enough: after one that failed the batch reads well from memory, and
    /// the kernel takes it for written. Comes before the index hears of it, which would else know more
    /// than the journal after a power cut.
    pub(crate) fn make_end_durable(&self) -> io::Result<()> {
        let Some(last) = self.segments.last().filter(|last| !last.sealed) else { return Ok(()) };
        let mut scan = Scan::open(&self.disk, last, self.store_id, &mut Vec::new())?;
        let mut batch = None;
        loop {
            let start = scan.at;
            if scan.next_batch(&mut Vec::new(), true)?.is_none() {
                break;
            }
            batch = Some((start, scan.at));
        }
        let Some((start, end)) = batch else { return Ok(()) };
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or_default()];
        last.open(&self.disk)?.read_exact_at(&mut bytes, start)?;
        self.disk.overwrite(&last.path, start, &bytes)?.sync_all()
    }
}
