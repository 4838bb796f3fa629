//! What a client and a server of CDC's web service have in common: reading envelopes and writing text into them.
//!
//! Invariant: any bytes may come in. Nothing is expanded but character references and the five entities of XML 1.0
//! (4.6), documents with a DTD are refused (SOAP 1.2, part 1, 5), and depth and number of elements are bounded; the
//! number of bytes is for the caller to bound. No error repeats anything of the document.

mod element;
mod text;

pub use element::{Attribute, Element, ReadError};
pub use text::escape;

/// The namespace of CDC's operations (CDC, WSDL of 2011).
pub const CDC: &str = "urn:cdc:iisb:2011";

/// The namespace of envelopes of SOAP 1.2.
pub const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// The namespace of envelopes of SOAP 1.1.
pub const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
