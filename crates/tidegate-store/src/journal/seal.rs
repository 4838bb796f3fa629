//! Rewrites a closed segment without the payloads in it.

use std::io;
use std::path::Path;

use tidegate_disk::Disk;

use super::frame::{BATCH_BYTES_MAX, BatchBuilder};
use super::reader::Journal;
use super::segment::Segment;

/// Seals a closed segment. The payload files that its batches describe must be durable already. A
/// crash at any point leaves the old segment, or both, or the new one: each holds every change.
pub(crate) fn seal(disk: &Disk, directory: &Path, store_id: u64, segment: &Segment) -> io::Result<()> {
    let temporary = directory.join("sealing.tmp");
    let mut out = disk.create(&temporary)?;
    Segment::write_header(&mut out, store_id, segment.first_seq)?;
    let mut batch = BatchBuilder::new(store_id);
    let journal = Journal { segments: vec![segment.clone()], store_id, disk: disk.clone() };
    let damage = journal.read::<io::Error>(segment.first_seq.saturating_sub(1), |item, _| {
        batch.push(&item.entry, None).map_err(io::Error::other)?;
        if batch.body_len() > BATCH_BYTES_MAX / 64 {
            out.write_all(batch.finish())?;
            batch.clear();
        }
        Ok(())
    })?;
    if !damage.is_empty() {
        // What is damaged is kept as it is, for whoever has to look into it.
        return disk.remove(&temporary);
    }
    if batch.body_len() > 0 {
        out.write_all(batch.finish())?;
    }
    out.sync_all()?;
    disk.rename(&temporary, &Segment::new(directory, segment.first_seq, true).path)?;
    disk.sync_dir(directory)?;
    disk.remove(&segment.path)
}
