//! What happened at the doors since the start, counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tidegate_domain::job::Protocol;

/// Counts by protocol and by what happened.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<(&'static str, &'static str), u64>>);

impl Tally {
    /// One more.
    pub(crate) fn count(&self, protocol: Protocol, event: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((protocol.as_str(), event)).or_default() += 1;
    }

    /// Protocol, what happened, and how often; what never happened is left out.
    pub fn counts(&self) -> Vec<(&'static str, &'static str, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|((protocol, event), count)| (*protocol, *event, *count)).collect()
    }
}
