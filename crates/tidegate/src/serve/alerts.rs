//! Looks at the server every half minute and tells staff what they should look at.
//!
//! Invariant: a command or a webhook that hangs, fails or is slow holds nothing up but later alerts, of which a
//! bounded number waits; what does not fit is told in the log.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tidegate_domain::job::{Job, JobState};
use tidegate_domain::maintenance::GateState;
use tidegate_domain::{Clock as _, OrgCode, SystemClock};
use tidegate_notices::alerts::{Alert, AlertsConfig, Away, Ended, Means, Observations, Watch};
use tidegate_store::{Filter, Stats, Store, StoreError};
use tidegate_web::control::Site as _;
use tokio::sync::mpsc;

use super::site::RunningSite;

/// How often is looked.
const INTERVAL: Duration = Duration::from_secs(30);

/// Alerts that wait for their turn.
const WAITING_MAX: usize = 100;

/// How often an alert is tried.
const TRIES: u32 = 3;

/// How long after a failure it is tried again.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Jobs of a state that are looked at.
const JOBS_MAX: usize = 1000;

/// The chore.
pub(super) struct Alerts {
    store: Store,
    site: Arc<RunningSite>,
    watch: Watch,
    means: Means,
}

impl Alerts {
    pub(super) fn new(store: Store, site: Arc<RunningSite>, config: &AlertsConfig) -> Self {
        let watch = Watch::new(config.clone(), SystemClock.now());
        Self { store, site, watch, means: Means::new(config.clone()) }
    }

    /// Looks again and again until `stopping`.
    pub(super) async fn run(self, stopping: impl Future<Output = ()>) {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        let means = self.means.clone();
        tokio::select! {
            () = send_all(&means, waiting) => {}
            () = self.again_and_again(queue) => {}
            () = stopping => {}
        }
    }

    async fn again_and_again(mut self, queue: mpsc::Sender<Alert>) {
        loop {
            let (store, site) = (self.store.clone(), Arc::clone(&self.site));
            let now = SystemClock.now();
            match tokio::task::spawn_blocking(move || observe(&store, &site, now)).await {
                Ok(Ok(seen)) => {
                    for alert in self.watch.look(&seen, now) {
                        let name = alert.alert;
                        if queue.try_send(alert).is_err() {
                            tracing::error!(alert = name, "an alert was dropped: too many wait to be sent");
                        }
                    }
                }
                Ok(Err(error)) => tracing::warn!(%error, "the queue can't be looked at for alerts"),
                Err(_) => tracing::error!("looking for alerts failed"),
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// Sends alerts one after the other.
async fn send_all(means: &Means, mut waiting: mpsc::Receiver<Alert>) {
    let means = means.each();
    while let Some(alert) = waiting.recv().await {
        tracing::info!(alert = alert.alert, state = alert.state.name(), "alert");
        for one in &means {
            send(one, &alert).await;
        }
    }
}

/// Sends one alert by one means, again if that fails.
async fn send(means: &Means, alert: &Alert) {
    for attempt in 1..=TRIES {
        if attempt > 1 {
            tokio::time::sleep(AFTER_FAILURE).await;
        }
        let (means, alert) = (means.clone(), alert.clone());
        let failed = tokio::task::spawn_blocking(move || means.send(&alert)).await.unwrap_or_default();
        let Some(error) = failed.first() else { return };
        tracing::warn!(%error, attempt, "an alert could not be sent");
    }
}

/// What there is to see. Blocks for looks at the index and at the disk.
fn observe(store: &Store, site: &RunningSite, now: DateTime<Utc>) -> Result<Observations, StoreError> {
    let stats = store.stats()?;
    let in_state = |state| store.list(&Filter { states: vec![state], limit: JOBS_MAX, ..Filter::default() });
    let (in_hand, retrying) = (in_state(JobState::Processing)?, in_state(JobState::Retrying)?);
    let away = store
        .maintenance()
        .downstream
        .iter()
        .map(|one| Away { name: one.name.clone(), since: one.since })
        .collect();
    Ok(Observations {
        exceptions: in_state(JobState::Exception)?.iter().map(ended).collect(),
        errors: in_state(JobState::Error)?.iter().map(ended).collect(),
        may_move: may_move(store, &stats, &in_hand, &retrying, now),
        progress: progress(&stats, &in_hand),
        oldest_waiting_at: stats.oldest_waiting_at,
        free_bytes: store.free_bytes().ok(),
        certificate_expires_at: site.certificate_expires_at(),
        away,
        bans: site.bans().len(),
    })
}

fn ended(job: &Job) -> Ended {
    let at = job.finished_at.unwrap_or(job.received_at);
    Ended { id: job.id.to_string(), org: job.submission.org.to_string(), at }
}

/// Whether some organization's files wait, or are in hand, that neither a closed gate nor a retry to come holds up.
fn may_move(store: &Store, stats: &Stats, in_hand: &[Job], retrying: &[Job], now: DateTime<Utc>) -> bool {
    let later: BTreeSet<&OrgCode> =
        retrying.iter().filter(|job| !job.is_due(now)).map(|job| &job.submission.org).collect();
    let maintenance = store.maintenance();
    let waiting = stats.lanes.iter().filter(|(_, files)| *files > 0).map(|(org, _)| org);
    let mut orgs = in_hand.iter().map(|job| &job.submission.org).chain(waiting);
    orgs.any(|org| !later.contains(org) && maintenance.gate_now(now, Some(org)).state == GateState::Open)
}

/// Changes with each file that comes to an end or to a retry, and with each checkpoint of those in hand; not with those
/// that only come in.
fn progress(stats: &Stats, in_hand: &[Job]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let moved =
        stats.by_state.iter().filter(|(state, _)| !matches!(state, JobState::Queued | JobState::Held));
    moved.for_each(|count| count.hash(&mut hasher));
    for job in in_hand {
        (job.id.to_string(), job.counts.total, job.attempts).hash(&mut hasher);
    }
    hasher.finish()
}
