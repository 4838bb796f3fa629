//! Keeps a [`Directory`] up to date.

use std::sync::Arc;
use std::time::Duration;

use super::directory::Directory;

/// Reloads `directory` after changes and every `rescan`, until `shutdown`.
pub async fn watch(directory: Arc<Directory>, rescan: Duration, shutdown: impl Future<Output = ()>) {
    crate::watch::watch(&[directory.path().to_owned()], rescan, shutdown, || {
        let directory = Arc::clone(&directory);
        move || drop(directory.reload())
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changes_are_taken_up_by_rescan_and_by_hint() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Arc::new(Directory::open(folder.path()).unwrap());
        let mut changes = directory.subscribe();
        let rescan = Duration::from_hours(1);
        let task = tokio::spawn(watch(Arc::clone(&directory), rescan, std::future::pending()));
        for count in 1..=2 {
            // The first is found by the scan at the start, before which the watcher stands; only a
            // hint can find the second within the hour.
            let name = folder.path().join(format!("{count}.toml"));
            std::fs::write(name, format!("code = 'A{count}'")).unwrap();
            let found = changes.wait_for(|all| all.iter().count() == count);
            tokio::time::timeout(Duration::from_secs(20), found).await.unwrap().unwrap();
        }
        task.abort();
    }
}
