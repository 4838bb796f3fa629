//! Lets go of sled.
//!
//! Invariant: nobody waits for sled for ever. When its last handle goes, sled waits for its own thread, also if
//! that thread has panicked over damaged files and never comes back. So the last handle goes on a thread that can be left behind.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// So long the last handle is waited for; its usual time are milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// The last handle on sled: whoever has a tree has this behind it, so that the tree is dropped first.
#[derive(Debug)]
pub(super) struct Keeper(Option<sled::Db>);

impl Keeper {
    pub(super) fn new(db: sled::Db) -> Self {
        Self(Some(db))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if !let_go(self.0.take(), PATIENCE) {
            tracing::warn!("sled did not let go of the index in time");
        }
    }
}

/// Drops `last` on another thread; whether that was done in time.
fn let_go<T: Send + 'static>(last: T, patience: Duration) -> bool {
    let (done, ended) = channel::<()>();
    let work = move || {
        drop(last);
        drop(done);
    };
    // Without a thread it is dropped here and now.
    drop(std::thread::Builder::new().name("store-let-go".to_owned()).spawn(work));
    ended.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender};

    use super::*;

    struct Slow {
        may_go: Receiver<()>,
        gone: Sender<()>,
    }

    impl Drop for Slow {
        fn drop(&mut self) {
            self.may_go.recv_timeout(Duration::from_mins(1)).unwrap();
            self.gone.send(()).unwrap();
        }
    }

    #[test]
    fn who_lets_go_waits_no_longer_than_it_is_patient() {
        let ((let_it, may_go), (gone, is_gone)) = (channel(), channel());
        assert!(!let_go(Slow { may_go, gone }, Duration::ZERO));
        assert!(is_gone.try_recv().is_err());
        let_it.send(()).unwrap();
        is_gone.recv_timeout(Duration::from_mins(1)).unwrap();
        assert!(let_go((), Duration::from_mins(1)));
    }
}
