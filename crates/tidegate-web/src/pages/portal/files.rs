//! A sender's own files, and the answers to them.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono_tz::Tz;
use serde::Deserialize;
use tidegate_domain::JobId;
use tidegate_domain::job::Job;
use tidegate_ingest::storage::{Place, TransferError};
use tidegate_store::{Filter, StoreError};
use tokio::io::AsyncReadExt as _;

use super::door::{Door, Inside};
use super::html;
use crate::api::JobView;
use crate::control::{blocking, stream};
use crate::pages::fields::Fields;
use crate::pages::refusal::Refusal;
use crate::pages::status::Facts;

/// Files on the first page, and on the longest.
const SHOWN: usize = 50;
const SHOWN_MAX: usize = 2_000;

/// Longest part of a report that is shown in a page, in bytes.
const REPORT_SHOWN_BYTES: u64 = 256 << 10;

#[derive(Deserialize)]
pub(super) struct Wanted {
    show: Option<usize>,
}

pub(super) async fn home(
    State(door): State<Arc<Door>>,
    inside: Inside,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let org = inside.visitor.user.org().clone();
    let limit = wanted.show.unwrap_or(SHOWN).clamp(1, SHOWN_MAX);
    // One more than is shown tells whether there are more.
    let filter = Filter { org: Some(org.clone()), limit: limit + 1, ..Filter::default() };
    let store = door.control.store.clone();
    let jobs = blocking(move || store.list(&filter)).await.map_err(|_| Refusal::failed())?;
    let mut jobs: Vec<JobView> = jobs.map_err(|_| Refusal::failed())?.iter().map(JobView::from).collect();
    let has_more = jobs.len() > limit;
    jobs.truncate(limit);
    let home = html::Home {
        jobs: &jobs,
        more: has_more.then_some(SHOWN_MAX).filter(|max| limit < *max),
        gate: &door.control.gate(Some(&org)),
        notices: &Facts::for_org(&door.control.store.maintenance(), door.control.now(), &org),
    };
    Ok(html::home(&door.names, &inside, &home).into_response())
}

pub(super) async fn show(
    State(door): State<Arc<Door>>,
    inside: Inside,
    Path(job): Path<String>,
) -> Result<Response, Refusal> {
    let job = own(&door, &inside, &job).await?;
    let report = match open(&inside, &job, Answer::Report).await {
        Ok(file) => {
            let mut bytes = Vec::new();
            let read = tokio::fs::File::from_std(file).take(REPORT_SHOWN_BYTES).read_to_end(&mut bytes).await;
            read.map_err(|_| Refusal::failed())?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
        Err(_) => None,
    };
    let zone = door.control.store.maintenance().calendar.timezone.unwrap_or(Tz::UTC);
    Ok(html::job(&door.names, &inside, &JobView::from(&job), report.as_deref(), zone).into_response())
}

pub(super) async fn response(
    State(door): State<Arc<Door>>,
    inside: Inside,
    Path(job): Path<String>,
) -> Result<Response, Refusal> {
    fetch(&door, &inside, &job, Answer::Response).await
}

pub(super) async fn report(
    State(door): State<Arc<Door>>,
    inside: Inside,
    Path(job): Path<String>,
) -> Result<Response, Refusal> {
    fetch(&door, &inside, &job, Answer::Report).await
}

/// Takes the answer out of the outbox, as the other doors do: its two files, or the one that is left.
pub(super) async fn delete(
    State(door): State<Arc<Door>>,
    inside: Inside,
    Path(job): Path<String>,
    form: Fields,
) -> Result<Redirect, Refusal> {
    if !inside.form_key.is(form.get("key")) {
        return Err(Refusal::foreign_form());
    }
    let job = own(&door, &inside, &job).await?;
    let visitor = &inside.visitor;
    for answer in Answer::ALL {
        let deleted = visitor.storage.delete(&visitor.user, Place::Response(name(&job, answer))).await;
        match deleted {
            Ok(()) | Err(TransferError::NoSuchFile | TransferError::Store(StoreError::NotFound)) => {}
            Err(_) => return Err(Refusal::failed()),
        }
    }
    Ok(Redirect::to(&format!("/files/{}", job.id)))
}

/// The two files that answer an upload.
#[derive(Clone, Copy)]
enum Answer {
    Response,
    Report,
}

impl Answer {
    const ALL: [Self; 2] = [Self::Response, Self::Report];

    fn ending(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Report => "report.txt",
        }
    }
}

async fn fetch(door: &Door, inside: &Inside, job: &str, answer: Answer) -> Result<Response, Refusal> {
    let job = own(door, inside, job).await?;
    let file = open(inside, &job, answer).await?;
    let mut response = stream(file).into_response();
    // The upload's name is the sender's: none of it comes into a header.
    let disposition = format!("attachment; filename=\"{}.{}\"", job.id, answer.ending());
    let disposition = HeaderValue::from_str(&disposition).map_err(|_| Refusal::failed())?;
    response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(response)
}

/// A job of the sender's own organization; others are not there.
async fn own(door: &Door, inside: &Inside, job: &str) -> Result<Job, Refusal> {
    let id: JobId = job.parse().map_err(|_| Refusal::not_found())?;
    let store = door.control.store.clone();
    let found = blocking(move || store.get(id)).await.map_err(|_| Refusal::failed())?;
    let found = found.map_err(|_| Refusal::failed())?;
    found.filter(|job| job.submission.org == *inside.visitor.user.org()).ok_or_else(Refusal::not_found)
}

/// Opens an answer in the sender's outbox, as the other doors do.
async fn open(inside: &Inside, job: &Job, answer: Answer) -> Result<std::fs::File, Refusal> {
    let visitor = &inside.visitor;
    visitor
        .storage
        .open(&visitor.user, Place::Response(name(job, answer)))
        .await
        .map_err(|_| Refusal::not_found())
}

/// What it is called in the outbox.
fn name(job: &Job, answer: Answer) -> Vec<u8> {
    let mut name = job.submission.name.as_bytes().to_vec();
    name.extend_from_slice(format!(".{}.{}", job.id, answer.ending()).as_bytes());
    name
}
