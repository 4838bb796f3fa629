//! A registry that takes each message as an HTTP POST; what SOAP needs of HTTP, too.
//!
//! Invariant: only a 2xx commits a message, with no answer or with an acknowledgment of this very message. What may
//! be the registry's state, our credentials or a proxy is never taken for a refusal of a message.

use std::io;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tidegate_domain::OrgCode;
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::{Agent, Body, Timeout};

use super::far_ack::Reading;
use super::{Code, Deliver, DeliverError, Delivered, Key};

/// Longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 2 << 20;

/// Most connections that are kept while nobody uses them.
pub(super) const IDLE_MAX: usize = 64;

/// What messages are sent as.
const CONTENT_TYPE: &str = "application/hl7-v2";

/// A registry behind an address on the web.
#[derive(Debug)]
pub struct HttpTarget {
    post: Post,
    reading: Reading,
}

/// Posts to one address.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) agent: Agent,
    pub(super) url: String,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
    retry_after: Option<Duration>,
}

impl Post {
    /// Sends `body` under the key that the other side may know it by, if it has one.
    pub(super) fn send(
        &self,
        content_type: &str,
        key: Option<&Key>,
        body: &[u8],
    ) -> Result<Answer, DeliverError> {
        let mut request = self.agent.post(&self.url).content_type(content_type);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", format!("{}-{}", key.job, key.ordinal));
        }
        let response = request.send(body).map_err(|error| in_doubt_or_away(&error))?;
        Answer::read(response)
    }

    /// Whether somebody answers there, whatever it is.
    pub(super) fn test(&self) -> Result<(), DeliverError> {
        match self.agent.head(&self.url).call().map_err(|error| away(&error)).and_then(Answer::read) {
            Ok(answer) if answer.says_away() => Err(answer.away()),
            Ok(_) => Ok(()),
            Err(error) => Err(DeliverError::away(error.to_string())),
        }
    }
}

impl Answer {
    fn read(mut response: Response<Body>) -> Result<Self, DeliverError> {
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let body = body.map_err(|error| in_doubt(&error))?;
        Ok(Self { status, body, retry_after })
    }

    fn says_away(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 425 | 429 | 502 | 503 | 504)
    }

    fn away(&self) -> DeliverError {
        let reason = format!("the registry answers HTTP {}", self.status);
        // A proxy says so, too, when it lost the answer of the registry behind it.
        let in_doubt = matches!(self.status.as_u16(), 408 | 502 | 504);
        DeliverError::Away { reason, in_doubt, retry_after: self.retry_after }
    }

    /// What follows from a status that is no success.
    pub(super) fn failure(&self) -> DeliverError {
        let refused = |code, text: &str| DeliverError::Refused { code, text: text.to_owned() };
        match self.status.as_u16() {
            // About this message.
            400 | 422 => refused(Code::Error, ""),
            413 => refused(Code::Reject, "The message is too long for the registry."),
            // Somebody there works on it, or failed at it.
            409 | 500 => DeliverError::Transient(format!("the registry answers HTTP {}", self.status)),
            // Its state, or something that staff have to mend: address, credentials, a proxy.
            _ => self.away(),
        }
    }
}

impl HttpTarget {
    pub(super) fn new(post: Post, reading: Reading) -> Self {
        Self { post, reading }
    }
}

impl Deliver for HttpTarget {
    fn deliver(&self, key: &Key, message: &[u8]) -> Result<Delivered, DeliverError> {
        let answer = self.post.send(CONTENT_TYPE, Some(key), message)?;
        if !answer.status.is_success() {
            return Err(answer.failure());
        }
        if answer.body.trim_ascii().is_empty() {
            return Ok(Delivered::Now);
        }
        self.reading.judge(message, &answer.body)
    }

    fn ask(&self, _org: &OrgCode, query: &[u8]) -> Option<Result<Vec<u8>, DeliverError>> {
        let asked = self.post.send(CONTENT_TYPE, None, query).and_then(|answer| {
            if !answer.status.is_success() {
                return Err(answer.failure());
            }
            Reading::check_answer(query, &answer.body)?;
            Ok(answer.body)
        });
        Some(asked)
    }

    fn test(&self) -> Result<(), DeliverError> {
        self.post.test()
    }

    fn is_final(&self) -> bool {
        true
    }

    fn settle(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Seconds or a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(value).ok()?;
    (at.to_utc() - Utc::now()).to_std().ok()
}

/// What failed before the message went out leaves no doubt.
fn in_doubt_or_away(error: &ureq::Error) -> DeliverError {
    let is_before = match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_)
        | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => true,
        ureq::Error::Io(error) => {
            error.kind() == io::ErrorKind::ConnectionRefused || is_not_who_was_asked_for(error)
        }
        _ => false,
    };
    if is_before { away(error) } else { in_doubt(error) }
}

/// Whether the other side's certificate was refused, which is before anything but greetings was sent. Other errors of
/// TLS may come behind the message.
fn is_not_who_was_asked_for(error: &io::Error) -> bool {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

fn away(error: &ureq::Error) -> DeliverError {
    DeliverError::away(format!("connecting to the registry: {error}"))
}

fn in_doubt(error: &ureq::Error) -> DeliverError {
    DeliverError::Transient(format!("waiting for the registry's answer: {error}"))
}
