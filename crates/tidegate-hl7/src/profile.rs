//! What an organization and the operator set: versions, processing ids, limits.
//!
//! Invariant: every limit has a default that keeps the whole door under 16 MiB of memory. It does not read
//! configuration files; the binary fills these in.

use std::sync::Arc;

use crate::charset::Charset;
use crate::tables::Tables;

/// Bounds on what one file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes; longer ones are refused one by one. Default 1 MiB.
    pub message_bytes_max: usize,
    /// Most messages in a file; default 10,000,000.
    pub messages_max: u64,
    /// Most batches in a file; default 1,000,000.
    pub batches_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes_max: 1 << 20, messages_max: 10_000_000, batches_max: 1_000_000 }
    }
}

/// What warnings do to an acknowledgment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Warnings {
    /// A message that has warnings only is acknowledged as AE (NIST's practice).
    #[default]
    Error,
    /// It is acknowledged as AA, the warnings listed (the guide's one example).
    Accept,
    /// Warnings are not told at all.
    Off,
}

/// An organization's HL7 settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// MSH-12.1 values that are taken; default `2.5.1`.
    pub versions: Vec<String>,
    /// MSH-11.1 values that are taken; default `P`.
    pub processing_ids: Vec<String>,
    /// Deliver a message although one of its ORDER groups has errors, as long as another group has none.
    pub forward_on_group_error: bool,
    /// What warnings do.
    pub warnings: Warnings,
    /// The character set of messages that name none in MSH-18; default UTF-8.
    pub default_charset: Charset,
    /// Refuse a file whose BTS-1 or FTS-1 differs from what was counted, rather than warn.
    pub strict_counts: bool,
    /// Everything is answered and nothing is to be delivered.
    pub test_mode: bool,
    /// Code tables.
    pub tables: Arc<Tables>,
    /// Bounds on a file.
    pub limits: Limits,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            versions: vec!["2.5.1".to_owned()],
            processing_ids: vec!["P".to_owned()],
            forward_on_group_error: false,
            warnings: Warnings::default(),
            default_charset: Charset::Utf8,
            strict_counts: false,
            test_mode: false,
            tables: Arc::default(),
            limits: Limits::default(),
        }
    }
}
