//! Uploads that nobody goes on with: staged ones that were never submitted, and what came of broken ones.
//!
//! Invariant: they go a day after they were written, by the store's clock, and not before; what their sender puts in their
//! place meanwhile stays. A legal hold keeps those of its organization.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tidegate_domain::OrgCode;

use super::Taken;
use super::broken::by_age;
use crate::Store;
use crate::core::Core;
use crate::error::StoreError;

/// How long they are kept.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// An upload that is gone because nobody went on with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    /// Whose it was.
    pub org: OrgCode,
    /// Its length.
    pub size_bytes: u64,
}

impl Store {
    /// Drops uploads that are staged, or broke off, for more than a day; which they were. Blocks.
    pub fn forget_abandoned(&self) -> Result<Vec<Abandoned>, StoreError> {
        let core = &self.core;
        let held: Vec<OrgCode> = self.legal_holds()?.into_iter().map(|hold| hold.org).collect();
        let forgotten = core.while_open(|| forget(core, &held))?;
        forgotten.map_err(StoreError::io("removing abandoned uploads"))
    }
}

fn forget(core: &Core, held: &[OrgCode]) -> io::Result<Vec<Abandoned>> {
    let mut forgotten = Vec::new();
    for root in [core.layout.staged_uploads(), core.layout.broken_uploads()] {
        for (org, directory) in organizations(&root)? {
            if held.contains(&org) {
                continue;
            }
            for (written, path) in by_age(&directory)? {
                if is_over(core, written)
                    && let Some(size_bytes) = take_away(core, &path)?
                {
                    forgotten.push(Abandoned { org: org.clone(), size_bytes });
                }
            }
        }
    }
    Ok(forgotten)
}

/// The directories of organizations; what else lies there is nobody's.
fn organizations(root: &Path) -> io::Result<Vec<(OrgCode, PathBuf)>> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let code = entry.file_name().to_str().and_then(|name| OrgCode::new(name).ok());
        found.extend(code.map(|code| (code, entry.path())));
    }
    Ok(found)
}

/// A file from the future stays until the clock has come by.
fn is_over(core: &Core, written: SystemTime) -> bool {
    let now = SystemTime::from(core.clock.now());
    now.duration_since(written).is_ok_and(|age| age > KEPT_FOR)
}

/// Removes a file unless its sender has just put another one in its place; its length.
fn take_away(core: &Core, path: &Path) -> io::Result<Option<u64>> {
    let taken = Taken::new(core);
    match core.disk().rename(path, &taken.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        renamed => renamed?,
    }
    let found = fs::symlink_metadata(&taken.path)?;
    if is_over(core, found.modified()?) {
        return Ok(Some(found.len()));
    }
    // A second name, not a rename: that would replace what its sender has put there since.
    match core.disk().link(&taken.path, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(None),
    }
}
