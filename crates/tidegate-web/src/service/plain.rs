//! Answers that are neither SOAP nor HL7: the gate is closed, or there is too much at once.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use tidegate_domain::maintenance::UNAVAILABLE;

const TEXT: &str = "text/plain; charset=utf-8";

/// The gate is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed {
    /// Seconds until it opens, if that is known.
    pub(super) retry_after_s: Option<u64>,
}

/// 503 with the sentence of the notice, to the letter.
pub(super) fn closed(closed: Closed) -> Response {
    with_retry(StatusCode::SERVICE_UNAVAILABLE, closed.retry_after_s, UNAVAILABLE.to_owned())
}

/// 429.
pub(super) fn too_many(why: &str) -> Response {
    with_retry(StatusCode::TOO_MANY_REQUESTS, Some(60), format!("{why}.\n"))
}

fn with_retry(status: StatusCode, retry_after_s: Option<u64>, text: String) -> Response {
    let mut response = (status, [(CONTENT_TYPE, TEXT)], text).into_response();
    if let Some(seconds) = retry_after_s {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}
