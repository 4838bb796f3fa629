//! What a backend has to say about a success, which unftp-core's traits have no place for.

use std::sync::{Arc, Mutex, PoisonError};

/// Words for the next success reply to an upload or a rename, in place of the engine's. Cheap to clone: the
/// backend has one end, the engine the other.
#[derive(Debug, Clone, Default)]
pub struct Remarks(Arc<Mutex<Option<String>>>);

impl Remarks {
    /// Leaves words for the reply to what is being done; one line, of which control characters are left out.
    pub fn leave(&self, words: impl Into<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(words.into());
    }

    /// What was left since the last time, or else `usual`.
    pub(crate) fn take_or(&self, usual: &str) -> String {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        left.unwrap_or_else(|| usual.to_owned())
    }
}
