//! How many uploads of a session are under way, so that a shutdown can wait for them.
//!
//! Invariant: an upload counts from its first byte until its success reply was handed to the
//! connection, or until it failed. So a client whose file was accepted reads that it was.

use std::sync::Arc;

use tokio::sync::watch;

/// The uploads of one session.
#[derive(Debug, Clone)]
pub struct Activity(Arc<watch::Sender<Counts>>);

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    running: usize,
    unanswered: usize,
}

impl Default for Activity {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Counts::default())))
    }
}

impl Activity {
    /// Counts an upload until the guard is dropped.
    pub fn begin(&self) -> RunningUpload {
        self.0.send_modify(|counts| counts.running += 1);
        RunningUpload(self.clone())
    }

    /// A success reply is on its way: the connection sends it before it does anything else.
    pub fn answered(&self) {
        self.0.send_modify(|counts| counts.unanswered = counts.unanswered.saturating_sub(1));
    }

    /// Whether an upload runs.
    pub fn is_running(&self) -> bool {
        self.0.borrow().running > 0
    }

    /// Resolves when no upload runs and none waits for its reply.
    pub async fn idle(&self) {
        self.wait(|counts| counts.running == 0 && counts.unanswered == 0).await;
    }

    /// Resolves when no upload runs; for sessions whose connection is gone, where nobody sends
    /// replies any more.
    pub async fn stopped(&self) {
        self.wait(|counts| counts.running == 0).await;
    }

    async fn wait(&self, mut done: impl FnMut(&Counts) -> bool) {
        // The sender lives as long as `self`, so waiting can't fail.
        let _ = self.0.subscribe().wait_for(|counts| done(counts)).await;
    }
}

/// An upload that runs.
#[derive(Debug)]
pub struct RunningUpload(Activity);

impl RunningUpload {
    /// The upload succeeded; [`Activity::answered`] follows.
    pub fn succeeded(self) {
        self.0.0.send_modify(|counts| counts.unanswered += 1);
    }
}

impl Drop for RunningUpload {
    fn drop(&mut self) {
        self.0.0.send_modify(|counts| counts.running -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_idle(activity: &Activity) -> bool {
        let counts = *activity.0.borrow();
        counts.running == 0 && counts.unanswered == 0
    }

    #[tokio::test]
    async fn an_upload_counts_until_it_failed_or_was_answered() {
        let activity = Activity::default();
        drop(activity.begin());
        activity.idle().await;
        activity.begin().succeeded();
        activity.stopped().await;
        assert!(!is_idle(&activity));
        activity.answered();
        activity.idle().await;
    }
}
