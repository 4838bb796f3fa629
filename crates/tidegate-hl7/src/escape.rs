//! Writing text and other people's fields into our own segments.
//!
//! Invariant: whatever goes in, what comes out can't end a field or a segment of ours (HL7 2.5.1, section 2.7). Fields
//! are translated to our separators, not interpreted.

use crate::delimiters::Delimiters;

/// Longest field of a sender's that is echoed, in bytes; longer ones are left out.
pub(crate) const ECHO_BYTES_MAX: usize = 512;

/// Appends text, with separators escaped and control characters as blanks.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match escaped(byte) {
            Some(sequence) => out.extend_from_slice(sequence),
            None if byte.is_ascii_control() => out.push(b' '),
            None => out.push(byte),
        }
    }
}

/// Appends a field as it was received, structure included, in our separators.
pub(crate) fn field(out: &mut Vec<u8>, field: &[u8], from: Delimiters) {
    if field.len() > ECHO_BYTES_MAX {
        return;
    }
    if from == Delimiters::STANDARD && !field.iter().any(|byte| byte.is_ascii_control() || *byte == b'|') {
        out.extend_from_slice(field);
        return;
    }
    for byte in field {
        translated(out, *byte, from);
    }
}

fn translated(out: &mut Vec<u8>, byte: u8, from: Delimiters) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let to = Delimiters::STANDARD;
    match byte {
        _ if byte == from.component => out.push(to.component),
        _ if byte == from.repetition => out.push(to.repetition),
        _ if byte == from.escape => out.push(to.escape),
        _ if byte == from.subcomponent => out.push(to.subcomponent),
        _ if byte.is_ascii_control() => {
            let hex = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'\\', b'X', hex(byte >> 4), hex(byte & 15), b'\\']);
        }
        _ => match escaped(byte) {
            Some(sequence) => out.extend_from_slice(sequence),
            None => out.push(byte),
        },
    }
}

fn escaped(byte: u8) -> Option<&'static [u8]> {
    Some(match byte {
        b'|' => b"\\F\\",
        b'^' => b"\\S\\",
        b'~' => b"\\R\\",
        b'\\' => b"\\E\\",
        b'&' => b"\\T\\",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_not_end_a_field() {
        let mut out = Vec::new();
        text(&mut out, "a|b^c~d\\e&f\rg\u{e9}");
        assert_eq!(out, "a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f g\u{e9}".as_bytes());
    }

    #[test]
    fn standard_fields_are_echoed_as_received() {
        let mut out = Vec::new();
        field(&mut out, b"A^B&C~D\\F\\E\xe9", Delimiters::STANDARD);
        assert_eq!(out, b"A^B&C~D\\F\\E\xe9");
    }

    #[test]
    fn custom_separators_become_ours_and_ours_are_escaped() {
        let mut out = Vec::new();
        field(&mut out, b"A*B%C!D$F$|^\0", Delimiters::of(b"MSH#*!$%#").unwrap());
        assert_eq!(out, b"A^B&C~D\\F\\\\F\\\\S\\\\X00\\");
    }

    #[test]
    fn a_field_out_of_all_proportion_is_left_out() {
        let mut out = Vec::new();
        field(&mut out, &[b'x'; ECHO_BYTES_MAX + 1], Delimiters::STANDARD);
        assert!(out.is_empty());
    }
}
