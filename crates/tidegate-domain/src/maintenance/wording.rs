//! Texts that people give with a window, a hold or an override.
//!
//! Invariant: what passes here is short and printable on one line, so that it can stand in a reply,
//! a log or a table. It is not a check of what the words mean.

/// Longest name of a window or a hold, in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 500;

/// Longest name of an actor, in characters.
const ACTOR_CHARS_MAX: usize = 200;

/// Why a text can't be taken. The message names which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordingError {
    /// Empty or blank.
    #[error("the {0} is missing")]
    Missing(&'static str),
    /// Longer than its bound.
    #[error("the {0} is longer than {1} characters")]
    TooLong(&'static str, usize),
    /// A line end or another control character.
    #[error("the {0} has a line end or another control character in it")]
    Control(&'static str),
}

pub(super) fn check_name(name: &str) -> Result<(), WordingError> {
    check("name", name, NAME_CHARS_MAX)
}

/// Whether a reason can be taken.
pub fn check_reason(reason: &str) -> Result<(), WordingError> {
    check("reason", reason, REASON_CHARS_MAX)
}

pub(super) fn check_actor(actor: &str) -> Result<(), WordingError> {
    check("actor", actor, ACTOR_CHARS_MAX)
}

fn check(what: &'static str, text: &str, chars_max: usize) -> Result<(), WordingError> {
    if text.trim().is_empty() {
        return Err(WordingError::Missing(what));
    }
    if text.chars().count() > chars_max {
        return Err(WordingError::TooLong(what, chars_max));
    }
    if text.chars().any(char::is_control) {
        return Err(WordingError::Control(what));
    }
    Ok(())
}
