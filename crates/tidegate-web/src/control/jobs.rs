//! Looking at jobs.

use std::path::PathBuf;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use tidegate_domain::job::{Job, JobState, Outcome};
use tidegate_domain::maintenance::GateState;
use tidegate_domain::{JobId, JobIdError, NamePattern, OrgCode};
use tidegate_store::Filter;

use super::Control;
use super::extract::Parameters;
use super::failure::Failure;
use super::status::blocking;
use crate::api::{FilesView, GateView, HistoryView, JobDetail, JobFilter, JobView, NoZone, Since, States};

/// Most jobs in one answer: a long page, and one more that tells whether there is another.
const LIMIT_MAX: usize = 100_001;
const LIMIT_DEFAULT: usize = 50;

/// A [`JobFilter`], and where in the list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ListQuery {
    pub(crate) org: Option<OrgCode>,
    pub(crate) state: States,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) since: Option<Since>,
    pub(crate) until: Option<Since>,
    pub(crate) name: Option<String>,
    /// Behind this job.
    pub(crate) after: Option<JobId>,
    pub(crate) limit: Option<usize>,
}

pub(crate) async fn list(
    State(control): State<Control>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<Vec<JobView>>, Failure> {
    let ListQuery { org, state: states, outcome, since, until, name, after, limit } = query;
    let wanted = filter(&control, JobFilter { org, states, outcome, since, until, name })?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let filter = Filter { after, limit, ..wanted };
    let jobs = blocking(move || control.store.list(&filter)).await??;
    Ok(Json(jobs.iter().map(JobView::from).collect()))
}

/// All jobs that are meant, by the clock and the zone of the server.
pub(super) fn filter(control: &Control, wanted: JobFilter) -> Result<Filter, NoZone> {
    let instant =
        |point: Option<Since>| point.map(|point| point.resolve(control.zone(), control.now())).transpose();
    // Nothing else has an outcome, and those in a state are found without looking at the others.
    let is_any = wanted.outcome.is_some() && wanted.states.0.is_empty();
    Ok(Filter {
        org: wanted.org,
        states: if is_any { vec![JobState::Complete] } else { wanted.states.0 },
        outcome: wanted.outcome,
        since: instant(wanted.since)?,
        until: instant(wanted.until)?,
        name: wanted.name.map(|name| NamePattern::new(&name)),
        after: None,
        limit: usize::MAX,
    })
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
