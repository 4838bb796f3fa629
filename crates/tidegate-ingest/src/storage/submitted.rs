//! What a session has submitted.
//!
//! Invariant: it is seen by its session under its name, even if it was processed in the meantime: clients
//! look at a file that they have just sent, and take its absence for a failure.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_domain::UploadName;

use super::entry::Entry;

/// Files that are remembered, the newest ones.
const REMEMBERED_MAX: usize = 100;

/// The last files of a session; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Submitted(Arc<Mutex<VecDeque<(UploadName, Entry)>>>);

impl Submitted {
    pub(super) fn remember(&self, name: UploadName, size_bytes: u64) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= REMEMBERED_MAX {
            files.pop_front();
        }
        files.push_back((name, Entry::accepted_now(size_bytes)));
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<Entry> {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = files.iter().rev().find(|(known, _)| known.as_bytes() == name);
        found.map(|(_, entry)| entry.clone())
    }
}
