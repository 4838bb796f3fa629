//! A form as it came: names and values, of which a name may stand more than once.
//!
//! Invariant: a form comes within [`TIME_MAX`] or not at all, so that whoever sends it byte by byte holds nobody's place.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::refusal::Refusal;

/// For a form without a file, from its head to its last byte.
const TIME_MAX: Duration = Duration::from_secs(30);

pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first value of that name, without blanks around it; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The same, if it is not empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// The first value of that name as it was typed.
    pub(super) fn exact(&self, name: &str) -> &str {
        self.0.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value)
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(one, _)| one == name).map(|(_, value)| value.trim())
    }

    /// What stands in the lines of the first value of that name; empty ones are left out.
    pub(super) fn lines(&self, name: &str) -> Vec<String> {
        self.get(name).lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let late =
            |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "This form took too long to come. Send it again.");
        let body = timeout(TIME_MAX, Bytes::from_request(request, state)).await;
        let body = body.map_err(|elapsed| late(elapsed).into_response())?;
        let body = body.map_err(IntoResponse::into_response)?;
        Ok(Self(form_urlencoded::parse(&body).into_owned().collect()))
    }
}
