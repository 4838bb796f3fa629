//! An answer that is no success, as a page.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::response::{Html, IntoResponse, Response};
use maud::html;

use super::layout::page;
use crate::control::Failure;

/// Why something was not done, for people.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    text: String,
    retry_after_s: Option<u64>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), retry_after_s: None }
    }

    /// There is no such page, or it is somebody else's.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such page.")
    }

    /// A form that was not made for this session.
    pub(super) fn foreign_form() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "This form is out of date, or not of this service. Reload the page and try again.",
        )
    }

    /// The server can't, though it should.
    pub(super) fn failed() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The server could not do that. Try again later.")
    }

    pub(super) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }
}

/// What the control API's functions refuse.
impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::new(failure.status(), failure.words())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Refused");
        let content = html! {
            div.narrow {
                section.hero.is-closed { h1 { (title) } p { (self.text) } }
                p { a href="/status" { "Status of the service" } }
            }
        };
        let body = Html(page(title, &html! {}, &html! {}, &content, &html! {}).into_string());
        let retry = self.retry_after_s.map(|seconds| [(RETRY_AFTER, seconds.to_string())]);
        let mut response = (self.status, [(CACHE_CONTROL, "no-store")], body).into_response();
        if let Some([(name, value)]) = retry
            && let Ok(value) = value.parse()
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
