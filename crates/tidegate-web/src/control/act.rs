//! What staff do to jobs, one by one or many at once.

use axum::Json;
use axum::extract::State;
use tidegate_domain::JobId;
use tidegate_domain::job::{JobEvent, JobState};
use tidegate_domain::maintenance::REASON_CHARS_MAX;
use tidegate_store::Filter;
use tokio::task::JoinSet;

use super::Control;
use super::extract::Body;
use super::failure::Failure;
use super::status::blocking;
use crate::api::{ActRequest, ActResult, Acted, Action, Selection};

/// Most jobs in one request; whoever has more asks again.
const JOBS_MAX: usize = 100_000;

/// Changes under way at once, so that the store's group commit has a group.
const AT_ONCE: usize = 128;

pub(crate) async fn act(
    State(control): State<Control>,
    Body(request): Body<ActRequest>,
) -> Result<Json<Acted>, Failure> {
    let reason = request.reason.trim();
    let actor = request.actor.trim().to_owned();
    check_wording(&actor, reason)?;
    let event = event(request.action, reason);
    let ids = select(&control, request.selection).await?;
    let more = ids.len() == JOBS_MAX;
    let jobs = if request.dry_run {
        blocking(move || ids.into_iter().map(|id| rehearse(&control, id, &event)).collect()).await?
    } else {
        perform(&control, ids, &actor, &event).await
    };
    Ok(Json(Acted { dry_run: request.dry_run, jobs, more }))
}

/// Both go into a history that is kept for good.
pub(super) fn check_wording(actor: &str, reason: &str) -> Result<(), Failure> {
    if reason.is_empty() || actor.is_empty() {
        return Err(Failure::bad_request("a change needs an actor and a reason"));
    }
    if reason.chars().count() > REASON_CHARS_MAX || actor.chars().count() > REASON_CHARS_MAX {
        return Err(Failure::bad_request(format!("a reason has at most {REASON_CHARS_MAX} characters")));
    }
    Ok(())
}

fn event(action: Action, reason: &str) -> JobEvent {
    let reason = reason.to_owned();
    match action {
        Action::Requeue => JobEvent::Requeued { reason },
        Action::Hold => JobEvent::Held { reason },
        Action::Release => JobEvent::Released { reason },
        Action::Cancel => JobEvent::Cancelled { reason },
    }
}

async fn select(control: &Control, selection: Selection) -> Result<Vec<JobId>, Failure> {
    let (org, state) = match selection {
        Selection::Jobs(ids) => return Ok(ids),
        Selection::Matching { org, state } => (org, state),
    };
    let filter = Filter { org: Some(org), state: Some(state), since: None, limit: JOBS_MAX };
    let control = control.clone();
    let jobs = blocking(move || control.store.list(&filter)).await??;
    // Oldest first: requeued jobs keep the order in which they came.
    Ok(jobs.iter().rev().map(|job| job.id).collect())
}

/// What would happen, by the job's own state machine.
fn rehearse(control: &Control, id: JobId, event: &JobEvent) -> ActResult {
    let error = control.store.would_allow(id, event).err().map(|error| error.to_string());
    ActResult { id, state: state(control, id), error }
}

fn state(control: &Control, id: JobId) -> Option<JobState> {
    control.store.get(id).ok().flatten().map(|job| job.state)
}

async fn perform(control: &Control, ids: Vec<JobId>, actor: &str, event: &JobEvent) -> Vec<ActResult> {
    let mut results = Vec::with_capacity(ids.len());
    let mut running: JoinSet<(usize, ActResult)> = JoinSet::new();
    for (place, id) in ids.into_iter().enumerate() {
        if running.len() >= AT_ONCE {
            results.extend(running.join_next().await.and_then(Result::ok));
        }
        let (control, actor, event) = (control.clone(), actor.to_owned(), event.clone());
        running.spawn(async move { (place, perform_one(&control, id, event, &actor).await) });
    }
    results.extend(running.join_all().await);
    results.sort_unstable_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

async fn perform_one(control: &Control, id: JobId, event: JobEvent, actor: &str) -> ActResult {
    match control.store.act(id, event, actor).await {
        Ok(job) => ActResult { id, state: Some(job.state), error: None },
        Err(error) => ActResult { id, state: state(control, id), error: Some(error.to_string()) },
    }
}
