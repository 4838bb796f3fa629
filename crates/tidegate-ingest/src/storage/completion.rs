//! What an upload is once it is whole, by its name and by what its organization asks for.
//!
//! Invariant: nothing is submitted by less than its organization's `completion` demands.

use tidegate_domain::{Completion, UploadName};

use super::backend::InboxStorage;
use super::sidecar::Sidecar;
use crate::session::SessionUser;

/// How an upload came to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// It was sent and closed under it.
    Closed,
    /// It was staged under another one.
    Renamed,
}

/// What an upload is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is submitted.
    Submission,
    /// It is staged; what its sender is told.
    Staged(&'static str),
    /// It submits another and is not kept.
    Sidecar(Sidecar),
}

impl InboxStorage {
    pub(super) fn role(&self, user: &SessionUser, name: &UploadName, came: Came) -> Role {
        if self.intake.temporary_names().contains(name.as_bytes()) {
            return Role::Staged("Kept under a temporary name; rename it to its final one");
        }
        match (self.intake.completion(user.org()), came) {
            (Completion::Close, _) | (Completion::Rename, Came::Renamed) => Role::Submission,
            (Completion::Rename, Came::Closed) => Role::Staged("Kept, not submitted; rename it to submit it"),
            (Completion::Sidecar, _) => Sidecar::named(name.as_bytes()).map_or(
                Role::Staged("Kept, not submitted; upload its .done or .sha256 file to submit it"),
                Role::Sidecar,
            ),
        }
    }
}
