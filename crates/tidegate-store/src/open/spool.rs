//! Removes what uploads left behind that were never acknowledged.

use std::fs;
use std::path::Path;

use tidegate_disk::Disk;
use tidegate_domain::{JobId, OrgCode};

use crate::error::OpenError;
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
        for file in list(disk, &incoming)? {
            let Some(id) = file.file_name().to_str().and_then(id_of) else { continue };
            let known = reader.job(id).map_err(|error| OpenError::Index(error.to_string()))?;
            if known.is_none() {
                disk.remove(&file.path()).map_err(OpenError::io("removing a stray upload in", &incoming))?;
                removed += 1;
            }
        }
    }
    Ok(removed)
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
    file_name.strip_suffix(".hl7")?.parse().ok()
}

fn list(disk: &Disk, path: &Path) -> Result<Vec<fs::DirEntry>, OpenError> {
    disk.list(path).map_err(OpenError::io("listing", path))
}
