//! What a client asks for.

use tidegate_domain::job::Protocol;
use tidegate_soap::{CDC, Element, SOAP_11, SOAP_12};
use zeroize::Zeroizing;

use super::answer::{Fault, Version};
use crate::service::door::Submission;

/// Headers about the way of a message, which change nothing for us: WS-Addressing 1.0 and its draft of 2004.
const ADDRESSING: [&str; 2] =
    ["http://www.w3.org/2005/08/addressing", "http://schemas.xmlsoap.org/ws/2004/08/addressing"];

/// An envelope that was understood.
pub(super) struct Request {
    pub(super) version: Version,
    pub(super) operation: Operation,
}

/// What is to be done.
pub(super) enum Operation {
    Test { echo: String },
    Submit(Submission),
}

impl Request {
    /// Reads an envelope; with what is wrong comes the version to say it in, if that is known.
    pub(super) fn read(body: &[u8]) -> Result<Self, (Option<Version>, Fault)> {
        let envelope =
            Element::read(body).map_err(|_| (None, Fault::Malformed("this is no XML that is read here")))?;
        let version = match envelope.namespace.as_str() {
            SOAP_12 => Version::Soap12,
            SOAP_11 => Version::Soap11,
            _ => return Err((None, Fault::OtherVersion)),
        };
        let operation = Operation::of(version, &envelope).map_err(|fault| (Some(version), fault))?;
        Ok(Self { version, operation })
    }
}

impl Operation {
    fn of(version: Version, envelope: &Element) -> Result<Self, Fault> {
        let soap = version.namespace();
        if envelope.name != "Envelope" {
            return Err(Fault::Malformed("the outermost element is no Envelope"));
        }
        let headers = envelope.child(soap, "Header").map_or(&[][..], |header| &header.children);
        if headers.iter().any(|header| must_be_understood(soap, header)) {
            return Err(Fault::NotUnderstood);
        }
        let body = envelope.child(soap, "Body").ok_or(Fault::Malformed("the envelope has no Body"))?;
        let [operation] = body.children.as_slice() else {
            return Err(Fault::Malformed("the Body holds no operation, or several"));
        };
        if operation.is(CDC, "connectivityTest") {
            let echo = text_of(operation, "echoBack").ok_or(Fault::Malformed("echoBack is missing"))?;
            return Ok(Self::Test { echo });
        }
        if operation.is(CDC, "submitSingleMessage") {
            let message =
                text_of(operation, "hl7Message").ok_or(Fault::Malformed("hl7Message is missing"))?;
            return Ok(Self::Submit(Submission {
                protocol: Protocol::Soap,
                account: text_of(operation, "username").unwrap_or_default(),
                password: Zeroizing::new(text_of(operation, "password").unwrap_or_default()),
                facility: text_of(operation, "facilityID"),
                message: message.into_bytes(),
            }));
        }
        Err(Fault::UnsupportedOperation)
    }
}

/// Whether a header says that whoever does not know it must not go on (SOAP 1.2, part 1, 5.2.3).
fn must_be_understood(soap: &str, header: &Element) -> bool {
    let says = |attribute: &tidegate_soap::Attribute| {
        attribute.namespace == soap
            && attribute.name == "mustUnderstand"
            && matches!(attribute.value.trim(), "1" | "true")
    };
    !ADDRESSING.contains(&header.namespace.as_str()) && header.attributes.iter().any(says)
}

/// The text of an element of the operation.
fn text_of(operation: &Element, name: &str) -> Option<String> {
    operation.child(CDC, name).map(|element| element.text.clone())
}
