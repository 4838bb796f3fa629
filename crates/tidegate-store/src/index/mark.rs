//! Up to where the index goes, and what it has to add up to.

use serde::{Deserialize, Serialize};
use tidegate_domain::JobId;
use tidegate_domain::job::JobState;

use super::keys::state_byte;

/// Format of keys and values; raise it with every change of what is kept, `Job` included. Another number
/// means a new index, not a migration: it is only a view.
pub(crate) const FORMAT: u32 = 5;

/// Written with every batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(super) format: u32,
    /// The journal that this is a view of.
    pub(crate) store_id: u64,
    /// The last change that it shows.
    pub(crate) seq: u64,
    /// The highest id that a job ever had, though the job be purged: ids are never given twice.
    pub(crate) highest_id: Option<JobId>,
    /// Sum over all pairs.
    pub(super) digest: u64,
    /// Jobs by state.
    pub(super) counts: [u64; JobState::ALL.len()],
    /// Fingerprint of the last change; 0 if there is none.
    pub(crate) last_change: u32,
}

impl Mark {
    pub(super) fn empty(store_id: u64) -> Self {
        Self {
            format: FORMAT,
            store_id,
            seq: 0,
            highest_id: None,
            digest: 0,
            counts: [0; JobState::ALL.len()],
            last_change: 0,
        }
    }

    pub(crate) fn count(&self, state: JobState) -> u64 {
        self.counts.get(usize::from(state_byte(state))).copied().unwrap_or(0)
    }

    pub(super) fn add(&mut self, state: JobState) {
        if let Some(count) = self.counts.get_mut(usize::from(state_byte(state))) {
            *count += 1;
        }
    }

    pub(super) fn remove(&mut self, state: JobState) {
        if let Some(count) = self.counts.get_mut(usize::from(state_byte(state))) {
            *count = count.saturating_sub(1);
        }
    }
}
