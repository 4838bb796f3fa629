//! What is wrong, for programs (RFC 9457).

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tidegate_domain::JobId;

/// A problem; `job` where something was recorded.
pub(super) fn problem(status: StatusCode, detail: &str, job: Option<JobId>) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let mut told = json!({ "title": title, "status": status.as_u16(), "detail": detail });
    if let (Some(job), Some(fields)) = (job, told.as_object_mut()) {
        fields.insert("job".to_owned(), json!(job.to_string()));
    }
    let kind = HeaderValue::from_static("application/problem+json");
    (status, [(CONTENT_TYPE, kind)], told.to_string()).into_response()
}
