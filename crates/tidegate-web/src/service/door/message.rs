//! What is known of a message before anybody reads it.

use sha2::{Digest as _, Sha256};
use tidegate_domain::{NameError, UploadName};

/// Whether there is more than one message, or a batch around it.
pub(super) fn is_several(message: &[u8]) -> bool {
    let segments = message.split(|byte| matches!(byte, b'\r' | b'\n')).map(<[u8]>::trim_ascii_start);
    let is = |segment: &[u8], name: &[u8]| {
        segment
            .strip_prefix(name)
            .is_some_and(|rest| rest.first().is_some_and(|byte| !byte.is_ascii_alphanumeric()))
    };
    segments.filter(|segment| [&b"MSH"[..], b"FHS", b"BHS"].iter().any(|name| is(segment, name))).count() > 1
}

/// The name of a message's job: the same for the same bytes, and nothing of what is in them.
pub(super) fn name_of(message: &[u8]) -> Result<UploadName, NameError> {
    use std::fmt::Write as _;
    let digest = Sha256::digest(message);
    let mut name = "message-".to_owned();
    for byte in digest.iter().take(8) {
        // Writing to a string can't fail.
        let _ = write!(name, "{byte:02x}");
    }
    UploadName::new(format!("{name}.hl7"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_is_one_header_without_a_batch_around_it() {
        for one in [&b"MSH|a\rPID|MSH|\rMSHX|"[..], b"\x0bMSH|a", b"no HL7", b"", b" MSH|a\nPID|1"] {
            assert!(!is_several(one), "{one:?}");
        }
        for several in
            [&b"MSH|a\rMSH|b"[..], b"MSH|a\n MSH|b", b"FHS|\rMSH|a", b"BHS|\rMSH|a\rBTS|1", b"MSH|\rBHS|"]
        {
            assert!(is_several(several), "{several:?}");
        }
    }

    #[test]
    fn a_name_says_which_bytes_and_nothing_of_them() {
        let name = |bytes: &[u8]| name_of(bytes).unwrap().to_text();
        assert_eq!(name(b"MSH|TESTPATIENT"), name(b"MSH|TESTPATIENT"));
        assert_ne!(name(b"a"), name(b"b"));
        assert_eq!(name(b"a").len(), "message-0123456789abcdef.hl7".len());
    }
}
