//! What staff do to jobs, one by one or many at once.

use std::collections::VecDeque;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tidegate_domain::JobId;
use tidegate_domain::job::{Job, JobEvent, JobState};
use tidegate_domain::maintenance::REASON_CHARS_MAX;
use tidegate_store::StoreError;
use tokio::task::JoinSet;

use super::Control;
use super::extract::Body;
use super::failure::Failure;
use super::jobs::filter;
use super::status::blocking;
use crate::api::{ACT_JOBS_MAX, ActRequest, ActResult, Acted, Action, JobFilter, Selection};

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
    let (ids, more) = match request.selection {
        Selection::Jobs(ids) => (named(ids)?, false),
        Selection::Matching(filter) if request.dry_run => matching(&control, filter, request.limit).await?,
        Selection::Matching(_) => {
            let what = "jobs that match are acted on by their names, which a dry run tells";
            return Err(Failure::bad_request(what));
        }
    };
    let change = Change { actor, event, only_in: request.only_in.0 };
    let jobs = if request.dry_run {
        blocking(move || ids.into_iter().map(|id| rehearse(&control, id, &change)).collect()).await?
    } else {
        perform(&control, ids, &change).await
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

/// What is done to each job.
#[derive(Clone)]
struct Change {
    actor: String,
    event: JobEvent,
    /// See [`ActRequest::only_in`].
    only_in: Vec<JobState>,
}

fn named(ids: Vec<JobId>) -> Result<Vec<JobId>, Failure> {
    if ids.len() <= ACT_JOBS_MAX {
        return Ok(ids);
    }
    let what = format!("{} jobs are named, and at most {ACT_JOBS_MAX} are changed at once", ids.len());
    Err(Failure::bad_request(what).hint("name them in parts"))
}

/// The jobs that match, the oldest first, so that requeued jobs keep the order in which they came; and whether
/// there are more than `limit`.
async fn matching(
    control: &Control,
    wanted: JobFilter,
    limit: Option<usize>,
) -> Result<(Vec<JobId>, bool), Failure> {
    let (filter, store) = (filter(control, wanted)?, control.store.clone());
    let oldest = limit.unwrap_or(ACT_JOBS_MAX).min(ACT_JOBS_MAX);
    let (ids, all) = blocking(move || {
        let (mut ids, mut all) = (VecDeque::new(), 0_usize);
        let visited = store.visit(&filter, |job: Job| {
            all += 1;
            ids.push_front(job.id);
            ids.truncate(oldest);
            Ok(())
        });
        visited.map(|()| (ids, all))
    })
    .await??;
    if limit.is_none() && all > ACT_JOBS_MAX {
        let what = format!("{all} jobs match, and at most {ACT_JOBS_MAX} are changed at once");
        let hint = "take the oldest with --limit 1000 and come again for the rest, or narrow down with --org, \
                    --since, --until or --name";
        return Err(Failure::new(StatusCode::CONFLICT, what).hint(hint));
    }
    Ok((ids.into(), all > oldest))
}

/// What would happen, by the job's own state machine.
fn rehearse(control: &Control, id: JobId, change: &Change) -> ActResult {
    let job = find(control, id);
    let error = control.store.would_allow(id, &change.event).err();
    let error = error.map(|error| words(&error, job.as_ref()));
    let error = moved_on(job.as_ref(), change).or(error);
    result(id, job, error)
}

fn find(control: &Control, id: JobId) -> Option<Job> {
    control.store.get(id).ok().flatten()
}

/// A worker ends soon, which the other reasons do not.
fn words(error: &StoreError, job: Option<&Job>) -> String {
    match error {
        StoreError::Illegal(_) if job.is_some_and(|job| job.state == JobState::Processing) => {
            "a worker has it in hand: come again when it is done".to_owned()
        }
        other => other.to_string(),
    }
}

fn result(id: JobId, job: Option<Job>, error: Option<String>) -> ActResult {
    let state = job.as_ref().map(|job| job.state);
    let (org, name) = job.map(|job| (job.submission.org, job.submission.name.to_text())).unzip();
    ActResult { id, org, name, state, error }
}

/// Why nothing is done to a job that is no longer what it was when it was chosen.
fn moved_on(job: Option<&Job>, change: &Change) -> Option<String> {
    let state = job?.state;
    let has = !change.only_in.is_empty() && !change.only_in.contains(&state);
    has.then(|| format!("it has gone on meanwhile and is {state} by now"))
}

async fn perform(control: &Control, ids: Vec<JobId>, change: &Change) -> Vec<ActResult> {
    let mut results = Vec::with_capacity(ids.len());
    let mut running: JoinSet<(usize, ActResult)> = JoinSet::new();
    for (place, id) in ids.into_iter().enumerate() {
        if running.len() >= AT_ONCE {
            results.extend(running.join_next().await.and_then(Result::ok));
        }
        let (control, change) = (control.clone(), change.clone());
        running.spawn(async move { (place, perform_one(&control, id, change).await) });
    }
    results.extend(running.join_all().await);
    results.sort_unstable_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

async fn perform_one(control: &Control, id: JobId, change: Change) -> ActResult {
    let before = find(control, id);
    if let Some(error) = moved_on(before.as_ref(), &change) {
        return result(id, before, Some(error));
    }
    match control.store.act(id, change.event, &change.actor).await {
        Ok(job) => result(id, Some(job), None),
        Err(error) => {
            let job = find(control, id);
            let error = words(&error, job.as_ref());
            result(id, job, Some(error))
        }
    }
}
