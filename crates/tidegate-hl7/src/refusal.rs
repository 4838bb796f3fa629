//! Why a whole file is refused.
//!
//! Invariant: a reason is composed of fixed words and numbers, never of the file's content. It does not say what
//! happens to the job (`error`, nothing delivered); the worker does.

use std::borrow::Cow;

use crate::routing::Routing;

/// The class of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// No bytes, or nothing but blanks.
    Empty,
    /// gzip, zip and the like.
    Compressed,
    /// PGP, armoured or binary.
    Encrypted,
    /// UTF-16 or EBCDIC: not a superset of ASCII.
    Encoding,
    /// XML, JSON, PDF, a table, a flat file: another format.
    NotHl7,
    /// HL7 headers but no message at all.
    NoMessages,
    /// A header without its trailer: the upload was cut off.
    Truncated,
    /// Headers, trailers and messages in an impossible order.
    OutOfOrder,
    /// BTS-1 or FTS-1 differ from what was counted, and the organization is strict about it.
    CountMismatch,
    /// More messages or batches than the limit.
    TooLarge,
}

/// A whole file refused, with a reason for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// The class.
    pub kind: RefusalKind,
    /// One sentence for people; never content of the file. Starts with `truncated: ` if and only if the kind is
    /// [`RefusalKind::Truncated`].
    pub reason: Cow<'static, str>,
    /// Whom the response goes to, as far as the file's first header said.
    pub sender: Box<Routing>,
}

impl Refusal {
    pub(crate) fn new(kind: RefusalKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, reason: reason.into(), sender: Box::default() }
    }

    /// What the sender can do about it, for people.
    pub fn advice(&self) -> &'static str {
        match self.kind {
            RefusalKind::Empty => {
                "Check your export: it produced no data. Send the file again once it holds messages."
            }
            RefusalKind::Compressed => "Unpack the file and send the plain HL7 text.",
            RefusalKind::Encrypted => "Decrypt the file and send the plain HL7 text.",
            RefusalKind::Encoding => {
                "Set your export to write plain text in UTF-8 or ASCII and send the file again."
            }
            RefusalKind::NotHl7 => {
                "Send HL7 version 2 messages (type VXU^V04). Check that the right file was picked."
            }
            RefusalKind::NoMessages => {
                "Check your export: it wrote headers but no messages. Send the file again."
            }
            RefusalKind::Truncated => {
                "Send the whole file again. Nothing of this one was used, so nothing will be doubled."
            }
            RefusalKind::OutOfOrder => {
                "Ask your software vendor to write FHS, then each batch as BHS, messages, BTS, then FTS; send the file again."
            }
            RefusalKind::CountMismatch => {
                "Compare the number of messages in your system with this report; send the whole file again."
            }
            RefusalKind::TooLarge => "Split the export into smaller files and send those.",
        }
    }
}
