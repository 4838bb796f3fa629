//! Looking at a folder's files, off the runtime.
//!
//! Invariant: only plain files count; links are not followed.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::identity::Identity;
use crate::intake::Intake;

/// Most files of one look; those behind them come when these are gone.
const FILES_MAX: usize = 100_000;

/// The plain files that have no temporary name, in the order in which they were last written.
pub(super) async fn list(folder: &Path, intake: Arc<Intake>) -> io::Result<Vec<(OsString, Identity)>> {
    let folder = folder.to_owned();
    let listed = tokio::task::spawn_blocking(move || list_now(&folder, &intake)).await;
    listed.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn list_now(folder: &Path, intake: &Intake) -> io::Result<Vec<(OsString, Identity)>> {
    let mut files: Vec<(SystemTime, OsString, Identity)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if intake.temporary_names().contains(name.as_encoded_bytes()) {
            continue;
        }
        // A file that went away meanwhile is not there.
        let Ok(found) = entry.metadata() else { continue };
        if found.is_file() {
            files.push((found.modified().unwrap_or(SystemTime::UNIX_EPOCH), name, Identity::of(&found)));
        }
        if files.len() == FILES_MAX {
            break;
        }
    }
    files.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    Ok(files.into_iter().map(|(_, name, identity)| (name, identity)).collect())
}

/// A plain file as it is now.
pub(super) async fn look(folder: &Path, name: &OsStr) -> Option<Identity> {
    let found = tokio::fs::symlink_metadata(folder.join(name)).await.ok()?;
    found.is_file().then(|| Identity::of(&found))
}
