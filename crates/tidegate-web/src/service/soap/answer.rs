//! What the service says, in the version of SOAP that it was asked in.
//!
//! | fault | Code | what is wrong | SOAP 1.2's code |
//! |---|---|---|---|
//! | `fault` | 1 | the request can't be read | Sender |
//! | `UnsupportedOperationFault` | 2 | no such operation | Sender |
//! | `SecurityFault` | 3 | account, password or facility | Sender |
//! | `MessageTooLargeFault` | 4 | too long, or more than one message | Sender |
//! | `fault` | 5 | recorded and in doubt | Receiver |
//! | `fault` | 6 | recorded; staff have to look after it | Receiver |
//! | `fault` | 7 | not recorded: the server can't | Receiver |
//! | `fault` | 8 | a query without an answer | Receiver |

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tidegate_domain::JobId;
use tidegate_soap::{CDC, SOAP_11, SOAP_12, escape};

/// A version of SOAP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Version {
    /// 1.1, which some clients speak whatever the description says.
    Soap11,
    /// 1.2.
    #[default]
    Soap12,
}

/// Why there is no answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Malformed(&'static str),
    OtherVersion,
    NotUnderstood,
    UnsupportedOperation,
    Security(&'static str),
    TooLarge(&'static str),
    Later(JobId),
    Failed(JobId),
    Unable,
    Unanswered,
}

/// A fault in the words of the description.
struct Told {
    element: &'static str,
    code: u8,
    reason: &'static str,
    detail: String,
    /// SOAP 1.2's code and SOAP 1.1's.
    soap_code: (&'static str, &'static str),
}

const SENDER: (&str, &str) = ("Sender", "Client");
const RECEIVER: (&str, &str) = ("Receiver", "Server");

impl Version {
    /// The one that a content type stands for.
    pub(super) fn by_type(content_type: Option<&HeaderValue>) -> Option<Self> {
        let kind = content_type?.to_str().ok()?.split(';').next()?.trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/soap+xml" => Some(Self::Soap12),
            "text/xml" => Some(Self::Soap11),
            _ => None,
        }
    }

    pub(super) fn namespace(self) -> &'static str {
        match self {
            Self::Soap11 => SOAP_11,
            Self::Soap12 => SOAP_12,
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Soap11 => "text/xml; charset=utf-8",
            Self::Soap12 => "application/soap+xml; charset=utf-8",
        })
    }

    fn envelope(self, status: StatusCode, body: &str) -> Response {
        let namespace = self.namespace();
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <env:Envelope xmlns:env=\"{namespace}\"><env:Body>{body}</env:Body></env:Envelope>"
        );
        (status, [(CONTENT_TYPE, self.content_type())], text).into_response()
    }
}

/// The answer to an operation.
pub(super) fn returned(version: Version, operation: &str, text: &str) -> Response {
    // What XML can't say was no HL7 either.
    let text =
        escape(text).or_else(|| escape(&text.replace(char::is_control, "\u{fffd}"))).unwrap_or_default();
    let body = format!("<{operation}Response xmlns=\"{CDC}\"><return>{text}</return></{operation}Response>");
    version.envelope(StatusCode::OK, &body)
}

/// A fault (SOAP 1.2, part 1, 5.4, with the statuses of part 2, table 20; SOAP 1.1, 4.4 and 6.2).
pub(super) fn fault(version: Version, fault: Fault) -> Response {
    let Told { element, code, reason, detail, soap_code } = fault.told();
    let detail = escape(&detail).unwrap_or_default();
    let ours = format!(
        "<{element} xmlns=\"{CDC}\"><Code>{code}</Code><Reason>{reason}</Reason><Detail>{detail}</Detail></{element}>"
    );
    let (status, body) = match version {
        Version::Soap12 => {
            let is_sender = soap_code.0 == SENDER.0;
            let status = if is_sender { StatusCode::BAD_REQUEST } else { StatusCode::INTERNAL_SERVER_ERROR };
            let body = format!(
                "<env:Fault><env:Code><env:Value>env:{}</env:Value></env:Code><env:Reason><env:Text xml:lang=\"en\">\
                 {reason}: {detail}</env:Text></env:Reason><env:Detail>{ours}</env:Detail></env:Fault>",
                soap_code.0
            );
            (status, body)
        }
        Version::Soap11 => {
            let body = format!(
                "<env:Fault><faultcode>env:{}</faultcode><faultstring>{reason}: {detail}</faultstring>\
                 <detail>{ours}</detail></env:Fault>",
                soap_code.1
            );
            (StatusCode::INTERNAL_SERVER_ERROR, body)
        }
    };
    version.envelope(status, &body)
}

impl Fault {
    fn told(self) -> Told {
        let told = |element, code, reason, detail: &str, soap_code| Told {
            element,
            code,
            reason,
            detail: detail.to_owned(),
            soap_code,
        };
        match self {
            Self::Malformed(what) => told("fault", 1, "Malformed", what, SENDER),
            Self::OtherVersion => {
                let codes = ("VersionMismatch", "VersionMismatch");
                told("fault", 1, "Malformed", "the envelope is neither of SOAP 1.2 nor of SOAP 1.1", codes)
            }
            Self::NotUnderstood => {
                let codes = ("MustUnderstand", "MustUnderstand");
                told("fault", 1, "Malformed", "a header that must be understood is not known here", codes)
            }
            Self::UnsupportedOperation => {
                let detail = "there are connectivityTest and submitSingleMessage";
                told("UnsupportedOperationFault", 2, "UnsupportedOperation", detail, SENDER)
            }
            Self::Security(why) => told("SecurityFault", 3, "Security", why, SENDER),
            Self::TooLarge(why) => told("MessageTooLargeFault", 4, "MessageTooLarge", why, SENDER),
            Self::Later(job) => told("fault", 5, "InDoubt", &in_doubt(job), RECEIVER),
            Self::Failed(job) => told("fault", 6, "Failed", &failed(job), RECEIVER),
            Self::Unable => told("fault", 7, "Unable", UNABLE, RECEIVER),
            Self::Unanswered => told("fault", 8, "Unanswered", UNANSWERED, RECEIVER),
        }
    }
}

/// Nothing was kept.
pub(in crate::service) const UNABLE: &str = "the message could not be recorded; send it again later";

/// Of a query that went out.
pub(in crate::service) const UNANSWERED: &str = "the registry has not answered the query; ask again later";

/// What senders are told of a message in doubt.
pub(in crate::service) fn in_doubt(job: JobId) -> String {
    format!(
        "the message is recorded as job {job} and goes on, but the registry has not answered yet; send it again later \
         for the answer: it is not delivered twice"
    )
}

/// What senders are told of a message that staff have to look after.
pub(in crate::service) fn failed(job: JobId) -> String {
    format!(
        "the message is recorded as job {job} and could not be processed; staff of the registry look after it"
    )
}
