//! Character sets: declared, by the organization's default, and wrong. The bytes go on as they came.

use tidegate_hl7::{Charset, Profile, forward, sample};

use crate::rules::one_dose;
use crate::support::judge_with;

/// A message whose patient has this name, and MSH-18 says this.
fn message(declared: &str, name: &[u8]) -> Vec<u8> {
    let message = sample::with_field(&one_dose(), "PID", 1, 5, "HERE^CHILD^^^^^L");
    let mut message = sample::with_field(&message, "MSH", 1, 18, declared);
    let at = message.windows(4).position(|part| part == b"HERE").unwrap();
    message.splice(at..at + 4, name.iter().copied());
    message
}

const LATIN: &[u8] = b"P\xe9REZ";
const UTF8: &[u8] = "P\u{e9}REZ".as_bytes();
const WINDOWS: &[u8] = b"P\x8aREZ";

fn found(message: &[u8], default_charset: Charset) -> Vec<(u8, String, u16)> {
    let verdict = judge_with(message, &Profile { default_charset, ..Profile::default() });
    assert!(verdict.deliver(), "a warning at most");
    verdict.findings().iter().map(|one| (one.rule(), one.location().to_string(), one.code())).collect()
}

#[test]
fn what_msh_18_names_has_to_cover_the_message() {
    for (declared, covered) in [
        ("ASCII", [false, false, false]),
        ("UNICODE UTF-8", [false, true, false]),
        ("8859/1", [true, true, false]),
        ("8859/15", [true, true, false]),
        ("windows-1252", [true, true, true]),
        ("UNICODE UTF-8~8859/1", [false, true, false]),
    ] {
        for (name, covered) in [LATIN, UTF8, WINDOWS].into_iter().zip(covered) {
            let expected = if covered { vec![] } else { vec![(9, "MSH^1^18".to_owned(), 102)] };
            // The default is for those who name none.
            assert_eq!(found(&message(declared, name), Charset::KsX1001), expected, "{declared}: {name:?}");
        }
    }
}

#[test]
fn where_msh_18_is_empty_the_organizations_default_holds() {
    for (default, covered) in [
        (Charset::Utf8, [false, true, false]),
        (Charset::Ascii, [false, false, false]),
        (Charset::Iso8859(1), [true, true, false]),
        (Charset::Windows1252, [true, true, true]),
    ] {
        for (name, covered) in [LATIN, UTF8, WINDOWS].into_iter().zip(covered) {
            for declared in ["", "\"\""] {
                let found = found(&message(declared, name), default);
                assert_eq!(found.is_empty(), covered, "{default:?}: {name:?}");
            }
        }
    }
    assert_eq!(found(&message("", LATIN), Profile::default().default_charset).len(), 1, "UTF-8 unless set");
}

#[test]
fn bytes_are_forwarded_as_they_came_in_any_character_set() {
    for name in [LATIN, UTF8, WINDOWS, b"\xc3\x28\xff"] {
        let message = message("8859/1", name);
        let mut out = Vec::new();
        let text: Vec<u8> =
            message.iter().flat_map(|b| if *b == b'\r' { vec![b'\r', b'\n'] } else { vec![*b] }).collect();
        forward(&text, &mut out);
        assert_eq!(out, message);
    }
}
