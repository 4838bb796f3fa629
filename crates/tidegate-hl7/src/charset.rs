//! Bytes that are no text: control characters, and what the declared character set does not cover.
//!
//! Invariant: a message of printable ASCII passes after one look at its bytes. Nothing is decoded: what is passed on
//! are the bytes as received.

use crate::fault::Fault;
use crate::finding::Finding;
use crate::profile::Profile;
use crate::rules::message;
use crate::verdict::Findings;
use crate::view::{Fields, is_filled, lines, segment_name};

/// A character set in which no part of another character looks like a separator (out of HL7 table 0211).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// 7-bit ASCII.
    Ascii,
    /// UTF-8.
    Utf8,
    /// A part of ISO 8859, by its number.
    Iso8859(u8),
    /// Windows-1252, which Windows programs mean when they say ISO 8859-1.
    Windows1252,
    /// KS X 1001, Korean.
    KsX1001,
}

impl Charset {
    /// The set of a name as in MSH-18, however it is spelt (`8859/1`, `ISO-8859-1`, `UNICODE UTF-8`, `utf8`); `None` for
    /// one that is no superset of ASCII, or unknown.
    pub fn named(name: &[u8]) -> Option<Self> {
        let mut letters = [0; 16];
        let mut length = 0;
        for byte in name.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
            *letters.get_mut(length)? = byte.to_ascii_uppercase();
            length += 1;
        }
        let letters = letters.get(..length)?;
        if let Some(part) = letters.strip_prefix(b"ISO").unwrap_or(letters).strip_prefix(b"8859") {
            return part_of_8859(part);
        }
        Some(match letters {
            b"ASCII" | b"USASCII" | b"ISOIR6" => Self::Ascii,
            b"UNICODEUTF8" | b"UTF8" | b"UNICODE" => Self::Utf8,
            b"LATIN1" => Self::Iso8859(1),
            b"WINDOWS1252" | b"CP1252" => Self::Windows1252,
            b"KSX1001" => Self::KsX1001,
            _ => return None,
        })
    }

    /// Whether all these bytes may stand in a text of the set. Of ISO 8859 only the control characters that text never has
    /// (0x80 to 0x9F, letters and quotes in Windows-1252) are told, not the few gaps of some parts.
    fn covers(self, bytes: &[u8]) -> bool {
        match self {
            Self::Ascii => bytes.is_ascii(),
            Self::Utf8 => std::str::from_utf8(bytes).is_ok(),
            Self::Iso8859(_) => !bytes.iter().any(|byte| matches!(byte, 0x80..=0x9f)),
            Self::Windows1252 => !bytes.iter().any(|byte| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)),
            Self::KsX1001 => true,
        }
    }
}

/// Part 12 was never made; without a number the first is meant.
fn part_of_8859(number: &[u8]) -> Option<Charset> {
    let part = match number {
        [] => 1,
        [digit @ b'1'..=b'9'] => digit - b'0',
        [b'1', digit @ (b'0' | b'1' | b'3'..=b'6')] => 10 + digit - b'0',
        _ => return None,
    };
    Some(Charset::Iso8859(part))
}

/// Door rules 27 (control bytes) and, as a warning, the missing or wrong character set of rule 9.
pub(crate) fn check(message: &[u8], header: &Fields<'_>, profile: &Profile, findings: &mut Findings) {
    let (suspicious, beyond_ascii) = survey(message);
    if suspicious && message.iter().copied().any(is_control) {
        report_control_bytes(message, header, findings);
    }
    if beyond_ascii && !of(header, profile).covers(message) {
        let mut finding = Finding::new(&message::CHARSET, Fault::NotInCharset, 1);
        finding.line = 1;
        findings.push(finding);
    }
}

/// The set that a message says it is written in; the organization's where it says nothing.
fn of(header: &Fields<'_>, profile: &Profile) -> Charset {
    let declared = header.repetitions(18).next().filter(|name| is_filled(name));
    declared.and_then(Charset::named).unwrap_or(profile.default_charset)
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

fn report_control_bytes(message: &[u8], header: &Fields<'_>, findings: &mut Findings) {
    let separator = header.delimiters.field;
    let mut seen: Vec<([u8; 3], u32)> = Vec::new();
    findings.fatal = true;
    for (number, line) in lines(message) {
        let name = segment_name(line, separator).unwrap_or(*b"   ");
        let occurrence = occurrence(&mut seen, name);
        for (at, field) in line.split(|byte| *byte == separator).enumerate() {
            if field.iter().copied().any(is_control) {
                let mut finding = Finding::new(&message::CONTROL_BYTES, Fault::ControlByte, occurrence);
                finding.segment = name;
                // The separator is the first field of MSH.
                finding.line = number + 1;
                finding.field = u8::try_from(at + usize::from(&name == b"MSH")).unwrap_or(u8::MAX);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supersets_of_ascii_are_known_by_their_names() {
        for (name, set) in [
            ("ASCII", Charset::Ascii),
            ("8859/1", Charset::Iso8859(1)),
            ("8859/15", Charset::Iso8859(15)),
            ("ISO-8859-1", Charset::Iso8859(1)),
            ("Latin1", Charset::Iso8859(1)),
            ("UNICODE UTF-8", Charset::Utf8),
            ("UTF-8", Charset::Utf8),
            ("utf8", Charset::Utf8),
            ("UNICODE", Charset::Utf8),
            ("windows-1252", Charset::Windows1252),
            ("KS X 1001", Charset::KsX1001),
        ] {
            assert_eq!(Charset::named(name.as_bytes()), Some(set), "{name}");
        }
        for bad in [
            "UNICODE UTF-16",
            "UNICODE UTF-32",
            "ISO IR87",
            "BIG-5",
            "GB 18030-2000",
            "EBCDIC",
            "8859/1x",
            "8859/12",
            "8859/17",
            "x",
            "",
            "a name that is much too long for any",
        ] {
            assert_eq!(Charset::named(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_set_covers_the_bytes_that_its_text_may_have() {
        let (latin, utf8, windows, none) =
            (&b"Andr\xe9"[..], "Andr\u{e9}".as_bytes(), &b"\x93quoted\x94"[..], &b"\x81"[..]);
        for (set, covered) in [
            (Charset::Ascii, [false, false, false, false]),
            (Charset::Utf8, [false, true, false, false]),
            (Charset::Iso8859(1), [true, true, false, false]),
            (Charset::Windows1252, [true, true, true, false]),
            (Charset::KsX1001, [true; 4]),
        ] {
            assert_eq!([latin, utf8, windows, none].map(|text| set.covers(text)), covered, "{set:?}");
            assert!(set.covers(b"plain"));
        }
    }
}
