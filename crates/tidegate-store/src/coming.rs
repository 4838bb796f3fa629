//! Small uploads that were acknowledged, and whose files are about to be written.
//!
//! Their bytes are safe in the journal. Whoever looks for a file in this moment waits for it: the writer
//! needs no other lock meanwhile, so the wait is as short as the writing of one batch.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tidegate_domain::JobId;

/// The jobs that are waited for.
#[derive(Debug, Default)]
pub(crate) struct Coming {
    ids: Mutex<HashSet<JobId>>,
    written: Condvar,
}

/// Holds back whoever looks for the bytes of some jobs until it is dropped.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    coming: &'a Coming,
    ids: Vec<JobId>,
}

impl Coming {
    pub(crate) fn expect(&self, ids: Vec<JobId>) -> Expected<'_> {
        self.lock().extend(&ids);
        Expected { coming: self, ids }
    }

    /// Returns once the job's bytes are not expected any more.
    pub(crate) fn wait(&self, id: JobId) {
        let waited = self.written.wait_while(self.lock(), |ids| ids.contains(&id));
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<JobId>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        let mut ids = self.coming.lock();
        for id in &self.ids {
            ids.remove(id);
        }
        drop(ids);
        self.coming.written.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_looks_too_early_waits() {
        let id = "06H0BX014GB30D0D".parse().unwrap();
        let (coming, order) = (Coming::default(), Mutex::new(Vec::new()));
        let expected = coming.expect(vec![id]);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                coming.wait(id);
                order.lock().unwrap().push("found");
            });
            order.lock().unwrap().push("written");
            drop(expected);
        });
        assert_eq!(order.into_inner().unwrap(), ["written", "found"]);
        coming.wait(id);
    }
}
