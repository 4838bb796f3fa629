//! How the uploads of a session get on, over all of its channels.
//!
//! Invariant: a session whose open uploads bring too little ends, whatever else it asks for. They have one pace together,
//! since a client may leave one open while it sends others. Only waiting for the sender counts, not what we do for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::session::{Activity, RunningUpload};
use crate::storage::Pace;

/// The progress of a session.
pub(super) struct Progress {
    uploads: Activity,
    patience: Duration,
    state: Mutex<State>,
}

struct State {
    pace: Pace,
    came_bytes: u64,
    /// Since when the sender is waited for; `None` while something is done for it.
    waiting_since: Option<Instant>,
}

impl Progress {
    /// Of a session with these uploads; what is waited for at most without progress.
    pub(super) fn new(uploads: Activity, patience: Duration) -> Self {
        let state = State { pace: Pace::new(patience, 0), came_bytes: 0, waiting_since: None };
        Self { uploads, patience, state: Mutex::new(state) }
    }

    /// Something is done for the sender until the guard is dropped.
    pub(super) fn work(&self) -> Work<'_> {
        let mut state = self.state();
        let waited = state.waiting();
        state.pace.waited(waited);
        state.waiting_since = None;
        Work(self)
    }

    /// An upload is about to be opened.
    pub(super) fn begin(&self) -> RunningUpload {
        if !self.uploads.is_running() {
            self.renew();
        }
        self.uploads.begin()
    }

    /// So many bytes of an upload came.
    pub(super) fn came(&self, bytes: usize) {
        let mut state = self.state();
        state.came_bytes = state.came_bytes.saturating_add(bytes as u64);
        let came_bytes = state.came_bytes;
        state.pace.has(came_bytes);
    }

    /// An upload was closed, however short it was.
    pub(super) fn submitted(&self) {
        self.renew();
    }

    /// Whether uploads are open whose sender was waited for long enough.
    pub(super) fn is_stalled(&self) -> bool {
        self.left() == Some(Duration::ZERO)
    }

    /// Resolves then. Whatever happens meanwhile only puts it off: so nobody needs to wake up who waits here.
    pub(super) async fn stalled(&self) {
        while !self.is_stalled() {
            sleep(self.left().unwrap_or(self.patience)).await;
        }
    }

    /// How long the sender is waited for yet; `None` without open uploads.
    fn left(&self) -> Option<Duration> {
        if !self.uploads.is_running() {
            return None;
        }
        let state = self.state();
        Some(state.pace.left().saturating_sub(state.waiting()))
    }

    fn renew(&self) {
        let mut state = self.state();
        state.pace = Pace::new(self.patience, state.came_bytes);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting(&self) -> Duration {
        self.waiting_since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Something that is done for the sender.
pub(super) struct Work<'a>(&'a Progress);

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.0.state().waiting_since = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(5);
    const MINUTE: Duration = Duration::from_mins(1);

    fn progress() -> Progress {
        Progress::new(Activity::default(), PATIENCE)
    }

    /// Opens an upload, as the request for it does.
    fn open(progress: &Progress) -> RunningUpload {
        let _work = progress.work();
        progress.begin()
    }

    /// After how many requests a minute apart a session has stalled; each brings so many bytes, and opens another upload
    /// for a moment.
    async fn requests(progress: &Progress, bytes: usize, max: u64) -> u64 {
        for count in 0..max {
            if timeout(MINUTE, progress.stalled()).await.is_ok() {
                return count;
            }
            let _work = progress.work();
            progress.came(bytes);
            drop(progress.begin());
        }
        max
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_bring_nothing_keep_no_upload_open() {
        let progress = progress();
        assert_eq!(requests(&progress, 0, 100).await, 100, "there is no upload to be slow with");
        let _upload = open(&progress);
        let opened = Instant::now();
        assert_eq!(requests(&progress, 1, 100).await, 4);
        assert!(progress.is_stalled());
        assert_eq!(opened.elapsed(), PATIENCE, "neither sooner nor later");
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_waits_while_others_come() {
        let progress = progress();
        let waits = open(&progress);
        assert_eq!(requests(&progress, 1 << 10, 100).await, 100);
        for _ in 0..100 {
            assert_eq!(requests(&progress, 1, 4).await, 4);
            progress.submitted();
        }
        drop(waits);
        assert_eq!(requests(&progress, 0, 4).await, 4);
        let _next = open(&progress);
        assert_eq!(requests(&progress, 0, 100).await, 4, "it has all the time that there is");
    }

    #[tokio::test(start_paused = true)]
    async fn what_we_do_for_a_sender_is_not_its_fault() {
        let progress = progress();
        let _upload = open(&progress);
        for _ in 0..10 {
            let _work = progress.work();
            assert!(timeout(PATIENCE, progress.stalled()).await.is_err());
        }
        assert!(!progress.is_stalled());
        progress.stalled().await;
    }
}
