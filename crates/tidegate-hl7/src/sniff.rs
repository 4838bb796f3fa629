//! The first look at a file: is this HL7 at all, and if not, what is it?
//!
//! Invariant: a file is refused here only for what its first bytes show beyond doubt; a doubtful one goes on to the
//! envelope pass. It does not read past [`SNIFF_BYTES`].

use memchr::memmem;

use crate::refusal::{Refusal, RefusalKind};
use crate::splitter::skip_lead;
use crate::unit::{Opening, opening};

/// How many of a file's first bytes [`sniff`] wants, if there are so many.
pub const SNIFF_BYTES: usize = 4096;

/// Looks at the first [`SNIFF_BYTES`] of a file.
pub fn sniff(first: &[u8]) -> Result<(), Refusal> {
    let first = first.get(..SNIFF_BYTES).unwrap_or(first);
    if first.is_empty() {
        return Err(Refusal::new(RefusalKind::Empty, "the file is empty"));
    }
    if let Some((kind, reason)) = binary(first) {
        return Err(Refusal::new(kind, reason));
    }
    let whole = first.len() < SNIFF_BYTES;
    let text = first.get(skip_lead(first, 0, whole).at..).unwrap_or_default();
    if text.is_empty() && whole {
        return Err(Refusal::new(RefusalKind::Empty, "the file holds nothing but blanks and line ends"));
    }
    if text.is_empty() || has_header(text) {
        return Ok(());
    }
    Err(Refusal::new(other_text(text).0, other_text(text).1))
}

fn has_header(text: &[u8]) -> bool {
    let starts = memchr::memchr2_iter(b'\r', b'\n', text).map(|end| skip_lead(text, end, true).at);
    std::iter::once(0).chain(starts).any(|start| {
        let line = text.get(start..).unwrap_or_default();
        matches!(opening(line, true), Opening::Unit(_))
    })
}

/// Formats told by their first bytes ("magic numbers").
fn binary(first: &[u8]) -> Option<(RefusalKind, &'static str)> {
    const COMPRESSED: [(&[u8], &str); 7] = [
        (b"\x1f\x8b", "the file is compressed (gzip), not plain HL7 text"),
        (b"PK\x03\x04", "the file is a zip archive, not plain HL7 text"),
        (b"PK\x05\x06", "the file is an empty zip archive, not plain HL7 text"),
        (b"7z\xbc\xaf", "the file is a 7z archive, not plain HL7 text"),
        (b"BZh", "the file is compressed (bzip2), not plain HL7 text"),
        (b"\xfd7zXZ", "the file is compressed (xz), not plain HL7 text"),
        (b"Rar!", "the file is a rar archive, not plain HL7 text"),
    ];
    if let Some((_, reason)) = COMPRESSED.iter().find(|(magic, _)| first.starts_with(magic)) {
        return Some((RefusalKind::Compressed, reason));
    }
    if first.starts_with(b"%PDF") {
        return Some((RefusalKind::NotHl7, "the file is a PDF document, not HL7"));
    }
    if is_utf16(first) {
        return Some((RefusalKind::Encoding, "the file is encoded in UTF-16; UTF-8 or ASCII is needed"));
    }
    // MSH, FHS and BHS in EBCDIC.
    if [b"\xd4\xe2\xc8", b"\xc6\xc8\xe2", b"\xc2\xc8\xe2"].iter().any(|name| first.starts_with(*name)) {
        return Some((RefusalKind::Encoding, "the file is encoded in EBCDIC; UTF-8 or ASCII is needed"));
    }
    if memmem::find(first.get(..256).unwrap_or(first), b"-----BEGIN PGP").is_some() || is_pgp_packet(first) {
        return Some((
            RefusalKind::Encrypted,
            "the file is encrypted or signed with PGP, not plain HL7 text",
        ));
    }
    None
}

fn is_utf16(first: &[u8]) -> bool {
    matches!(
        first,
        [0xff, 0xfe, ..]
            | [0xfe, 0xff, ..]
            | [b'A'..=b'Z', 0, b'A'..=b'Z', 0, ..]
            | [0, b'A'..=b'Z', 0, b'A'..=b'Z', ..]
    )
}

/// The first packet of an `OpenPGP` message (RFC 9580, sections 4.2 and 5): tag, length, then a version or algorithm.
fn is_pgp_packet(first: &[u8]) -> bool {
    let Some((&tag_byte, rest)) = first.split_first() else { return false };
    let (tag, length_bytes) = match tag_byte {
        0xc0..=0xff => (tag_byte & 0x3f, usize::from(matches!(rest.first(), Some(192..=223))) + 1),
        0x80..=0xbf => {
            ((tag_byte >> 2) & 0x0f, [1, 2, 4, 0].get(usize::from(tag_byte & 3)).copied().unwrap_or(0))
        }
        _ => return false,
    };
    let first_of_body = rest.get(length_bytes).copied();
    match tag {
        // Session keys, signatures: their version. Encrypted and compressed data: version and algorithm.
        1 | 3 | 4 => matches!(first_of_body, Some(3..=6)),
        8 => matches!(first_of_body, Some(0..=3)),
        18 => matches!(first_of_body, Some(1 | 2)),
        _ => false,
    }
}

fn other_text(text: &[u8]) -> (RefusalKind, &'static str) {
    let line = text.get(..memchr::memchr2(b'\r', b'\n', text).unwrap_or(text.len())).unwrap_or(text);
    let count = |byte| memchr::memchr_iter(byte, line).count();
    let reason = match text {
        [b'<', ..] => "the file is XML or HTML, not HL7 version 2 text",
        [b'{' | b'[', ..] => "the file is JSON, not HL7 version 2 text",
        _ if count(b',') >= 2 || count(b';') >= 2 || count(b'\t') >= 2 => {
            "the file looks like a table (CSV), not HL7: no line begins with MSH, FHS or BHS"
        }
        _ => "the file is not HL7: no line begins with MSH, FHS or BHS",
    };
    (RefusalKind::NotHl7, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_files_are_named() {
        let utf16: Vec<u8> = "MSH|^~\\&|".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cases: [(&[u8], RefusalKind, &str); 22] = [
            (b"", RefusalKind::Empty, "empty"),
            (b"\xEF\xBB\xBF \r\n\x1a", RefusalKind::Empty, "blanks"),
            (b"\x1f\x8b\x08\0\0", RefusalKind::Compressed, "gzip"),
            (b"PK\x03\x04\x14", RefusalKind::Compressed, "zip"),
            (b"7z\xbc\xaf\x27\x1c", RefusalKind::Compressed, "7z"),
            (b"-----BEGIN PGP MESSAGE-----\r\n", RefusalKind::Encrypted, "PGP"),
            (b"\x85\x01\x0c\x03abcd", RefusalKind::Encrypted, "PGP"),
            (b"\xc1\xc1\x0c\x03abcd", RefusalKind::Encrypted, "PGP"),
            (b"\x8c\x0d\x04\x09", RefusalKind::Encrypted, "PGP"),
            (b"\xa3\x01abc", RefusalKind::Encrypted, "PGP"),
            (b"\xff\xfeM\0S\0", RefusalKind::Encoding, "UTF-16"),
            (&utf16, RefusalKind::Encoding, "UTF-16"),
            (b"\0M\0S\0H\0|", RefusalKind::Encoding, "UTF-16"),
            (b"\xd4\xe2\xc8\x4f", RefusalKind::Encoding, "EBCDIC"),
            (b"<?xml version='1.0'?><ClinicalDocument/>", RefusalKind::NotHl7, "XML"),
            (b"\xEF\xBB\xBF<a/>", RefusalKind::NotHl7, "XML"),
            (b"{\"resourceType\":\"Bundle\"}", RefusalKind::NotHl7, "JSON"),
            (b"[{}]", RefusalKind::NotHl7, "JSON"),
            (b"%PDF-1.7", RefusalKind::NotHl7, "PDF"),
            (b"last,first,dob\r\nDOE,JO,20200101\r\n", RefusalKind::NotHl7, "CSV"),
            (b"DOE       JO        20200101\r\n", RefusalKind::NotHl7, "no line begins with MSH"),
            (b"MSHA|^~\\&|", RefusalKind::NotHl7, "no line begins with MSH"),
        ];
        for (bytes, kind, word) in cases {
            let refusal = sniff(bytes).unwrap_err();
            assert_eq!(refusal.kind, kind, "{bytes:?}: {refusal}");
            assert!(refusal.reason.contains(word), "{refusal}");
        }
    }

    #[test]
    fn hl7_passes_with_all_that_may_precede_it() {
        for bytes in [
            &b"MSH|^~\\&|"[..],
            b"\xEF\xBB\xBFMSH|^~\\&|",
            b"  \r\n\x0bFHS|^~\\&",
            b"BHS#*",
            b"some exporter's banner\r\nMSH|^~\\&|",
            b"MSH",
        ] {
            assert_eq!(sniff(bytes), Ok(()), "{bytes:?}");
        }
    }

    #[test]
    fn a_long_run_of_blanks_is_left_to_the_envelope_pass() {
        assert_eq!(sniff(&[b' '; SNIFF_BYTES]), Ok(()));
    }

    #[test]
    fn the_reason_never_repeats_the_file() {
        let refusal = sniff(b"DOE,JO,20200101\r\n").unwrap_err();
        assert!(!refusal.reason.contains("DOE"));
    }
}
