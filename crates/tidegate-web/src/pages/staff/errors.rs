//! What is wrong in a file, by segment and field: its response, added up.
//!
//! Invariant: a bounded part of the response is read. Texts of ERR-8 never hold a patient's data.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};

/// Of the response's beginning, in bytes.
const READ_BYTES_MAX: u64 = 8 << 20;

/// Kinds that are told.
const KINDS_MAX: usize = 100;

/// One kind of error.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// Such as `RXA-5.1`, as ERR-2 has it.
    pub(super) place: String,
    /// `E`, `W` or `I`.
    pub(super) severity: String,
    /// ERR-8.
    pub(super) text: String,
}

/// Kinds with how often each stands in the response, the most frequent first.
pub(super) fn kinds(response: File) -> io::Result<Vec<(Kind, u64)>> {
    let mut bytes = Vec::new();
    response.take(READ_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(add_up(&String::from_utf8_lossy(&bytes)))
}

fn add_up(response: &str) -> Vec<(Kind, u64)> {
    let mut counts: BTreeMap<Kind, u64> = BTreeMap::new();
    for segment in response.split(['\r', '\n']).filter(|segment| segment.starts_with("ERR|")) {
        let fields: Vec<&str> = segment.split('|').collect();
        let field = |number: usize| fields.get(number).copied().unwrap_or_default();
        let kind = Kind { place: place(field(2)), severity: field(4).to_owned(), text: plain(field(8)) };
        if counts.len() < KINDS_MAX || counts.contains_key(&kind) {
            *counts.entry(kind).or_default() += 1;
        }
    }
    let mut counts: Vec<(Kind, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// `RXA^1^5^1^1` is RXA-5.1: which segment of its kind, and which repetition, differ from message to message.
fn place(location: &str) -> String {
    let parts: Vec<&str> = location.split('^').collect();
    match parts.as_slice() {
        [] | [""] => "the message".to_owned(),
        [segment] | [segment, _] => (*segment).to_owned(),
        [segment, _, field] | [segment, _, field, _] => format!("{segment}-{field}"),
        [segment, _, field, _, component, ..] => format!("{segment}-{field}.{component}"),
    }
}

/// Without HL7's escapes (chapter 2.7).
fn plain(text: &str) -> String {
    [("\\F\\", "|"), ("\\S\\", "^"), ("\\T\\", "&"), ("\\R\\", "~"), ("\\E\\", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (escape, char)| text.replace(escape, char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_added_up_by_their_place_and_text() {
        let response = "MSH|\rMSA|AE|1\rERR||RXA^1^5^1^1|101|E|7|||Code \\T\\ name\rERR||RXA^2^5^1^1|101|E|7|||Code \\T\\ name\r\
                        ERR|||100|E||||Nothing left\rERR||PID^1^7|102|W||||Odd date\rMSH|ERR|";
        let found: Vec<(String, String, u64)> =
            add_up(response).into_iter().map(|(kind, count)| (kind.place, kind.text, count)).collect();
        let of = |place: &str, text: &str, count| (place.to_owned(), text.to_owned(), count);
        assert_eq!(
            found,
            [
                of("RXA-5.1", "Code & name", 2),
                of("PID-7", "Odd date", 1),
                of("the message", "Nothing left", 1)
            ]
        );
    }
}
