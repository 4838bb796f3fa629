//! CDC's web service for immunization registries as its client: SOAP 1.2, `submitSingleMessage` (CDC, WSDL of 2011).
//!
//! Invariant: the password stands in its file and in the requests, and nowhere else. A fault that blames our
//! credentials or our way of asking is the target's affair, not a message's; one that nobody explains leaves the
//! message in doubt.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;

use tidegate_domain::OrgCode;
use tidegate_soap::{CDC, Element, escape};

use super::far_ack::Reading;
use super::http::Post;
use super::{Code, Deliver, DeliverError, Delivered, Key};

const CONTENT_TYPE: &str =
    "application/soap+xml; charset=utf-8; action=\"urn:cdc:iisb:2011:submitSingleMessage\"";

/// Longest password that is read.
const PASSWORD_BYTES_MAX: usize = 4096;

/// A registry behind CDC's web service.
#[derive(Debug)]
pub struct SoapTarget {
    post: Post,
    reading: Reading,
    sender: Sender,
}

impl SoapTarget {
    pub(super) fn new(post: Post, reading: Reading, sender: Sender) -> Self {
        Self { post, reading, sender }
    }
}

/// Who we are to the registry.
pub(super) struct Sender {
    pub(super) username: Option<String>,
    /// Read for each message, so that a new password needs no restart.
    pub(super) password_file: Option<PathBuf>,
    pub(super) facility_id: Option<String>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl Sender {
    /// What goes before the message.
    fn elements(&self) -> Result<String, DeliverError> {
        let password = self.password_file.as_ref().map(read_password).transpose()?;
        let elements = [
            ("username", self.username.as_deref()),
            ("password", password.as_deref().map(String::as_str)),
            ("facilityID", self.facility_id.as_deref()),
        ];
        let filled = elements.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let written = filled.map(|(name, value)| {
            let value = escape(value).ok_or_else(|| {
                DeliverError::away("our credentials hold characters that XML has not".to_owned())
            })?;
            Ok(format!("<{name}>{value}</{name}>"))
        });
        written.collect()
    }
}

fn read_password(path: &PathBuf) -> Result<zeroize::Zeroizing<String>, DeliverError> {
    let away = |what: String| DeliverError::away(format!("delivery.password_file: {what}"));
    let text = std::fs::read_to_string(path)
        .map(zeroize::Zeroizing::new)
        .map_err(|error| away(error.to_string()))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
        return Err(away("holds no password".to_owned()));
    }
    Ok(zeroize::Zeroizing::new(password.to_owned()))
}

impl SoapTarget {
    /// Submits a message and gives what the service returns.
    fn submit(&self, key: Option<&Key>, message: &[u8]) -> Result<String, DeliverError> {
        let Some(text) = in_xml(message) else {
            let text = "The message holds characters that can not be sent to the registry.".to_owned();
            return Err(DeliverError::Refused { code: Code::Error, text });
        };
        let envelope = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <Envelope xmlns=\"http://www.w3.org/2003/05/soap-envelope\"><Body>\
             <submitSingleMessage xmlns=\"urn:cdc:iisb:2011\">{}<hl7Message>{text}</hl7Message>\
             </submitSingleMessage></Body></Envelope>",
            self.sender.elements()?
        );
        let answer = self.post.send(CONTENT_TYPE, key, envelope.as_bytes())?;
        match Reply::read(&answer.body) {
            Some(Reply::Returned(returned)) if answer.status.is_success() => Ok(returned),
            Some(Reply::Fault(fault)) => Err(fault.consequence()),
            _ if answer.status.is_success() => {
                Err(DeliverError::Transient("the registry's answer can't be read".to_owned()))
            }
            _ => Err(answer.failure()),
        }
    }
}

impl Deliver for SoapTarget {
    fn deliver(&self, key: &Key, message: &[u8]) -> Result<Delivered, DeliverError> {
        let returned = self.submit(Some(key), message)?;
        self.reading.judge(message, returned.as_bytes())
    }

    fn ask(&self, _org: &OrgCode, query: &[u8]) -> Option<Result<Vec<u8>, DeliverError>> {
        let asked = self.submit(None, query).and_then(|returned| {
            Reading::check_answer(query, returned.as_bytes())?;
            Ok(returned.into_bytes())
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

/// A message as the text of an element. Bytes that are no UTF-8 are taken for ISO 8859-1, in which each is a
/// character. `None` if XML has no way to say it.
fn in_xml(message: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(message).map_or_else(
        |_| Cow::Owned(message.iter().map(|byte| char::from(*byte)).collect::<String>()),
        Cow::Borrowed,
    );
    escape(&text)
}

/// What the service says.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Returned(String),
    Fault(Fault),
}

/// Which of the service's faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Security,
    MessageTooLarge,
    UnsupportedOperation,
    Unknown,
}

impl Fault {
    fn consequence(self) -> DeliverError {
        match self {
            Self::Security => DeliverError::away("the registry refuses our credentials".to_owned()),
            Self::UnsupportedOperation => {
                DeliverError::away("the registry does not know submitSingleMessage".to_owned())
            }
            Self::MessageTooLarge => DeliverError::Refused {
                code: Code::Reject,
                text: "The message is too long for the registry.".to_owned(),
            },
            Self::Unknown => DeliverError::Transient("the registry answers with a fault".to_owned()),
        }
    }
}

impl Reply {
    /// Reads an envelope; `None` if it is none of ours.
    fn read(bytes: &[u8]) -> Option<Self> {
        let root = Element::read(bytes).ok()?;
        let all = root.all();
        let fault = |name: &str, fault| all.iter().any(|element| element.is(CDC, name)).then_some(fault);
        let unknown = || all.iter().any(|element| element.name == "Fault").then_some(Fault::Unknown);
        let fault = fault("SecurityFault", Fault::Security)
            .or(fault("MessageTooLargeFault", Fault::MessageTooLarge))
            .or(fault("UnsupportedOperationFault", Fault::UnsupportedOperation))
            .or_else(unknown);
        let returned = || all.iter().find(|element| element.is(CDC, "return"));
        fault.map(Self::Fault).or_else(|| returned().map(|element| Self::Returned(element.text.clone())))
    }
}
