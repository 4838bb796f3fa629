//! `POST /soap`: `connectivityTest` and `submitSingleMessage` of CDC's web service (CDC, WSDL of 2011).
//!
//! Invariant: whatever is wrong with a request is told in one of the four faults of the description; but a closed gate
//! and too much at once are told by HTTP alone. No fault repeats anything of a request.

mod answer;
mod request;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;

use self::answer::{Fault, Version, fault, returned};
pub(super) use self::answer::{UNABLE, UNANSWERED, failed, in_doubt};
use self::request::{Operation, Request};
use super::basic::credentials;
use super::door::{Door, Outcome};
use super::plain;
use super::receive::{Unread, receive};

pub(super) async fn answer(
    State(door): State<Arc<Door>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let said = Version::by_type(headers.get(CONTENT_TYPE));
    let wrong = |what| fault(said.unwrap_or_default(), what);
    // Its place is kept until it is answered.
    let (_place, body) = match receive(&door, peer, body).await {
        Ok(received) => received,
        Err(Unread::Closed(closed)) => return plain::closed(closed),
        Err(Unread::TooMany(why)) => return plain::too_many(why),
        Err(Unread::TooLong) => return wrong(Fault::TooLarge("the request is too long")),
        Err(Unread::Broken) => return wrong(Fault::Malformed("the request broke off")),
    };
    let Some(said) = said else {
        return fault(Version::default(), Fault::Malformed("send text/xml or application/soap+xml"));
    };
    let Request { version, operation } = match Request::read(&body) {
        Ok(request) => request,
        Err((version, wrong)) => return fault(version.unwrap_or(said), wrong),
    };
    match operation {
        Operation::Test { echo } => match door.closed_for_everyone() {
            Some(closed) => plain::closed(closed),
            None => returned(version, "connectivityTest", &echo),
        },
        Operation::Submit(mut submission) => {
            // Whoever leaves them out of the envelope may say them as HTTP has it.
            if submission.account.is_empty()
                && let Some((account, password)) = credentials(&headers)
            {
                (submission.account, submission.password) = (account, password);
            }
            told(version, door.submit(peer, submission).await)
        }
    }
}

fn told(version: Version, outcome: Outcome) -> Response {
    match outcome {
        Outcome::Acknowledged(text) | Outcome::Queued(text) => {
            returned(version, "submitSingleMessage", &String::from_utf8_lossy(&text))
        }
        Outcome::Closed(closed) => plain::closed(closed),
        Outcome::TooMany(why) => plain::too_many(&why),
        Outcome::Forbidden(why) => fault(version, Fault::Security(why)),
        Outcome::TooLarge(why) => fault(version, Fault::TooLarge(why)),
        Outcome::Later(job) => fault(version, Fault::Later(job)),
        Outcome::Unanswered => fault(version, Fault::Unanswered),
        Outcome::Failed(job) => fault(version, Fault::Failed(job)),
        Outcome::Unable => fault(version, Fault::Unable),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn each_outcome_has_its_status_and_its_fault() {
        let job = "06H0ATRGH46B6ZNZ".parse().unwrap();
        let closed = plain::Closed { retry_after_s: None };
        for (outcome, status, part) in [
            (Outcome::Acknowledged(b"MSH|1".to_vec()), 200, "<return>MSH|1</return>"),
            (Outcome::Queued(b"MSH|2".to_vec()), 200, "<return>MSH|2</return>"),
            (Outcome::Forbidden("x"), 400, "<Code>3</Code>"),
            (Outcome::TooLarge("x"), 400, "<Code>4</Code>"),
            (Outcome::TooMany("Too much".to_owned()), 429, "Too much"),
            (Outcome::Later(job), 500, "<Code>5</Code>"),
            (Outcome::Failed(job), 500, "<Code>6</Code>"),
            (Outcome::Unable, 500, "<Code>7</Code>"),
            (Outcome::Unanswered, 500, "<Code>8</Code>"),
            (Outcome::Closed(closed), 503, "maintenance downtime"),
        ] {
            let response = told(Version::Soap12, outcome);
            assert_eq!(response.status(), status);
            let text = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert!(String::from_utf8_lossy(&text).contains(part), "{part} in {text:?}");
        }
    }
}
