//! What the API answers when it can't do what was asked.

use serde::{Deserialize, Serialize};

/// An error for people: what is wrong, and what to do about it where that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// What is wrong, in one sentence without a full stop.
    pub error: String,
    /// What to do next.
    pub hint: Option<String>,
}
