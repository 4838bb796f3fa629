//! From what went wrong to an HTTP status and words for people, in one place.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tidegate_domain::maintenance::{CalendarError, HoldError, OrgPatternError, OverrideError, WordingError};
use tidegate_store::StoreError;

use crate::api::{ApiError, NoZone};

/// An answer that is no success.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    error: String,
    hint: Option<&'static str>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: None }
    }

    /// The request can't be understood or does not make sense.
    pub(super) fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// What it is about does not exist.
    pub(super) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    /// What is wrong, as a sentence for the console.
    pub(crate) fn words(&self) -> String {
        format!("{}.", self.error)
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What the API says in words.
    pub(super) fn into_api(self) -> ApiError {
        ApiError { error: self.error, hint: self.hint.map(str::to_owned) }
    }

    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(self.into_api())).into_response()
    }
}

pub(super) async fn no_such_path() -> Failure {
    Failure::not_found("the control API has no such path")
        .hint("client and server may be of different versions")
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let status = match error {
            StoreError::UnknownJob | StoreError::NotFound => StatusCode::NOT_FOUND,
            StoreError::Illegal(_)
            | StoreError::StaleClaim
            | StoreError::Underway(_)
            | StoreError::TooMany(_)
            | StoreError::OtherBytes => StatusCode::CONFLICT,
            StoreError::NoSpace => StatusCode::INSUFFICIENT_STORAGE,
            StoreError::GateClosed | StoreError::Poisoned | StoreError::Closed => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            StoreError::Io { .. } | StoreError::Index(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let hint = match error {
            StoreError::UnknownJob => Some("`tidegate queue list` shows the jobs there are"),
            StoreError::NoSpace => Some("free some space on the disk of the data directory"),
            StoreError::Poisoned => Some("look at the server's log; it has to be started again"),
            StoreError::Index(_) => Some("stop the server and run `tidegate store rebuild`"),
            _ => None,
        };
        Self { status, error: error.to_string(), hint }
    }
}

impl From<NoZone> for Failure {
    fn from(error: NoZone) -> Self {
        Self::bad_request(error.to_string())
            .hint("set maintenance.timezone, or write the time with its offset: 2024-03-08T19:00:00-06:00")
    }
}

impl From<OverrideError> for Failure {
    fn from(error: OverrideError) -> Self {
        let status = match error {
            OverrideError::Wording(_) | OverrideError::NoExtension | OverrideError::TooLong => {
                StatusCode::BAD_REQUEST
            }
            OverrideError::NoSuchWindow(_) => StatusCode::NOT_FOUND,
            OverrideError::NotActive(_) | OverrideError::NothingComing(_) | OverrideError::Begun(_) => {
                StatusCode::CONFLICT
            }
        };
        Self::new(status, error.to_string()).hint("`tidegate maintenance list` shows windows and holds")
    }
}

macro_rules! bad_requests {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::bad_request(error.to_string())
            }
        })*
    };
}

bad_requests!(CalendarError, HoldError, OrgPatternError, WordingError);
