//! Reads files again when they have changed.
//!
//! Invariant: a change is taken up within the rescan interval even if the system never tells of it;
//! its notifications only make that quicker (network file systems send none, queues overflow).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

/// How long an editor gets to finish writing before its file is read.
const SETTLE: Duration = Duration::from_millis(100);

/// Runs what `reload` gives, off the runtime, after changes in `folders` and every `rescan`, until
/// `shutdown`.
pub(crate) async fn watch<F: FnOnce() + Send + 'static>(
    folders: &[PathBuf],
    rescan: Duration,
    shutdown: impl Future<Output = ()>,
    reload: impl Fn() -> F,
) {
    let changed = Arc::new(Notify::new());
    let _watcher = watcher(folders, Arc::clone(&changed));
    let mut rescans = tokio::time::interval(rescan);
    rescans.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            _ = rescans.tick() => {}
            () = changed.notified() => tokio::time::sleep(SETTLE).await,
        }
        if tokio::task::spawn_blocking(reload()).await.is_err() {
            tracing::error!("changed files could not be read again");
        }
    }
}

fn watcher(folders: &[PathBuf], changed: Arc<Notify>) -> Option<impl Watcher + use<>> {
    let hint = move |event: notify::Result<notify::Event>| {
        // Our own reading of the folder is an event too, and would start the next one.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            changed.notify_one();
        }
    };
    let unwatched = |error: &notify::Error| tracing::warn!(%error, "files not watched; rescans go on");
    let mut watcher = notify::recommended_watcher(hint).inspect_err(unwatched).ok()?;
    for folder in folders {
        // The others are watched all the same.
        _ = watcher.watch(folder, RecursiveMode::NonRecursive).inspect_err(unwatched);
    }
    Some(watcher)
}
