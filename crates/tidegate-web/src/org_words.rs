//! Settings of organizations in the words that the command line and the console have in common.

use tidegate_domain::{Completion, WhenClosed};

/// What submits an upload, for staff.
pub fn what_submits(completion: Completion) -> &'static str {
    match completion {
        Completion::Close => "an upload is submitted when it ends, unless its name is a temporary one",
        Completion::Rename => "an upload is kept until it is renamed to another, final name",
        Completion::Sidecar => "an upload NAME is kept until NAME.done or NAME.sha256 comes",
    }
}

/// The same, for its sender.
pub fn how_to_upload(completion: Completion) -> &'static str {
    match completion {
        Completion::Close => "into / or inbox/; a temporary name and a rename, or a plain put",
        Completion::Rename => "into / or inbox/, then rename to another name; nothing is submitted before",
        Completion::Sidecar => {
            "NAME into / or inbox/, then NAME.done (empty) or NAME.sha256 (its checksum); nothing is submitted before"
        }
    }
}

/// What becomes of a message to the web service while the gate is closed, for staff.
pub fn what_becomes(when_closed: WhenClosed) -> &'static str {
    match when_closed {
        WhenClosed::Refuse => "messages to the web service are refused with 503, to be sent again",
        WhenClosed::Defer => "messages to the web service are queued and processed afterwards",
    }
}
