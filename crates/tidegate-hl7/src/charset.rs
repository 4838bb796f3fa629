//! Bytes that are no text: control characters, and what the declared character set does not cover.
//!
//! Invariant: a message of printable ASCII passes after one look at its bytes. Nothing is decoded: what is passed on
//! are the bytes as received.

use crate::fault::Fault;
use crate::finding::Finding;
use crate::rules::message;
use crate::verdict::Findings;
use crate::view::{Fields, is_filled, lines, segment_name};

/// Door rules 27 (control bytes) and, as a warning, the missing or wrong character set of rule 9.
pub(crate) fn check(message: &[u8], header: &Fields<'_>, findings: &mut Findings) {
    let (suspicious, beyond_ascii) = survey(message);
    if suspicious && message.iter().copied().any(is_control) {
        report_control_bytes(message, header, findings);
    }
    if beyond_ascii && std::str::from_utf8(message).is_err() && !declares_one_byte_set(header) {
        findings.push(Finding::new(&message::CHARSET, Fault::NotInCharset, 1));
    }
}

/// Whether there may be control bytes and whether there are bytes beyond ASCII.
///
/// No early end, no branch and few comparisons, so that it looks at many bytes at a time.
fn survey(message: &[u8]) -> (bool, bool) {
    let mut suspicious = 0_u8;
    let mut beyond = 0_u8;
    for byte in message {
        suspicious |= u8::from((*byte < 0x20 && *byte != b'\r' && *byte != b'\n') || *byte == 0x7f);
        beyond |= byte;
    }
    (suspicious != 0, beyond >= 0x80)
}

/// Control characters, apart from line ends and tabs.
const fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f)
}

/// A set in which every byte above 0x7f is a character: nothing can be wrong with those.
fn declares_one_byte_set(header: &Fields<'_>) -> bool {
    let declared = header.repetitions(18).next().unwrap_or_default();
    let is_utf8 = memchr::memmem::find(declared, b"UTF").is_some() || declared.starts_with(b"UNICODE");
    is_filled(declared) && !is_utf8 && !declared.ends_with(b"ASCII")
}

fn report_control_bytes(message: &[u8], header: &Fields<'_>, findings: &mut Findings) {
    let separator = header.delimiters.field;
    let mut seen: Vec<([u8; 3], u32)> = Vec::new();
    findings.fatal = true;
    for (_, line) in lines(message) {
        let name = segment_name(line, separator).unwrap_or(*b"   ");
        let occurrence = occurrence(&mut seen, name);
        for (number, field) in line.split(|byte| *byte == separator).enumerate() {
            if field.iter().copied().any(is_control) {
                let mut finding = Finding::new(&message::CONTROL_BYTES, Fault::ControlByte, occurrence);
                finding.segment = name;
                // The separator is the first field of MSH.
                finding.field = u8::try_from(number + usize::from(&name == b"MSH")).unwrap_or(u8::MAX);
                findings.push(finding);
            }
        }
    }
}

fn occurrence(seen: &mut Vec<([u8; 3], u32)>, name: [u8; 3]) -> u32 {
    if let Some((_, count)) = seen.iter_mut().find(|(other, _)| *other == name) {
        *count += 1;
        return *count;
    }
    seen.push((name, 1));
    1
}
