//! Removes what uploads left behind that were never acknowledged.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tidegate_disk::Disk;
use tidegate_domain::{JobId, OrgCode};

use crate::error::{OpenError, StoreError};
use crate::index::Reader;
use crate::layout::{Layout, Place};

/// Files in `incoming/` that no job knows: their senders never read success. Called only when the
/// journal is whole, so that a job can't merely have been forgotten.
pub(super) fn remove_strays(disk: &Disk, layout: &Layout, reader: &Reader) -> Result<u64, OpenError> {
    let mut removed = 0;
    disk.create_dir_all(&layout.orgs()).map_err(OpenError::io("creating", &layout.orgs()))?;
    for entry in list(disk, &layout.orgs())? {
        let Some(org) = entry.file_name().to_str().and_then(|name| OrgCode::new(name).ok()) else { continue };
        let incoming = layout.place(&org, Place::Incoming);
        if !incoming.is_dir() {
            continue;
        }
        for id in unknown(disk, &incoming, &org, reader)? {
            let path = layout.payload(&org, Place::Incoming, id);
            disk.remove(&path).map_err(OpenError::io("removing a stray upload in", &incoming))?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Ids of files in an organization's `incoming/` that are no jobs. Nearly all are in its lane, which is read in one
/// go; looking a million of them up one by one would take longer than all the rest of a start.
fn unknown(
    disk: &Disk,
    incoming: &Path,
    org: &OrgCode,
    reader: &Reader,
) -> Result<BTreeSet<JobId>, OpenError> {
    let failed = |error: StoreError| OpenError::Index(error.to_string());
    let names = list(disk, incoming)?.into_iter().map(|file| file.file_name());
    let mut ids: BTreeSet<JobId> = names.filter_map(|name| name.to_str().and_then(id_of)).collect();
    for item in reader.lane(org) {
        ids.remove(&item.map_err(failed)?.id);
    }
    for id in ids.clone() {
        if reader.job(id).map_err(failed)?.is_some() {
            ids.remove(&id);
        }
    }
    Ok(ids)
}

/// Uploads that were running when the last process ended.
pub(super) fn empty_uploads(disk: &Disk, layout: &Layout) -> Result<(), OpenError> {
    let uploads = layout.uploads();
    // Copies of a data directory may come without it.
    disk.create_dir_all(&uploads).map_err(OpenError::io("creating", &uploads))?;
    for entry in list(disk, &uploads)? {
        disk.remove(&entry.path()).map_err(OpenError::io("removing a broken upload in", &uploads))?;
    }
    Ok(())
}

fn id_of(file_name: &str) -> Option<JobId> {
    let id = file_name.strip_suffix(".hl7")?;
    // Ids are read in either case; the store writes them in one.
    id.parse().ok().filter(|parsed: &JobId| parsed.to_string() == id)
}

fn list(disk: &Disk, path: &Path) -> Result<Vec<fs::DirEntry>, OpenError> {
    disk.list(path).map_err(OpenError::io("listing", path))
}
