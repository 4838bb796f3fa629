//! The chore that takes away what is over: soon after the start, then every hour.
//!
//! Invariant: after the wall clock was set, nothing is taken away until it has kept step with the
//! monotonic clock for an hour, so that a clock that is ahead for a moment costs nothing. What fails is
//! told and tried again an hour later; it never ends the service.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::job::JobState;
use tidegate_domain::{CLOCK_PROBATION, Clock, ClockWatch, Terms};
use tidegate_store::{Abandoned, Compaction, Due, Store, StoreError};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

/// From the start to the first pass: first senders, then tidiness.
const FIRST_AFTER: Duration = Duration::from_mins(5);
/// From the end of a pass to the next: no shorter than a clock that was set is looked at.
const INTERVAL: Duration = CLOCK_PROBATION;

/// The chore; cheap to clone.
#[derive(Clone)]
pub struct Retention {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    terms: Terms,
    clock: Arc<dyn Clock>,
    started: Instant,
    watch: Mutex<ClockWatch>,
    last: Mutex<Option<Pass>>,
    note: Note,
}

/// Told of each upload that is taken away because nobody went on with it.
pub type Note = Box<dyn Fn(Abandoned) + Send + Sync>;

/// One pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// When it began, by the wall clock.
    pub at: DateTime<Utc>,
    /// What came of it.
    pub passed: Passed,
}

/// What came of a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passed {
    /// What was over is gone.
    Done(Due),
    /// Nothing was done, since the wall clock was set of late.
    Postponed {
        /// By how much, back if negative.
        clock_moved: TimeDelta,
    },
    /// It broke off; what it did stays done.
    Failed {
        /// What failed.
        reason: String,
    },
}

impl Retention {
    /// A chore on `store`, with the clock that the store has too. `last_known` is when the newest job came
    /// that there was before the start.
    pub fn new(
        store: Store,
        terms: Terms,
        clock: Arc<dyn Clock>,
        last_known: Option<DateTime<Utc>>,
        note: Note,
    ) -> Self {
        let (started, watch) = (Instant::now(), Mutex::new(ClockWatch::new(last_known)));
        Self {
            shared: Arc::new(Shared { store, terms, clock, started, watch, last: Mutex::default(), note }),
        }
    }

    /// Passes until `shutdown`. A pass that is under way then is broken off between two jobs.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = again_and_again(|| async { drop(self.pass().await) }) => {}
            () = shutdown => {}
        }
    }

    /// Takes away what is over, now.
    pub async fn pass(&self) -> Pass {
        let at = self.shared.clock.now();
        let passed = match self.look_at_clock(at) {
            Some(clock_moved) => Passed::Postponed { clock_moved },
            None => match self.tidy(at).await {
                Ok(due) => Passed::Done(due),
                Err(error) => Passed::Failed { reason: error.to_string() },
            },
        };
        tell(&passed);
        let pass = Pass { at, passed };
        *self.shared.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(pass.clone());
        pass
    }

    /// Jobs first; what they leave in the journal goes when it has become much.
    async fn tidy(&self, at: DateTime<Utc>) -> Result<Due, StoreError> {
        let Shared { store, terms, .. } = &*self.shared;
        let due = store.retain(*terms, at).await?;
        let Compaction { segments, bytes_before, bytes_after } = store.compact().await?;
        if segments > 0 {
            tracing::info!(segments, bytes_before, bytes_after, "journal compacted");
        }
        let (store, before) = (store.clone(), terms.ended_by(JobState::Complete, at));
        let forgotten = spawn_blocking(move || {
            let abandoned = store.forget_abandoned()?;
            before.map_or(Ok(0), |before| store.forget_known(before))?;
            Ok(abandoned)
        });
        let abandoned = forgotten.await.unwrap_or(Err(StoreError::Closed))?;
        if !abandoned.is_empty() {
            tracing::info!(uploads = abandoned.len(), "uploads removed that nobody went on with for a day");
        }
        abandoned.into_iter().for_each(&self.shared.note);
        Ok(due)
    }

    /// What a pass would find over now.
    pub async fn due(&self) -> Result<Due, StoreError> {
        self.shared.store.due(self.shared.terms, self.shared.clock.now()).await
    }

    /// The terms in force.
    pub fn terms(&self) -> Terms {
        self.shared.terms
    }

    /// The last pass since the start.
    pub fn last(&self) -> Option<Pass> {
        self.shared.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn look_at_clock(&self, wall: DateTime<Utc>) -> Option<TimeDelta> {
        let mut watch = self.shared.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.look(wall, self.shared.started.elapsed())
    }
}

async fn again_and_again<P: Future<Output = ()>>(pass: impl Fn() -> P) {
    sleep(FIRST_AFTER).await;
    loop {
        pass().await;
        sleep(INTERVAL).await;
    }
}

fn tell(passed: &Passed) {
    match passed {
        Passed::Done(due) => {
            let jobs: u64 = due.purged.values().map(|amount| amount.jobs).sum();
            let kept: u64 = due.kept.values().map(|amount| amount.jobs).sum();
            tracing::info!(jobs, kept_by_legal_holds = kept, "retention passed");
        }
        Passed::Postponed { clock_moved } => tracing::warn!(
            clock_moved_s = clock_moved.num_seconds(),
            "retention postponed: the wall clock was set, or nothing came for long; look whether it is right"
        ),
        Passed::Failed { reason } => tracing::error!(reason, "retention broke off"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn passes_come_soon_after_the_start_and_then_an_hour_after_the_end_of_the_last() {
        let (started, seen) = (Instant::now(), Mutex::new(Vec::new()));
        let pass = || async {
            seen.lock().unwrap().push(started.elapsed().as_secs() / 60);
            sleep(Duration::from_mins(2)).await;
        };
        drop(tokio::time::timeout(Duration::from_mins(200), again_and_again(pass)).await);
        assert_eq!(*seen.lock().unwrap(), [5, 67, 129, 191]);
    }
}
