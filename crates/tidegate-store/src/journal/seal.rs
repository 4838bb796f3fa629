//! Rewrites a closed segment without the payloads in it.

use std::io;
use std::path::Path;

use tidegate_disk::Disk;

use super::reader::Journal;
use super::rewrite::{Rewriting, SEALING};
use super::segment::Segment;

/// Seals a closed segment. The payload files that its batches describe must be durable already. A
/// crash at any point leaves the old segment, or both, or the new one: each holds every change.
pub(crate) fn seal(disk: &Disk, directory: &Path, store_id: u64, segment: &Segment) -> io::Result<()> {
    let sealed = Segment::new(directory, segment.first_seq, true);
    let mut out = Rewriting::begin(disk, directory, SEALING, store_id, sealed)?;
    let journal = Journal { segments: vec![segment.clone()], store_id, disk: disk.clone() };
    let before = segment.first_seq.saturating_sub(1);
    let damage = journal.read::<io::Error>(before, |item, _| out.push(&item.entry))?;
    if !damage.is_empty() {
        // What is damaged is kept as it is, for whoever has to look into it.
        return out.give_up();
    }
    out.finish()?;
    disk.remove(&segment.path)
}
