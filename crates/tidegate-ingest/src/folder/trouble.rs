//! What is wrong with a folder, for staff.

use std::path::Path;

use tokio::sync::watch;

/// What the last look at a folder found in the way; names no file.
#[derive(Debug, Default)]
pub struct Trouble(watch::Sender<Vec<String>>);

impl Trouble {
    /// One line for each thing that is wrong.
    pub fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    /// Hears of every look.
    pub fn subscribe(&self) -> watch::Receiver<Vec<String>> {
        self.0.subscribe()
    }

    /// Takes up what is wrong now; says it in the log once, when it changes.
    pub(super) fn set(&self, folder: &Path, found: &[String]) {
        let folder = folder.display();
        let lines: Vec<String> = found.iter().map(|what| format!("folder {folder}: {what}")).collect();
        let known = self.0.send_replace(lines.clone());
        for what in lines.iter().filter(|line| !known.contains(line)) {
            tracing::warn!(%what, "watched folder");
        }
    }
}
