//! What must hold for any bytes of a sender, or of a registry. The fuzzer calls these functions, and so does `replay.rs`.

mod er7;

use std::io::{Cursor, Read};
use std::sync::LazyLock;

use chrono::{DateTime, FixedOffset};
use tidegate_hl7::{
    Limits, Place, Position, Profile, Reply, Splitter, UnitKind, check, examine, forward, read_envelope,
    sample, sniff,
};

/// Made once: reading the code tables takes longer than most files.
static PROFILE: LazyLock<Profile> = LazyLock::new(Profile::default);

/// Longest message of a splitter that is given long ones on purpose, in bytes.
const SMALL_MESSAGE_BYTES_MAX: usize = 300;

pub use self::er7::{er7, er7_file};
pub use tidegate_ftp::fuzzing::{commands as ftp_commands, session as ftp_session};
pub use tidegate_ingest::sftp::fuzzing::packet as sftp_packet;
pub use tidegate_worker::fuzzing::{ack, mllp};

/// A whole file: units and envelope do not depend on how the reader cuts it, a splitter goes on where another
/// stopped, and the response is well-formed and has an answer for each message.
pub fn hl7_file(bytes: &[u8]) {
    for message_bytes_max in [SMALL_MESSAGE_BYTES_MAX, Limits::default().message_bytes_max] {
        check_units(bytes, message_bytes_max);
    }
    let whole = read_envelope(bytes, &PROFILE).unwrap();
    let pieces = read_envelope(Pieces::of(bytes), &PROFILE).unwrap();
    assert_eq!(whole.is_ok(), pieces.is_ok());
    assert!(whole.is_err() || whole == pieces);
    check_response(bytes);
}

/// One message: findings are bounded, and what is forwarded are its lines as they came, but for blank ones.
pub fn hl7_message(bytes: &[u8]) {
    let verdict = check(bytes, &PROFILE, &now(), Place { ordinal: 1, offset: 0, line: 1 });
    for finding in verdict.findings() {
        assert!(finding.text().len() <= 250 && finding.location().to_string().len() <= 18);
    }
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    forward(bytes, &mut once);
    forward(&once, &mut twice);
    assert!(once == twice && !once.contains(&b'\n'));
    let mut lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n'));
    let mut forwarded = once.strip_suffix(b"\r").unwrap_or_default().split(|byte| *byte == b'\r');
    assert!(
        once.is_empty() || forwarded.all(|line| lines.any(|came| came == line)),
        "a line that never came"
    );
    let solid = |byte: &&u8| !b" \t\r\n\x0b\x1c\0\x1a".contains(byte);
    assert!(once.iter().filter(solid).eq(bytes.iter().filter(solid)), "nothing is lost");
    let _ = sniff(bytes);
}

/// A value where dates and times stand: of the message, of the birth, of the vaccination.
pub fn hl7_time(bytes: &[u8]) {
    let value = String::from_utf8_lossy(bytes).replace(['|', '\r', '\n'], "");
    for (segment, field) in [("MSH", 7), ("PID", 7), ("RXA", 3)] {
        hl7_message(&sample::with_field(&sample::message(1), segment, 1, field, &value));
    }
}

/// A reader that gives some bytes at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    size: usize,
}

impl<'a> Pieces<'a> {
    fn of(rest: &'a [u8]) -> Self {
        Self { rest, size: 1 + rest.len() % 13 }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.size.min(buffer.len());
        (&mut self.rest).take(count as u64).read(buffer)
    }
}

/// A unit with what it says.
type Found = (UnitKind, u64, u64, bool, Vec<u8>);

fn units(reader: impl Read, message_bytes_max: usize, from: Position) -> Vec<(Found, Position)> {
    let mut splitter = Splitter::resume(reader, message_bytes_max, from);
    let mut found = Vec::new();
    while let Some(unit) = splitter.next_unit().unwrap() {
        let unit = (unit.kind, unit.offset, unit.line, unit.terminated, unit.bytes.to_vec());
        found.push((unit, splitter.position()));
    }
    found
}

fn check_units(bytes: &[u8], message_bytes_max: usize) {
    let whole = units(bytes, message_bytes_max, Position::default());
    assert!(units(Pieces::of(bytes), message_bytes_max, Position::default()) == whole, "cut in pieces");
    let mut end = 0;
    for ((kind, offset, _, _, content), position) in &whole {
        let start = usize::try_from(*offset).unwrap();
        assert!(*offset >= end && position.offset >= offset + content.len() as u64);
        assert!(content.len() <= message_bytes_max || *kind == UnitKind::Oversize);
        assert!(bytes[start..].starts_with(content), "a unit is a piece of the file");
        end = position.offset;
    }
    if let Some((_, middle)) = whole.get(whole.len() / 2) {
        let rest = &bytes[usize::try_from(middle.offset).unwrap()..];
        assert!(units(rest, message_bytes_max, *middle) == whole[whole.len() / 2 + 1..], "resumed");
    }
}

fn check_response(bytes: &[u8]) {
    let (mut response, reply) = (Vec::new(), Reply::new("01HZX3K7Q2W5M8RT", now()));
    let examined = examine(&mut Cursor::new(bytes), &PROFILE, &reply, &mut response).unwrap();
    assert!(!response.contains(&b'\n') && !response.contains(&0));
    let segments = response.strip_suffix(b"\r").unwrap().split(|byte| *byte == b'\r');
    let known = ["FHS|", "BHS|", "MSH|", "MSA|", "ERR|", "BTS|", "FTS|"].map(str::as_bytes);
    assert!(segments.clone().all(|segment| known.iter().any(|name| segment.starts_with(name))));
    let answers = segments.filter(|segment| segment.starts_with(b"MSA|")).count() as u64;
    let counts = examined.summary.counts.total();
    assert_eq!(answers, if examined.summary.refusal.is_some() { 1 } else { counts });
}

fn now() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-03-16T08:30:00-05:00").unwrap()
}
