//! Looking at jobs.

use std::path::PathBuf;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use tidegate_domain::job::{Job, JobState};
use tidegate_domain::maintenance::GateState;
use tidegate_domain::{JobId, JobIdError, OrgCode};
use tidegate_store::Filter;

use super::Control;
use super::extract::Parameters;
use super::failure::Failure;
use super::status::blocking;
use crate::api::{FilesView, GateView, HistoryView, JobDetail, JobView, Since};

/// Most jobs in one answer.
const LIMIT_MAX: usize = 100_000;
const LIMIT_DEFAULT: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    pub(crate) org: Option<OrgCode>,
    pub(crate) state: Option<JobState>,
    pub(crate) since: Option<Since>,
    pub(crate) limit: Option<usize>,
}

pub(crate) async fn list(
    State(control): State<Control>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<Vec<JobView>>, Failure> {
    let since = query.since.map(|since| since.resolve(control.zone(), control.now())).transpose()?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let filter = Filter { org: query.org, state: query.state, since, limit };
    let jobs = blocking(move || control.store.list(&filter)).await??;
    Ok(Json(jobs.iter().map(JobView::from).collect()))
}

pub(crate) async fn show(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Result<Json<JobDetail>, Failure> {
    let id = job_id(&id)?;
    blocking(move || {
        let job = find(&control, id)?;
        let history = control.store.history(id)?;
        Ok(Json(JobDetail {
            job: JobView::from(&job),
            waits_for: waits_for(&control, &job),
            failures: job.failures,
            duplicate_of: job.duplicate_of,
            response_deleted: job.response_deleted,
            report_deleted: job.report_deleted,
            history: history.iter().map(HistoryView::from).collect(),
            files: files(&control, &job),
        }))
    })
    .await?
}

fn waits_for(control: &Control, job: &Job) -> Option<GateView> {
    let gate = control.gate(Some(&job.submission.org));
    (job.state.is_waiting() && gate.gate.state == GateState::Closed).then_some(gate)
}

pub(super) fn job_id(text: &str) -> Result<JobId, Failure> {
    text.parse().map_err(|error: JobIdError| Failure::bad_request(error.to_string()))
}

pub(super) fn find(control: &Control, id: JobId) -> Result<Job, Failure> {
    control.store.get(id)?.ok_or_else(|| tidegate_store::StoreError::UnknownJob.into())
}

fn files(control: &Control, job: &Job) -> FilesView {
    let existing = |path: PathBuf| path.exists().then(|| path.display().to_string());
    FilesView {
        payload: control.store.payload_path(job).map(|path| path.display().to_string()),
        response: existing(control.store.response_path(job)).filter(|_| job.has_response()),
        report: existing(control.store.report_path(job)).filter(|_| job.has_response()),
    }
}
