//! The report for people: a summary, and a paragraph for each message that has a problem.
//!
//! Invariant: it names places, fields and what to do; never a value, a name or an id of the file's, so that it may be
//! printed, mailed and put into a ticket. Paragraphs are written one message at a time, the summary at the end.

mod detail;
mod summary;

pub(crate) use detail::Details;
pub use detail::{DESCRIBED_MAX, FINDINGS_DESCRIBED_MAX};
pub use summary::render;

/// Longest line, in characters.
const WIDTH: usize = 78;

/// Appends words, wrapped, each line after `indent`; the first after `first`.
fn wrap(out: &mut String, first: &str, indent: &str, words: &str) {
    out.push_str(first);
    let mut column = first.chars().count();
    let mut fresh = true;
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if !fresh && column + 1 + length > WIDTH {
            out.push('\n');
            out.push_str(indent);
            column = indent.chars().count();
            fresh = true;
        }
        if !fresh {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
        fresh = false;
    }
    out.push('\n');
}
