//! All organizations as they are now.
//!
//! Invariant: [`Directory::current`] is always a whole, consistent snapshot; a login or upload that
//! holds one is not affected by a reload. Nothing is reloaded by itself: that is [`super::watch`]'s
//! business, or somebody's who asks.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_domain::Organizations;
use tokio::sync::watch;

use super::folder::{OrgFolder, load_folder, reload_folder};
use super::problem::{Problem, Problems};

/// The organizations of a folder, reloaded on request.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    folder: Mutex<OrgFolder>,
    current: watch::Sender<Arc<Organizations>>,
}

impl Directory {
    /// Reads the folder `orgs.d`; at a start no mistake is tolerated, so that none is overlooked.
    /// Blocks.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Problems> {
        let path = path.into();
        let mut folder = load_folder(&path);
        let organizations = collect(&path, &mut folder);
        if !folder.problems.is_empty() {
            return Err(Problems(folder.problems));
        }
        let (current, _) = watch::channel(Arc::new(organizations.unwrap_or_default()));
        Ok(Self { path, folder: Mutex::new(folder), current })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The organizations now.
    pub fn current(&self) -> Arc<Organizations> {
        Arc::clone(&self.current.borrow())
    }

    /// Hears of every change of the organizations.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Organizations>> {
        self.current.subscribe()
    }

    /// What was wrong when the folder was last read.
    pub fn problems(&self) -> Vec<Problem> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner).problems.clone()
    }

    /// Reads the folder again and returns what is wrong with it. Blocks.
    pub fn reload(&self) -> Vec<Problem> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = reload_folder(&self.path, &folder);
        if let Some(organizations) = collect(&self.path, &mut read) {
            let organizations = Arc::new(organizations);
            let changed = self.current.send_if_modified(|current| {
                let differs = *current != organizations;
                *current = Arc::clone(&organizations);
                differs
            });
            if changed {
                tracing::info!(organizations = organizations.iter().count(), "organizations changed");
            }
        }
        for problem in read.problems.iter().filter(|problem| !folder.problems.contains(problem)) {
            tracing::warn!(%problem, "organization file refused");
        }
        *folder = read;
        folder.problems.clone()
    }
}

/// The snapshot of a folder. The domain checks once more what the folder already settled; should it
/// disagree, that is a problem and not a new snapshot.
fn collect(path: &Path, folder: &mut OrgFolder) -> Option<Organizations> {
    match Organizations::new(folder.organizations.values().cloned()) {
        Ok(organizations) => Some(organizations),
        Err(message) => {
            folder.problems.push(Problem { file: path.to_owned(), key: String::new(), message });
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        std::fs::write(folder.join(name), text).unwrap();
    }

    #[test]
    fn a_start_reports_every_broken_file() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "A.toml", "code = 'A");
        write(folder.path(), "B.toml", "code = 'B B'");
        let problems = Directory::open(folder.path()).unwrap_err();
        assert_eq!(problems.0.len(), 2);
        assert!(problems.to_string().contains("A.toml"), "{problems}");
        assert!(Directory::open(folder.path().join("missing")).is_err());
    }

    #[test]
    fn a_reload_tells_of_changes_and_of_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "A.toml", "code = 'A'");
        let directory = Directory::open(folder.path()).unwrap();
        let mut changes = directory.subscribe();
        assert_eq!(directory.reload(), []);
        assert!(!changes.has_changed().unwrap());

        write(folder.path(), "A.toml", "code = 'A'\ndisabled = true");
        directory.reload();
        assert!(changes.borrow_and_update().iter().all(|organization| organization.disabled));

        write(folder.path(), "A.toml", "code = 'A'\ndisabled = maybe");
        assert_eq!(directory.reload().len(), 1);
        assert_eq!(directory.problems().len(), 1);
        assert!(!changes.has_changed().unwrap());
    }
}
