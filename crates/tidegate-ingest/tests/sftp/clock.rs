//! Time that goes by only when a test says so, for the door and its clients alike.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tokio::task::spawn_blocking;

/// So long a test may take by any other clock; then time jumps again to whatever somebody waits for, and who waits
/// fails.
const PATIENCE: Duration = Duration::from_mins(3);

/// Time stands still until this is dropped.
pub(crate) struct Clock(#[expect(dead_code, reason = "held")] Sender<()>);

impl Clock {
    /// tokio moves a paused clock on when nobody has anything to do, as if nothing came from outside. It does not while
    /// something blocks, so something does.
    pub(crate) fn stop() -> Self {
        tokio::time::pause();
        let (held, released) = channel();
        spawn_blocking(move || _ = released.recv_timeout(PATIENCE));
        Self(held)
    }

    pub(crate) async fn advance(&self, time: Duration) {
        tokio::time::advance(time).await;
    }
}
