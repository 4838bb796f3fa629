//! A job's response, report and upload, as they are.
//!
//! Invariant: a file is never held in memory as a whole; responses to large uploads are large. An upload is sent
//! only after its job's history says durably who reads it, and why.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use tidegate_domain::job::{Job, JobEvent};

use super::Control;
use super::act::check_wording;
use super::extract::Body as Asked;
use super::failure::Failure;
use super::jobs::{find, job_id};
use super::status::blocking;
use crate::api::ReadPayload;

const BLOCK_BYTES: usize = 64 << 10;
const BLOCKS_AHEAD: usize = 4;

pub(super) async fn response(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    send(control, &id, "response", |control, job| control.store.response_path(job)).await
}

pub(super) async fn report(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    send(control, &id, "report", |control, job| control.store.report_path(job)).await
}

pub(super) async fn payload(
    State(control): State<Control>,
    Path(id): Path<String>,
    Asked(request): Asked<ReadPayload>,
) -> Result<Response, Failure> {
    let (id, reason, actor) =
        (job_id(&id)?, request.reason.trim().to_owned(), request.actor.trim().to_owned());
    check_wording(&actor, &reason)?;
    let looked = control.clone();
    let (file, size_bytes) = blocking(move || open_payload(&looked, &find(&looked, id)?)).await??;
    control.store.act(id, JobEvent::PayloadRead { reason }, &actor).await?;
    let headers =
        [(CONTENT_TYPE, "application/octet-stream".to_owned()), (CONTENT_LENGTH, size_bytes.to_string())];
    Ok((headers, stream(file)).into_response())
}

fn open_payload(control: &Control, job: &Job) -> Result<(File, u64), Failure> {
    let gone = || {
        Failure::not_found(format!("the bytes of job {} are missing", job.id))
            .hint("ask its sender for the file")
    };
    let unreadable = |error: io::Error| {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the upload can't be read: {error}"))
    };
    let path = control.store.payload_path(job).ok_or_else(gone)?;
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => gone(),
        _ => unreadable(error),
    })?;
    let size_bytes = file.metadata().map_err(unreadable)?.len();
    Ok((file, size_bytes))
}

async fn send(
    control: Control,
    id: &str,
    what: &'static str,
    path: fn(&Control, &Job) -> PathBuf,
) -> Result<Response, Failure> {
    let id = job_id(id)?;
    let file = blocking(move || {
        let job = find(&control, id)?;
        File::open(path(&control, &job)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Failure::not_found(format!("job {id} has no {what}: it is {}", job.state))
                    .hint("a response is written once a job is complete, in error, or a duplicate")
            }
            _ => {
                Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the {what} can't be read: {error}"))
            }
        })
    })
    .await??;
    Ok(([(CONTENT_TYPE, "text/plain")], stream(file)).into_response())
}

/// A file as it is read, piece by piece.
pub(crate) fn stream(file: File) -> Body {
    let (sender, body) = Channel::<Bytes, io::Error>::new(BLOCKS_AHEAD);
    tokio::spawn(copy(file, sender));
    Body::new(body)
}

async fn copy(mut file: File, mut sender: Sender<Bytes, io::Error>) {
    loop {
        let read = tokio::task::spawn_blocking(move || {
            let mut block = vec![0; BLOCK_BYTES];
            let count = file.read(&mut block)?;
            block.truncate(count);
            Ok::<_, io::Error>((file, block))
        });
        let (rest, block) = match read.await.map_err(io::Error::other).flatten() {
            Ok(read) => read,
            Err(error) => return sender.abort(error),
        };
        if block.is_empty() || sender.send_data(block.into()).await.is_err() {
            return;
        }
        file = rest;
    }
}
