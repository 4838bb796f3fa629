//! `POST /hl7`: a message as it is, answered with its acknowledgment as it is.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tidegate_domain::job::Protocol;

use super::basic::credentials;
use super::door::{Door, Outcome, Submission};
use super::plain;
use super::problem::problem;
use super::receive::{Unread, receive};
use super::soap::{UNABLE, UNANSWERED, failed, in_doubt};

/// The type of messages.
const KIND: &str = "application/hl7-v2";

/// Names the facility that a message comes from, as `facilityID` does in SOAP.
const FACILITY: &str = "x-facility-id";

/// The description of the way without SOAP (`OpenAPI` 3.1).
const DESCRIPTION: &str = include_str!("openapi.json");

pub(super) async fn describe() -> Response {
    ([(CONTENT_TYPE, "application/json")], DESCRIPTION).into_response()
}

pub(super) async fn answer(
    State(door): State<Arc<Door>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    // Its place is kept until it is answered.
    let (_place, body) = match receive(&door, peer, body).await {
        Ok(received) => received,
        Err(Unread::Closed(closed)) => return plain::closed(closed),
        Err(Unread::TooMany(why)) => return plain::too_many(why),
        Err(Unread::TooLong) => {
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "the message is too long", None);
        }
        Err(Unread::Broken) => return problem(StatusCode::BAD_REQUEST, "the request broke off", None),
    };
    if !is_hl7(headers.get(CONTENT_TYPE)) {
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the message as application/hl7-v2", None);
    }
    if body.is_empty() {
        return problem(StatusCode::BAD_REQUEST, "there is no message", None);
    }
    let Some((account, password)) = credentials(&headers) else {
        return match door.closed_for_everyone() {
            Some(closed) => plain::closed(closed),
            None => unauthorized("send account and password by HTTP Basic authentication"),
        };
    };
    let facility = headers.get(FACILITY).map(|facility| facility.to_str().unwrap_or("?").to_owned());
    let submission =
        Submission { protocol: Protocol::Http, account, password, facility, message: body.into() };
    told(door.submit(peer, submission).await)
}

fn is_hl7(content_type: Option<&HeaderValue>) -> bool {
    let kind = content_type.and_then(|kind| kind.to_str().ok()).and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(KIND))
}

fn told(outcome: Outcome) -> Response {
    match outcome {
        Outcome::Acknowledged(text) => ([(CONTENT_TYPE, KIND)], text).into_response(),
        Outcome::Queued(text) => (StatusCode::ACCEPTED, [(CONTENT_TYPE, KIND)], text).into_response(),
        Outcome::Unanswered => problem(StatusCode::GATEWAY_TIMEOUT, UNANSWERED, None),
        Outcome::Closed(closed) => plain::closed(closed),
        Outcome::TooMany(why) => plain::too_many(&why),
        Outcome::Forbidden(why) => unauthorized(why),
        Outcome::TooLarge(why) => problem(StatusCode::PAYLOAD_TOO_LARGE, why, None),
        Outcome::Later(job) => problem(StatusCode::GATEWAY_TIMEOUT, &in_doubt(job), Some(job)),
        Outcome::Failed(job) => problem(StatusCode::INTERNAL_SERVER_ERROR, &failed(job), Some(job)),
        Outcome::Unable => problem(StatusCode::INTERNAL_SERVER_ERROR, UNABLE, None),
    }
}

fn unauthorized(why: &str) -> Response {
    let mut response = problem(StatusCode::UNAUTHORIZED, why, None);
    let realm = HeaderValue::from_static("Basic realm=\"tidegate\", charset=\"UTF-8\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, realm);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_status() {
        let job = "06H0ATRGH46B6ZNZ".parse().unwrap();
        let closed = plain::Closed { retry_after_s: None };
        for (outcome, status) in [
            (Outcome::Acknowledged(Vec::new()), 200),
            (Outcome::Queued(Vec::new()), 202),
            (Outcome::Forbidden("x"), 401),
            (Outcome::TooLarge("x"), 413),
            (Outcome::TooMany(String::new()), 429),
            (Outcome::Failed(job), 500),
            (Outcome::Unable, 500),
            (Outcome::Closed(closed), 503),
            (Outcome::Later(job), 504),
            (Outcome::Unanswered, 504),
        ] {
            assert_eq!(told(outcome).status(), status);
        }
    }
}
