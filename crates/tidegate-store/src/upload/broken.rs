//! What came of uploads that broke off, so that their senders can go on with them.
//!
//! Invariant: nothing of it was acknowledged, so nothing is promised of it: it may go at any time, and only
//! ever becomes a part of a new upload, which is accepted like any other. How much is kept is bounded.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tidegate_domain::{OrgCode, UploadName};
use tokio::io::AsyncReadExt as _;
use tokio::task::spawn_blocking;

use super::{Held, Upload, free_bytes};
use crate::Store;
use crate::core::Core;
use crate::error::StoreError;
use crate::sender_view::{SenderFile, look_at};

/// Most broken uploads that are kept of one organization; the oldest goes for the next.
const KEPT_MAX: usize = 16;

impl Upload {
    /// Keeps what came of an upload that broke off, until its sender goes on with it or a day is over; replaces
    /// what was kept under its name. What fits into memory is sent again as quickly and is not kept, and
    /// nothing is while the free space is not at least twice what uploads need.
    pub async fn keep_broken(mut self, org: &OrgCode, name: &UploadName) -> Result<(), StoreError> {
        let floor = self.store.core.options.free_bytes_min;
        if matches!(self.held, Held::Memory(_)) || free_bytes(&self.store.core)? < floor.saturating_mul(2) {
            return Ok(());
        }
        self.room().await?;
        let Held::File(spill) = self.held else { return Ok(()) };
        let core = Arc::clone(&self.store.core);
        let (path, _) = spill.finish().await.map_err(core.io("writing an upload"))?;
        let (org, name) = (org.clone(), name.clone());
        let kept = spawn_blocking(move || {
            let doing = "keeping a broken upload";
            core.while_open(|| keep(&core, &org, &name, &path.path).map_err(StoreError::io(doing)))?
        });
        kept.await.map_err(|_| StoreError::Closed)?
    }
}

impl Store {
    /// What is kept of a broken upload of this name.
    pub fn broken_entry(&self, org: &OrgCode, name: &UploadName) -> Result<Option<SenderFile>, StoreError> {
        look_at(self.core.layout.broken(org, name), name.as_bytes())
    }

    /// What there is of an upload of this name that was not submitted: broken, or else staged.
    pub fn begun(&self, org: &OrgCode, name: &UploadName) -> Result<Option<SenderFile>, StoreError> {
        match self.broken_entry(org, name)? {
            None => self.staged_entry(org, name),
            broken => Ok(broken),
        }
    }

    /// Begins an upload with the first `offset` bytes of what is kept of a broken one of this name, or of a
    /// staged one; [`StoreError::NotFound`] if there are not so many.
    pub async fn go_on(&self, org: &OrgCode, name: &UploadName, offset: u64) -> Result<Upload, StoreError> {
        let mut upload = self.upload()?;
        let doing = "going on with an upload";
        let file = self.open_begun(org, name).map_err(StoreError::file(doing))?;
        let mut begun = tokio::fs::File::from_std(file).take(offset);
        while upload.room().await?.fill(&mut begun).await.map_err(StoreError::io(doing))? > 0 {}
        if upload.size_bytes() == offset { Ok(upload) } else { Err(StoreError::NotFound) }
    }

    fn open_begun(&self, org: &OrgCode, name: &UploadName) -> io::Result<File> {
        let (disk, layout) = (self.core.disk(), &self.core.layout);
        match disk.open_read(&layout.broken(org, name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                disk.open_read(&layout.staged(org, name))
            }
            opened => opened,
        }
    }

    /// Drops what is kept of a broken upload, if anything is.
    pub fn remove_broken(&self, org: &OrgCode, name: &UploadName) -> Result<(), StoreError> {
        match self.core.disk().remove(&self.core.layout.broken(org, name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("removing a broken upload")(error))
            }
            _ => Ok(()),
        }
    }
}

fn keep(core: &Core, org: &OrgCode, name: &UploadName, from: &Path) -> io::Result<()> {
    let (directory, target) = (core.layout.broken_of(org), core.layout.broken(org, name));
    core.disk().create_dir_all(&directory)?;
    if !target.exists() {
        let mut kept = by_age(&directory)?;
        kept.truncate((kept.len() + 1).saturating_sub(KEPT_MAX));
        for (_, oldest) in kept {
            core.disk().remove(&oldest)?;
        }
    }
    core.disk().rename(from, &target)
}

/// The files of a directory, the oldest first.
pub(super) fn by_age(directory: &Path) -> io::Result<Vec<(SystemTime, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // A file that went away meanwhile is not there.
        if let Ok(written) = entry.metadata().and_then(|found| found.modified()) {
            files.push((written, entry.path()));
        }
    }
    files.sort();
    Ok(files)
}
