//! Rewrites a closed segment without the payloads in it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::frame::{BATCH_BYTES_MAX, BatchBuilder};
use super::reader::Journal;
use super::segment::Segment;

/// Seals a closed segment. The payload files that its batches describe must be durable already. A
/// crash at any point leaves the old segment, or both, or the new one: each holds every change.
pub(crate) fn seal(directory: &Path, store_id: u64, segment: &Segment) -> io::Result<()> {
    let temporary = directory.join("sealing.tmp");
    let mut out = File::create(&temporary)?;
    Segment::write_header(&mut out, store_id, segment.first_seq)?;
    let mut batch = BatchBuilder::new(store_id);
    let journal = Journal { segments: vec![segment.clone()], store_id };
    let damage = journal.read::<io::Error>(0, |item, _| {
        batch.push(&item.entry, None).map_err(io::Error::other)?;
        if batch.body_len() > BATCH_BYTES_MAX / 64 {
            out.write_all(batch.finish())?;
            batch.clear();
        }
        Ok(())
    })?;
    if !damage.is_empty() {
        // What is damaged is kept as it is, for whoever has to look into it.
        return fs::remove_file(&temporary);
    }
    if batch.body_len() > 0 {
        out.write_all(batch.finish())?;
    }
    out.sync_all()?;
    fs::rename(&temporary, Segment::new(directory, segment.first_seq, true).path)?;
    File::open(directory)?.sync_all()?;
    fs::remove_file(&segment.path)
}
