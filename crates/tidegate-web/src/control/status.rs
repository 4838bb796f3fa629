//! How the server is, reloading its files, and checking its store.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::OrgCode;
use tidegate_domain::job::JobState;
use tidegate_domain::maintenance::GateState;
use tidegate_store::{LaneState, Stats, StoreError};

use super::Control;
use super::failure::Failure;
use crate::api::{ClosedOrg, Drain, GateView, LaneView, Reloaded, Status, VerifyView};

/// Most lanes in one answer.
const LANES_MAX: usize = 100;

pub(crate) async fn status(State(control): State<Control>) -> Result<Json<Status>, Failure> {
    let store = control.store.clone();
    let (stats, lanes) = blocking(move || Ok::<_, StoreError>((store.stats()?, store.lanes()?))).await??;
    let (lanes, lanes_more) = longest_waiting(lanes);
    let gate = control.gate(None);
    let jobs = JobState::ALL.iter().map(|state| (*state, stats.by_state.get(state).copied().unwrap_or(0)));
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        drain: drain(&stats, &gate),
        closed_orgs: closed_orgs(&control, &stats, &gate),
        gate,
        lanes,
        lanes_more,
        jobs: jobs.collect(),
        legal_holds: held_orgs(&control)?,
        bans: control.site.bans().len(),
        oldest_queued_at: stats.oldest_waiting_at,
        listeners: control.site.listeners(),
        problems: control.site.problems(),
        configuration: control.site.configuration(),
    }))
}

/// The lanes that are told, and how many are not.
fn longest_waiting(mut lanes: Vec<LaneState>) -> (Vec<LaneView>, usize) {
    // What is only in hand stands behind all that wait.
    lanes.sort_by_key(|lane| (lane.oldest_at.is_none(), lane.oldest_at));
    let more = lanes.len().saturating_sub(LANES_MAX);
    let view = |lane| {
        let LaneState { org, waiting, in_hand, oldest_at } = lane;
        LaneView { org, waiting, in_hand, oldest_at }
    };
    (lanes.into_iter().take(LANES_MAX).map(view).collect(), more)
}

fn held_orgs(control: &Control) -> Result<Vec<OrgCode>, Failure> {
    let orgs: BTreeSet<OrgCode> = control.store.legal_holds()?.into_iter().map(|hold| hold.org).collect();
    Ok(orgs.into_iter().collect())
}

/// Organizations, by code, for which something closes the gate that does not close it for everyone.
fn closed_orgs(control: &Control, stats: &Stats, everyone: &GateView) -> Vec<ClosedOrg> {
    let waiting: BTreeMap<&OrgCode, u64> = stats.lanes.iter().map(|(org, waiting)| (org, *waiting)).collect();
    let known = control.site.organizations();
    let orgs: BTreeSet<&OrgCode> = known.iter().chain(waiting.keys().copied()).collect();
    orgs.into_iter()
        .map(|org| ClosedOrg {
            org: org.clone(),
            waiting: waiting.get(org).copied().unwrap_or(0),
            gate: control.gate(Some(org)),
        })
        .filter(|closed| closed.gate.gate.causes.iter().any(|cause| !everyone.gate.causes.contains(cause)))
        .collect()
}

pub(super) async fn reload(State(control): State<Control>) -> Result<Json<Reloaded>, Failure> {
    blocking(move || control.site.reload()).await.map(Json)
}

pub(super) async fn verify(State(control): State<Control>) -> Result<Json<VerifyView>, Failure> {
    Ok(Json(VerifyView::from(control.store.verify().await?)))
}

/// Runs what reads files without holding up other requests.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "the request failed inside the server")
            .hint("look at the server's log")
    })
}

/// The rate of late, and when the queue is empty at that rate: counted from the opening of the gate
/// while it is closed, and unknown while nothing tells how quickly it goes.
fn drain(stats: &Stats, gate: &GateView) -> Drain {
    let waiting: u64 = [JobState::Queued, JobState::Retrying, JobState::Processing]
        .iter()
        .filter_map(|state| stats.by_state.get(state))
        .sum();
    let begins = match gate.gate.state {
        GateState::Open => Some(gate.at),
        GateState::Closed => gate.gate.until,
    };
    let eta = begins.and_then(|begins| eta(begins, waiting, stats.finished_per_s));
    Drain { files_per_s: stats.finished_per_s, eta }
}

fn eta(begins: DateTime<Utc>, waiting: u64, files_per_s: f64) -> Option<DateTime<Utc>> {
    if waiting == 0 || files_per_s <= 0.0 {
        return None;
    }
    // Beyond 2^53 files the estimate is off by less than it ever was exact.
    #[allow(clippy::cast_precision_loss)]
    let length = std::time::Duration::try_from_secs_f64(waiting as f64 / files_per_s).ok()?;
    begins.checked_add_signed(TimeDelta::from_std(length).ok()?)
}
