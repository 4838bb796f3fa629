//! What is passed on to the registry.
//!
//! Invariant: the bytes as received; only segment terminators change, each to one CR (HL7 2.5.1, section 2.5.4), and
//! blank lines go. Nothing is unescaped, decoded or repaired: every parser tried damages a lone backslash.

use crate::view::lines;

/// Appends a message to `out`, each segment ended by CR.
pub fn forward(message: &[u8], out: &mut Vec<u8>) {
    out.reserve(message.len() + 1);
    for (_, line) in lines(message) {
        out.extend_from_slice(line);
        out.push(b'\r');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_segment_terminators_change() {
        for message in [
            &b"MSH|a\\b \\F\\|\xe9\0x\rPID| 1 "[..],
            b"MSH|a\\b \\F\\|\xe9\0x\r\nPID| 1 \r\n",
            b"MSH|a\\b \\F\\|\xe9\0x\n\n \r\nPID| 1 \n",
        ] {
            let mut out = Vec::new();
            forward(message, &mut out);
            assert_eq!(out, b"MSH|a\\b \\F\\|\xe9\0x\rPID| 1 \r");
        }
    }
}
