//! What an organization and the operator set: versions, processing ids, limits.
//!
//! Invariant: every limit has a default that keeps the whole door under 16 MiB of memory. It does not read
//! configuration files; the binary fills these in.

use std::collections::BTreeSet;

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

/// An organization's HL7 settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// MSH-12.1 values that are taken; default `2.5.1`.
    pub versions: Vec<String>,
    /// MSH-11.1 values that are taken; default `P`.
    pub processing_ids: Vec<String>,
    /// Deliver a message although one of its ORDER groups has errors, as long as another group has none.
    pub forward_on_group_error: bool,
    /// Acknowledge a message that has warnings only as AE (NIST's practice, the default) rather than AA.
    pub warnings_as_ae: bool,
    /// Refuse a file whose BTS-1 or FTS-1 differs from what was counted, rather than warn.
    pub strict_counts: bool,
    /// Known vaccine codes (CVX) of RXA-5.1; empty means that no list is loaded and none is refused.
    pub vaccine_codes: BTreeSet<String>,
    /// Bounds on a file.
    pub limits: Limits,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            versions: vec!["2.5.1".to_owned()],
            processing_ids: vec!["P".to_owned()],
            forward_on_group_error: false,
            warnings_as_ae: true,
            strict_counts: false,
            vaccine_codes: BTreeSet::new(),
            limits: Limits::default(),
        }
    }
}
