//! What senders are told when they connect, by every door in the same words.

use std::sync::Arc;

/// What senders shall hear when they connect, such as the next maintenance window.
pub type Announcement = Arc<dyn Fn() -> Option<String> + Send + Sync>;

const LINES_MAX: usize = 10;
const LINE_CHARS_MAX: usize = 200;

/// The lines of a text that can be sent: few, not empty, without control characters.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = String> {
    let clean = |line: &str| -> String {
        line.chars().filter(|character| !character.is_control()).take(LINE_CHARS_MAX).collect()
    };
    text.lines().map(clean).filter(|line| !line.trim().is_empty()).take(LINES_MAX)
}
