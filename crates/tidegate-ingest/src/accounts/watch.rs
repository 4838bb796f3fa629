//! Keeps a [`Directory`] up to date.
//!
//! Invariant: a change is taken up within the rescan interval even if the system never tells of it;
//! its notifications only make that quicker (network file systems send none, queues overflow).

use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use super::directory::Directory;

/// How long an editor gets to finish writing before its file is read.
const SETTLE: Duration = Duration::from_millis(100);

/// Reloads `directory` after changes and every `rescan`, until `shutdown`.
pub async fn watch(directory: Arc<Directory>, rescan: Duration, shutdown: impl Future<Output = ()>) {
    let changed = Arc::new(Notify::new());
    let _watcher = watcher(&directory, Arc::clone(&changed));
    let mut rescans = tokio::time::interval(rescan);
    rescans.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            _ = rescans.tick() => {}
            () = changed.notified() => tokio::time::sleep(SETTLE).await,
        }
        let directory = Arc::clone(&directory);
        if tokio::task::spawn_blocking(move || directory.reload()).await.is_err() {
            tracing::error!("organizations could not be reloaded");
        }
    }
}

fn watcher(directory: &Directory, changed: Arc<Notify>) -> Option<impl Watcher + use<>> {
    let hint = move |event: notify::Result<notify::Event>| {
        // Our own reading of the folder is an event too, and would start the next one.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            changed.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(hint)
        .inspect_err(|error| tracing::warn!(%error, "organization folder not watched; rescans go on"))
        .ok()?;
    watcher
        .watch(directory.path(), RecursiveMode::NonRecursive)
        .inspect_err(|error| tracing::warn!(%error, "organization folder not watched; rescans go on"))
        .ok()?;
    Some(watcher)
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
