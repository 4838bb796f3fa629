//! Where accepted messages go: the one trait that targets implement.
//!
//! Invariant: a target sees a message again only under the key it came with before, and then with the
//! same bytes. Which messages are delivered, and in which order, is decided elsewhere.

mod directory;
mod far_ack;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod link;
mod mllp;
mod open;
mod settle;
mod soap;
mod tls;

use std::io;
use std::time::Duration;

use tidegate_domain::{JobId, OrgCode};
pub use tidegate_hl7::Code;

pub use directory::DirectoryTarget;
pub use http::HttpTarget;
pub use mllp::MllpTarget;
pub use open::{OpenTargetError, open};
pub use soap::SoapTarget;

/// Names a message for ever: the idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The job it came in.
    pub job: JobId,
    /// Whose it is.
    pub org: OrgCode,
    /// Its number among the messages of its file, counted from 1.
    pub ordinal: u64,
}

/// A message has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// Now.
    Now,
    /// Under the same key before; nothing was done.
    Before,
}

/// Why a message has not arrived. The texts must hold nothing of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliverError {
    /// This message got no answer, or one that says nothing about it; it is tried again later, in its turn. It
    /// may have arrived.
    #[error("{0}")]
    Transient(String),
    /// The target takes nothing from anybody at present.
    #[error("{reason}")]
    Away {
        /// What it is, for staff.
        reason: String,
        /// Whether this message may have arrived all the same, such as behind a proxy that lost the answer.
        in_doubt: bool,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// The target will never take this message; those behind it go on.
    #[error("{text}")]
    Refused {
        /// What the sender is told: AE for its content, AR for its kind.
        code: Code,
        /// The target's words, for the sender; empty if there are none to pass on.
        text: String,
    },
}

impl DeliverError {
    fn away(reason: String) -> Self {
        Self::Away { reason, in_doubt: false, retry_after: None }
    }
}

/// Takes messages.
pub trait Deliver: Send + Sync + 'static {
    /// Hands a message over. Blocks for a bounded time; may be called by several threads at once, but
    /// messages of one organization's files come one after the other, in order. Those of calls come beside them.
    fn deliver(&self, key: &Key, message: &[u8]) -> Result<Delivered, DeliverError>;

    /// Passes a query on, which changes nothing there, and gives the answer to it as it came; `None` if the target
    /// has no answers to give. Blocks for a bounded time.
    fn ask(&self, _org: &OrgCode, _query: &[u8]) -> Option<Result<Vec<u8>, DeliverError>> {
        None
    }

    /// Whether the target can be reached, as far as can be told without a message. Blocks for a bounded time.
    fn test(&self) -> Result<(), DeliverError> {
        Ok(())
    }

    /// Whether a message that was delivered is out of our hands at once, and need not be settled.
    fn is_final(&self) -> bool {
        false
    }

    /// Makes everything durable that was delivered before; called before that is recorded anywhere. An
    /// error ends the worker.
    fn settle(&self) -> io::Result<()>;
}
