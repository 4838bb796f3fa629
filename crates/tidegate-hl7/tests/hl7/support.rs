//! What the tests share: a moment, a profile, and a whole file examined.

use std::io::Cursor;

use chrono::{DateTime, FixedOffset};
use tidegate_hl7::{Examined, Place, Profile, Reply, Verdict, check, examine};

/// The day after the made-up messages were made.
pub(crate) fn now() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-03-16T08:30:00-05:00").unwrap()
}

pub(crate) fn reply() -> Reply {
    Reply::new("01HZX3K7Q2W5M8RT", now())
}

pub(crate) fn place() -> Place {
    Place { ordinal: 7, offset: 4_321, line: 99 }
}

pub(crate) fn judge(message: &[u8]) -> Verdict {
    judge_with(message, &Profile::default())
}

pub(crate) fn judge_with(message: &[u8], profile: &Profile) -> Verdict {
    check(message, profile, &now(), place())
}

/// A file through the whole door: outcome and response, with line feeds for reading.
pub(crate) fn through(file: &[u8]) -> (Examined, String) {
    through_with(file, &Profile::default())
}

pub(crate) fn through_with(file: &[u8], profile: &Profile) -> (Examined, String) {
    let mut response = Vec::new();
    let examined = examine(&mut Cursor::new(file), profile, &reply(), &mut response).unwrap();
    (examined, String::from_utf8_lossy(&response).replace('\r', "\n"))
}

/// The lines of a response that begin with `name`.
pub(crate) fn segments<'a>(response: &'a str, name: &str) -> Vec<&'a str> {
    response.lines().filter(|line| line.starts_with(name)).collect()
}
