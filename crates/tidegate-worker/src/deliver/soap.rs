//! CDC's web service for immunization registries as its client: SOAP 1.2, `submitSingleMessage` (CDC, WSDL of 2011).
//!
//! Invariant: the password stands in its file and in the requests, and nowhere else. A fault that blames our
//! credentials or our way of asking is the target's affair, not a message's; one that nobody explains leaves the
//! message in doubt.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;

use quick_xml::escape::escape;
use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use super::far_ack::Reading;
use super::http::Post;
use super::{Code, Deliver, DeliverError, Delivered, Key};

const NAMESPACE: &str = "urn:cdc:iisb:2011";

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
        let written: Vec<_> =
            filled.map(|(name, value)| format!("<{name}>{}</{name}>", escape(value))).collect();
        Ok(written.concat())
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

impl Deliver for SoapTarget {
    fn deliver(&self, key: &Key, message: &[u8]) -> Result<Delivered, DeliverError> {
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
            Some(Reply::Returned(acknowledgment)) if answer.status.is_success() => {
                self.reading.judge(message, acknowledgment.as_bytes())
            }
            Some(Reply::Fault(fault)) => Err(fault.consequence()),
            _ if answer.status.is_success() => {
                Err(DeliverError::Transient("the registry's answer can't be read".to_owned()))
            }
            _ => Err(answer.failure()),
        }
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

/// A message as the text of an element: an XML parser would make a line feed of a plain CR. Bytes that are no UTF-8
/// are taken for ISO 8859-1, in which each is a character. `None` if XML has no way to say it (XML 1.0, 2.2).
fn in_xml(message: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(message).map_or_else(
        |_| Cow::Owned(message.iter().map(|byte| char::from(*byte)).collect::<String>()),
        Cow::Borrowed,
    );
    let is_allowed = |char: char| matches!(char, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().all(is_allowed).then(|| escape(&*text).replace("&#13;", "&#xD;"))
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
        let mut reader = NsReader::from_str(std::str::from_utf8(bytes).ok()?);
        let (mut fault, mut returned, mut depth_of_return) = (None, None::<String>, None);
        let mut depth = 0_u32;
        loop {
            let (namespace, event) = reader.read_resolved_event().ok()?;
            let is_cdc = namespace == ResolveResult::Bound(Namespace(NAMESPACE));
            match event {
                Event::Start(start) => {
                    depth += 1;
                    match start.local_name().as_ref() {
                        "return" if is_cdc && returned.is_none() => {
                            (returned, depth_of_return) = (Some(String::new()), Some(depth));
                        }
                        "SecurityFault" if is_cdc => fault = Some(Fault::Security),
                        "MessageTooLargeFault" if is_cdc => fault = Some(Fault::MessageTooLarge),
                        "UnsupportedOperationFault" if is_cdc => fault = Some(Fault::UnsupportedOperation),
                        "Fault" => fault = fault.or(Some(Fault::Unknown)),
                        _ => {}
                    }
                }
                Event::Text(text) if depth_of_return == Some(depth) => {
                    returned.as_mut()?.push_str(&text);
                }
                Event::CData(text) if depth_of_return == Some(depth) => {
                    returned.as_mut()?.push_str(&text);
                }
                Event::GeneralRef(reference) if depth_of_return == Some(depth) => {
                    let meant = match reference.resolve_char_ref().ok()? {
                        Some(char) => char.to_string(),
                        None => quick_xml::escape::resolve_predefined_entity(&reference)?.to_owned(),
                    };
                    returned.as_mut()?.push_str(&meant);
                }
                Event::End(_) => {
                    depth = depth.checked_sub(1)?;
                    depth_of_return = depth_of_return.filter(|of_return| depth >= *of_return);
                }
                // A DTD could make much out of little; SOAP forbids them (SOAP 1.2, part 1, 5).
                Event::DocType(_) => return None,
                Event::Eof => break,
                _ => {}
            }
        }
        let whole = depth == 0;
        let reply = fault.map(Self::Fault).or(returned.map(Self::Returned));
        reply.filter(|_| whole)
    }
}
