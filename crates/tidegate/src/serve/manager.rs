//! What the service manager is told: that the server is ready, what it does, that it still moves; see
//! `sd_notify(3)`. Where no manager asks, with `NOTIFY_SOCKET`, nobody is told.
//!
//! Invariant: the watchdog hears of nothing but a server that moves: since it heard last, the thread that
//! changes the store has answered and the worker has taken a turn. What is told names no sender.

use std::env;
use std::time::Duration;

use chrono_tz::Tz;
use sd_notify::NotifyState;
use tidegate_domain::maintenance::{Gate, GateState};
use tidegate_store::{Store, StoreError};
use tokio::sync::watch;

use crate::render::{Screen, plural};

/// How often the status is looked at, and the watchdog told at the least.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Whether somebody wants to be told.
pub(super) fn listens() -> bool {
    env::var_os("NOTIFY_SOCKET").is_some()
}

/// Tells the manager, if there is one. A manager that can't be told is no reason to stop.
pub(super) fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

/// Tells that configuration is being taken up; [`NotifyState::Ready`] tells the end.
pub(super) fn tell_reloading() {
    // Newer managers want to know since when.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "there is no monotonic clock"),
    }
}

/// The signs of life, and the gate's state in a line.
pub(super) struct Pulse {
    pub(super) store: Store,
    /// Changes with each turn of the worker.
    pub(super) turns: watch::Receiver<()>,
    /// Zone of the times that are told.
    pub(super) zone: Option<Tz>,
}

impl Pulse {
    /// Tells the manager for as long as the server moves. Returns only when the store or the worker is gone.
    pub(super) async fn run(mut self) {
        let watchdog = sd_notify::watchdog_enabled();
        // Twice within the manager's patience, as sd_watchdog_enabled(3) advises.
        let every = watchdog.map_or(LOOK_EVERY, |patience| LOOK_EVERY.min(patience / 2));
        let mut told = String::new();
        while self.moved().await.is_some() {
            if watchdog.is_some() {
                tell(&[NotifyState::Watchdog]);
            }
            if let Some(status) = self.status().await.filter(|status| *status != told) {
                tell(&[NotifyState::Status(&status)]);
                told = status;
            }
            tokio::time::sleep(every).await;
        }
    }

    /// Waits until everything that has to move has moved; `None` once that can't be any more.
    async fn moved(&mut self) -> Option<()> {
        self.turns.mark_unchanged();
        self.store.answers().await.ok()?;
        self.turns.changed().await.ok()
    }

    /// What `systemctl status` shows.
    async fn status(&self) -> Option<String> {
        let (store, zone) = (self.store.clone(), self.zone);
        let looked = tokio::task::spawn_blocking(move || {
            let waiting = store.stats()?.lanes.iter().map(|(_, waiting)| waiting).sum();
            Ok::<_, StoreError>(line(&store.gate(None), waiting, &Screen::stdout(zone)))
        });
        looked.await.ok()?.ok()
    }
}

/// The gate for everyone, and how many files wait.
fn line(gate: &Gate, waiting: u64, screen: &Screen) -> String {
    let waiting = plural(waiting, "file");
    match (gate.state, gate.until) {
        (GateState::Open, _) => format!("gate open, {waiting} to process"),
        (GateState::Closed, Some(until)) => {
            format!("gate CLOSED until {}, {waiting} waiting", screen.instant(until))
        }
        (GateState::Closed, None) => format!("gate CLOSED, {waiting} waiting"),
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::Poll;

    use tidegate_domain::SystemClock;
    use tidegate_store::Options;

    use super::*;

    #[tokio::test]
    async fn only_a_turn_of_the_worker_after_an_answer_of_the_store_is_a_sign_of_life() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(directory.path(), Options::default(), Arc::new(SystemClock)).unwrap();
        let turn = watch::Sender::new(());
        let mut pulse = Pulse { store: store.clone(), turns: turn.subscribe(), zone: None };
        turn.send_replace(());
        {
            let mut moved = pin!(pulse.moved());
            for _ in 0..3 {
                let is_pending =
                    poll_fn(|context| Poll::Ready(moved.as_mut().poll(context).is_pending())).await;
                assert!(is_pending, "the worker has not moved");
                // Whoever asked before has its answer, too.
                store.answers().await.unwrap();
            }
            turn.send_replace(());
            assert_eq!(moved.await, Some(()));
        }
        store.close().await;
        turn.send_replace(());
        assert_eq!(pulse.moved().await, None, "a store that is gone answers nobody");
    }
}
