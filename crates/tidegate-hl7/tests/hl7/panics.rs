//! Whatever comes, nothing panics and the response stays a response.

use std::io::Cursor;

use proptest::prelude::*;
use tidegate_hl7::{Profile, examine, forward, sample, sniff};

use crate::support::{judge, reply};

/// A good file with pieces overwritten, cut out or put in.
fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..6),
        Just(b"\rMSH|^~\\&".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"||".to_vec()),
        Just(b"\rBTS|".to_vec()),
        Just(b"\rRXA|".to_vec()),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), 0_usize..20, piece), 0..6).prop_map(|edits| {
        let mut file = sample::file("F", &[sample::message(1), sample::message(2)]);
        for (at, cut, piece) in edits {
            let at = at.index(file.len());
            file.splice(at..(at + cut).min(file.len()), piece);
        }
        file
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_as_a_file(file in prop::collection::vec(any::<u8>(), 0..400)) {
        examine(&mut Cursor::new(file), &Profile::default(), &reply(), Vec::new()).unwrap();
    }

    #[test]
    fn arbitrary_bytes_as_a_message(tail in prop::collection::vec(any::<u8>(), 0..400), named: bool) {
        let message = if named { [b"MSH|^~\\&|", &tail[..]].concat() } else { tail };
        let verdict = judge(&message);
        for finding in verdict.findings() {
            prop_assert!(finding.text().len() <= 250 && finding.location().to_string().len() <= 18);
        }
        forward(&message, &mut Vec::new());
        let _ = sniff(&message);
    }

    #[test]
    fn a_mangled_file_gets_a_well_formed_response(file in mangled()) {
        let mut response = Vec::new();
        let examined = examine(&mut Cursor::new(file), &Profile::default(), &reply(), &mut response).unwrap();
        let segments: Vec<_> = response.split(|byte| *byte == b'\r').collect();
        prop_assert_eq!(segments.last(), Some(&&b""[..]), "the last segment is ended");
        for segment in &segments[..segments.len() - 1] {
            let known = [&b"FHS|"[..], b"BHS|", b"MSH|", b"MSA|", b"ERR|", b"BTS|", b"FTS|"];
            prop_assert!(known.iter().any(|name| segment.starts_with(name)), "{:?}", segment);
            prop_assert!(!segment.contains(&b'\n') && !segment.contains(&0));
        }
        let acks = segments.iter().filter(|segment| segment.starts_with(b"MSA|")).count() as u64;
        let expected = if examined.summary.refusal.is_some() { 1 } else { examined.summary.counts.total() };
        prop_assert_eq!(acks, expected);
    }
}
