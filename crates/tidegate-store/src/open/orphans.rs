//! Changes of jobs that nobody knows, while the journal is read from its beginning.

use std::collections::BTreeMap;

use tidegate_domain::JobId;

use crate::index::Applied;
use crate::record::Change;

/// Changes without a beginning, by job. Either the job is purged further on, and its beginning left the
/// journal for that; or the journal has lost something.
#[derive(Debug, Default)]
pub(super) struct Orphans(BTreeMap<JobId, u64>);

impl Orphans {
    /// A change stands on a job that is unknown.
    pub(super) fn add(&mut self, change: &Change) {
        if let Change::Job { id, .. } = change {
            *self.0.entry(*id).or_default() += 1;
        }
    }

    /// A change was applied.
    pub(super) fn note(&mut self, applied: &Applied) {
        if let Applied::Purged { purged, .. } = applied {
            self.0.remove(&purged.id);
        }
    }

    /// Jobs that were never purged, and how many changes there are of each.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&JobId, &u64)> {
        self.0.iter()
    }

    /// All their changes.
    pub(super) fn changes(&self) -> u64 {
        self.0.values().sum()
    }
}
