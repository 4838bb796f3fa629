//! A file's leave to speak to its target.
//!
//! Invariant: a target that is away is tried by one file at a time; if that file ends without having had a message
//! for it, the next one may try.

use std::sync::Arc;

use tidegate_domain::JobId;

use super::Context;
use super::halt::Halt;
use crate::targets::Target;

/// Given back when dropped.
pub(super) struct Turn<'a> {
    context: &'a Context,
    target: Arc<Target>,
    job: JobId,
}

impl<'a> Turn<'a> {
    /// The file waits if the target is away and not to be tried.
    pub(super) fn take(context: &'a Context, target: &Arc<Target>, job: JobId) -> Result<Self, Halt> {
        let turn = target.admits(job).then(|| Self { context, target: Arc::clone(target), job });
        if target.is_troubled() {
            context.show_targets();
        }
        turn.ok_or(Halt::Yield)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.target.is_troubled() {
            self.target.untried(self.job);
            self.context.show_targets();
        }
    }
}
