//! Files from a form, or from the script beside it.
//!
//! Invariant: a file goes straight into the store, piece by piece; "received" is said of each file by itself, and only
//! after the store has accepted it durably. A form that breaks off submits nothing of the file it broke off in.

use std::sync::Arc;

use axum::Json;
use axum::extract::Multipart;
use axum::extract::State;
use axum::extract::multipart::Field;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::TryStreamExt as _;
use serde::Serialize;
use tidegate_domain::JobId;
use tidegate_ingest::storage::TransferError;
use tokio_util::io::StreamReader;

use super::door::{Door, Inside, Visitor};
use super::html;
use crate::pages::refusal::Refusal;

/// Files in one form.
const FILES_MAX: usize = 100;

/// What became of one file.
#[derive(Debug, Serialize)]
pub(super) struct Sent {
    pub(super) name: String,
    pub(super) job: Option<JobId>,
    pub(super) error: Option<String>,
}

pub(super) async fn upload(
    State(door): State<Arc<Door>>,
    inside: Inside,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    let sent = match take(&inside, form).await {
        Ok(sent) => sent,
        Err(refusal) => return refusal.into_response(),
    };
    let is_whole = sent.iter().all(|one| one.job.is_some());
    let status = if is_whole { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let wants_json = headers.get(ACCEPT).is_some_and(|kinds| kinds == "application/json");
    if wants_json {
        return (status, Json(sent)).into_response();
    }
    let page = html::sent(&door.names, &inside, &sent, &door.control.gate(Some(inside.visitor.user.org())));
    (status, page).into_response()
}

async fn take(inside: &Inside, mut form: Multipart) -> Result<Vec<Sent>, Refusal> {
    // The key comes first, so that nothing is taken of a form that is not ours.
    let key = form.next_field().await.map_err(|_| broken())?.ok_or_else(broken)?;
    let is_key = key.name() == Some("key");
    if !is_key || !inside.form_key.is(&short_text(key).await?) {
        return Err(Refusal::foreign_form());
    }
    let mut sent = Vec::new();
    loop {
        match form.next_field().await {
            // Browsers send a file without a name for a form without a file.
            Ok(Some(field)) if field.file_name() == Some("") => {}
            Ok(Some(field)) if sent.len() < FILES_MAX => sent.push(receive(&inside.visitor, field).await),
            Ok(Some(field)) => {
                let name = base_name(field.file_name().unwrap_or_default()).to_owned();
                let error =
                    Some("it is one too many in one form; send it, and those after it, again".to_owned());
                sent.push(Sent { name, job: None, error });
                return Ok(sent);
            }
            // What was said of the files before stands.
            _ if sent.is_empty() => return Err(broken()),
            _ => return Ok(sent),
        }
    }
}

async fn receive(visitor: &Visitor, field: Field<'_>) -> Sent {
    let name = base_name(field.file_name().unwrap_or_default()).to_owned();
    let bytes = StreamReader::new(field.map_err(std::io::Error::other));
    match visitor.storage.receive_proved(&visitor.user, bytes, name.as_bytes()).await {
        Ok(job) => Sent { name, job: Some(job), error: None },
        Err(error) => Sent { name, job: None, error: Some(words(&error)) },
    }
}

/// Some browsers and many programs send a path.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn words(error: &TransferError) -> String {
    match error {
        TransferError::Store(_) => "the server could not keep it; send it again later".to_owned(),
        TransferError::DataLost(_) => "it broke off; send it again".to_owned(),
        other => other.to_string(),
    }
}

/// The key is short; whatever is longer is none.
async fn short_text(mut field: Field<'_>) -> Result<String, Refusal> {
    let mut text = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|_| broken())? {
        text.extend_from_slice(&piece);
        if text.len() > 256 {
            return Err(Refusal::foreign_form());
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn broken() -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "No file came. Choose one, and send the form again.")
}
