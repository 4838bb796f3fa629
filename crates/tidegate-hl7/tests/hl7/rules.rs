//! Each door rule with a message that keeps it and messages that break it.

use std::sync::Arc;

use tidegate_hl7::{Class, Code, Profile, Tables, Warnings, sample};

use crate::support::{judge, judge_with};

/// Segment, occurrence, field, value.
pub(crate) type Edit = (&'static str, usize, usize, &'static str);

/// Rule, what is broken, edits of a good message, and what is found: ERR-2, ERR-3,
/// ERR-5 (0 for none), ERR-4.
pub(crate) type Row = (u8, &'static str, &'static [Edit], &'static str, u16, u8, &'static str);

pub(crate) const BROKEN: &[Row] = &[
    (1, "too few separators", &[("MSH", 1, 2, "^~\\")], "MSH^1^2", 207, 0, "E"),
    (1, "too many", &[("MSH", 1, 2, "^~\\&#!")], "MSH^1^2", 207, 0, "E"),
    (1, "one twice", &[("MSH", 1, 2, "^~\\^")], "MSH^1^2", 207, 0, "E"),
    (1, "a letter", &[("MSH", 1, 2, "^~\\x")], "MSH^1^2", 207, 0, "E"),
    (2, "another message", &[("MSH", 1, 9, "ADT^A08^ADT_A01")], "MSH^1^9^1^1", 200, 0, "E"),
    (2, "a query", &[("MSH", 1, 9, "QBP^Q11^QBP_Q11")], "MSH^1^9^1^1", 200, 0, "E"),
    (2, "no type", &[("MSH", 1, 9, "")], "MSH^1^9^1^1", 200, 0, "E"),
    (3, "another event", &[("MSH", 1, 9, "VXU^V03^VXU_V04")], "MSH^1^9^1^2", 201, 0, "E"),
    (3, "no event", &[("MSH", 1, 9, "VXU^^VXU_V04")], "MSH^1^9^1^2", 201, 0, "E"),
    (4, "no processing id", &[("MSH", 1, 11, "")], "MSH^1^11^1^1", 202, 0, "E"),
    (4, "a test message", &[("MSH", 1, 11, "T")], "MSH^1^11^1^1", 202, 0, "E"),
    (5, "another version", &[("MSH", 1, 12, "2.3.1")], "MSH^1^12^1^1", 203, 0, "E"),
    (5, "no version", &[("MSH", 1, 12, "")], "MSH^1^12^1^1", 203, 0, "E"),
    (6, "no control id", &[("MSH", 1, 10, "")], "MSH^1^10", 101, 7, "E"),
    (6, "a control id of 200", &[("MSH", 1, 10, LONG_ID)], "MSH^1^10", 102, 4, "E"),
    (7, "no time", &[("MSH", 1, 7, "")], "MSH^1^7", 101, 7, "E"),
    (7, "a date only", &[("MSH", 1, 7, "20260315")], "MSH^1^7", 102, 2, "E"),
    (7, "hours only", &[("MSH", 1, 7, "2026031510")], "MSH^1^7", 102, 2, "E"),
    (7, "no real time", &[("MSH", 1, 7, "20260315256000")], "MSH^1^7", 102, 2, "E"),
    (8, "no structure", &[("MSH", 1, 9, "VXU^V04")], "MSH^1^9^1^3", 101, 7, "W"),
    (8, "another structure", &[("MSH", 1, 9, "VXU^V04^VXU_V03")], "MSH^1^9^1^3", 103, 5, "W"),
    (8, "no accept type", &[("MSH", 1, 15, "")], "MSH^1^15", 101, 7, "W"),
    (8, "no application type", &[("MSH", 1, 16, "")], "MSH^1^16", 101, 7, "W"),
    (8, "no profile", &[("MSH", 1, 21, "")], "MSH^1^21", 101, 7, "W"),
    (8, "another profile", &[("MSH", 1, 21, "Z32^CDCPHINVS")], "MSH^1^21", 103, 5, "W"),
    (
        9,
        "bytes that are not ASCII",
        &[("MSH", 1, 18, "ASCII"), ("PID", 1, 5, "T\u{e9}ST^JO")],
        "MSH^1^18",
        102,
        4,
        "W",
    ),
    (9, "UTF-16", &[("MSH", 1, 18, "UNICODE UTF-16")], "MSH^1^18", 103, 5, "E"),
    (11, "no id", &[("PID", 1, 3, "^^^SYNTHETIC^MR")], "PID^1^3^1^1", 101, 7, "E"),
    (12, "no authority", &[("PID", 1, 3, "1^^^^MR")], "PID^1^3^1^4", 101, 7, "W"),
    (12, "no id type", &[("PID", 1, 3, "1^^^SYNTHETIC")], "PID^1^3^1^5", 101, 7, "W"),
    (13, "no last name", &[("PID", 1, 5, "^JO^^^^^L")], "PID^1^5^1^1", 101, 7, "E"),
    (13, "a deleted last name", &[("PID", 1, 5, "\"\"^JO^^^^^L")], "PID^1^5^1^1", 101, 7, "E"),
    (13, "no first name", &[("PID", 1, 5, "TEST^^^^^^L")], "PID^1^5^1^2", 101, 7, "E"),
    (14, "no birth date", &[("PID", 1, 7, "")], "PID^1^7", 101, 7, "E"),
    (14, "no real date", &[("PID", 1, 7, "20150230")], "PID^1^7", 102, 2, "E"),
    (14, "not to the day", &[("PID", 1, 7, "201502")], "PID^1^7", 102, 2, "E"),
    (14, "born tomorrow", &[("PID", 1, 7, "20260317")], "PID^1^7", 102, 1, "E"),
    (15, "no sex", &[("PID", 1, 8, "")], "PID^1^8", 101, 7, "W"),
    (15, "an unknown sex", &[("PID", 1, 8, "Q")], "PID^1^8", 103, 5, "W"),
    (16, "no order control", &[("ORC", 1, 1, "")], "ORC^1^1", 101, 7, "W"),
    (16, "another order control", &[("ORC", 1, 1, "NW")], "ORC^1^1", 103, 5, "W"),
    (16, "no order number", &[("ORC", 1, 3, "")], "ORC^1^3", 101, 7, "E"),
    (16, "an order number without id", &[("ORC", 1, 3, "^SYNTHETIC")], "ORC^1^3", 101, 7, "E"),
    (17, "no date", &[("RXA", 1, 3, "")], "RXA^1^3", 101, 7, "E"),
    (17, "no real date", &[("RXA", 1, 3, "20261301")], "RXA^1^3", 102, 2, "E"),
    (17, "given tomorrow", &[("RXA", 1, 3, "20260317")], "RXA^1^3", 102, 1, "E"),
    (17, "given before birth", &[("RXA", 1, 3, "20010101")], "RXA^1^3", 102, 1, "E"),
    (17, "ended on another day", &[("RXA", 1, 4, "20260314")], "RXA^1^4", 102, 1, "W"),
    (18, "no vaccine", &[("RXA", 1, 5, "^Hep B^CVX")], "RXA^1^5^1^1", 101, 7, "E"),
    (18, "no coding system", &[("RXA", 1, 5, "08^Hep B")], "RXA^1^5^1^3", 101, 7, "E"),
    (18, "another coding system", &[("RXA", 1, 5, "90744^Hep B^C4")], "RXA^1^5^1^3", 103, 5, "E"),
    (19, "an unknown vaccine", &[("RXA", 1, 5, "777^Unheard of^CVX")], "RXA^1^5^1^1", 103, 5, "W"),
    (19, "by the table's number", &[("RXA", 1, 5, "8^Hep B^HL70292")], "RXA^1^5^1^1", 103, 5, "W"),
    (20, "no amount", &[("RXA", 1, 6, "")], "RXA^1^6", 101, 7, "W"),
    (20, "no RXA-1", &[("RXA", 1, 1, "")], "RXA^1^1", 101, 7, "W"),
    (20, "no RXA-2", &[("RXA", 1, 2, "")], "RXA^1^2", 101, 7, "W"),
    (20, "RXA-1 not 0", &[("RXA", 1, 1, "1")], "RXA^1^1", 103, 5, "W"),
    (20, "RXA-2 not 1", &[("RXA", 1, 2, "2")], "RXA^1^2", 103, 5, "W"),
    (21, "an unknown status", &[("RXA", 1, 20, "XX")], "RXA^1^20", 103, 5, "W"),
    (21, "refused but complete", &[("RXA", 1, 18, "00^Parental decision^NIP002")], "RXA^1^20", 103, 3, "W"),
    (21, "nothing given but complete", &[("RXA", 1, 5, "998^None^CVX")], "RXA^1^20", 103, 3, "W"),
    (21, "an unknown action", &[("RXA", 1, 21, "X")], "RXA^1^21", 103, 5, "W"),
    (22, "no source", &[("RXA", 1, 9, "")], "RXA^1^9^1^1", 101, 7, "W"),
    (22, "an unknown source", &[("RXA", 1, 9, "77^x^NIP001")], "RXA^1^9^1^1", 103, 5, "W"),
    (22, "no lot", &[("RXA", 1, 15, "")], "RXA^1^15", 101, 7, "W"),
    (22, "no expiry", &[("RXA", 1, 16, "")], "RXA^1^16", 101, 7, "W"),
    (22, "no manufacturer", &[("RXA", 1, 17, "")], "RXA^1^17", 101, 7, "W"),
    (22, "no route", &[("RXR", 1, 1, "")], "RXR^1^1", 101, 7, "W"),
    (22, "no eligibility", &[("OBX", 1, 3, "29768-9^VIS^LN")], "RXA^1", 101, 6, "W"),
    (23, "no value type", &[("OBX", 1, 2, "")], "OBX^1^2", 101, 7, "W"),
    (23, "an unknown value type", &[("OBX", 1, 2, "XX")], "OBX^1^2", 103, 5, "W"),
    (
        23,
        "no code",
        &[("OBX", 1, 3, "^Eligibility^LN"), ("RXA", 1, 9, "01^Old^NIP001")],
        "OBX^1^3^1^1",
        101,
        7,
        "W",
    ),
    (23, "no status", &[("OBX", 1, 11, "")], "OBX^1^11", 101, 7, "W"),
    (23, "no value", &[("OBX", 1, 5, "")], "OBX^1^5", 101, 7, "W"),
    (23, "not final", &[("OBX", 1, 11, "P")], "OBX^1^11", 103, 5, "W"),
    (27, "a control byte", &[("PID", 1, 5, "TE\u{1}ST^CHILD^^^^^L")], "PID^1^5", 102, 4, "E"),
    (27, "NUL in the header", &[("MSH", 1, 4, "A\0B")], "MSH^1^4", 102, 4, "E"),
    (28, "a nameless next of kin", &[("NK1", 1, 2, "")], "NK1^1^2^1^1", 101, 7, "W"),
    (28, "no relationship", &[("NK1", 1, 3, "")], "NK1^1^3^1^1", 101, 7, "W"),
    (29, "an unknown maker", &[("RXA", 1, 17, "ZZZ^Unheard of^MVX")], "RXA^1^17^1^1", 103, 5, "I"),
];

const LONG_ID: &str = concat!(
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
);

/// What keeps a rule although it looks unusual.
pub(crate) const KEPT: &[(u8, &str, &[Edit])] = &[
    (1, "a truncation mark of 2.7", &[("MSH", 1, 2, "^~\\&#")]),
    (2, "type and event only matter", &[("MSH", 1, 9, "VXU^V04^VXU_V04^x")]),
    (3, "more components", &[("MSH", 1, 9, "VXU^V04^VXU_V04^")]),
    (4, "with a mode", &[("MSH", 1, 11, "P^T")]),
    (5, "with a country", &[("MSH", 1, 12, "2.5.1^USA")]),
    (6, "a control id of 199", &[("MSH", 1, 10, LONG_ID.split_at(1).1)]),
    (7, "minutes without zone", &[("MSH", 1, 7, "202603151030")]),
    (8, "several profiles", &[("MSH", 1, 21, "X^Y~Z22^CDCPHINVS")]),
    (9, "UTF-8", &[("MSH", 1, 18, "UNICODE UTF-8")]),
    (9, "Latin-1", &[("MSH", 1, 18, "8859/1")]),
    (11, "several ids", &[("PID", 1, 3, "1^^^SYNTHETIC^MR~2^^^OTHER^SS")]),
    (10, "no next of kin", &[("NK1", 1, 1, "")]),
    (12, "an authority by its OID", &[("PID", 1, 3, "1^^^&2.16.840.1.113883.19&ISO^MR")]),
    (13, "signs in a name", &[("PID", 1, 5, "O'TEST-\u{e9}^A.^^^^^L")]),
    (14, "born today", &[("PID", 1, 7, "20260316"), ("RXA", 1, 3, "20260316")]),
    (14, "a birth time", &[("PID", 1, 7, "201503151030-0500")]),
    (15, "not specified", &[("PID", 1, 8, "X")]),
    (16, "an order number only", &[("ORC", 1, 3, "1")]),
    (17, "given today at a time", &[("RXA", 1, 3, "202603160800-0500")]),
    (17, "ended on the same day", &[("RXA", 1, 4, "202603151030")]),
    (18, "an NDC", &[("RXA", 1, 5, "58160-0820-11^Engerix-B^NDC")]),
    (19, "a vaccine of 2021", &[("RXA", 1, 5, "208^COVID-19^CVX")]),
    (19, "no CVX", &[("RXA", 1, 5, "777^Unheard of^NDC")]),
    (20, "an unknown amount", &[("RXA", 1, 6, "999")]),
    (21, "a refusal", &[("RXA", 1, 18, "00^Parental decision^NIP002"), ("RXA", 1, 20, "RE")]),
    (21, "nothing given", &[("RXA", 1, 5, "998^None^CVX"), ("RXA", 1, 20, "NA")]),
    (21, "no status", &[("RXA", 1, 20, ""), ("RXA", 1, 21, "")]),
    (
        22,
        "an old dose without lot",
        &[("RXA", 1, 9, "01^Historical^NIP001"), ("RXA", 1, 15, ""), ("RXA", 1, 17, "")],
    ),
    (23, "a date", &[("OBX", 1, 2, "DT"), ("OBX", 1, 5, "20260315")]),
    (24, "orders", &[]),
    (25, "a blank in the first field", &[("PD1", 1, 1, " ")]),
    (26, "an id used once", &[("MSH", 1, 10, "SAMPLE-ONCE")]),
    (28, "a relationship without text", &[("NK1", 1, 3, "MTH^^HL70063")]),
    (29, "a maker of the guide", &[("RXA", 1, 17, "PMC^sanofi^MVX")]),
    (29, "no MVX", &[("RXA", 1, 17, "ZZZ^Unheard of^L")]),
    (30, "a long field", &[("NK1", 1, 4, LONG_ID)]),
    (27, "a tab", &[("PID", 1, 5, "TEST\tER^CHILD^^^^^L")]),
];

pub(crate) fn edited(edits: &[Edit]) -> Vec<u8> {
    edits.iter().fold(one_dose(), |message, (segment, occurrence, field, value)| {
        sample::with_field(&message, segment, *occurrence, *field, value)
    })
}

/// A good message with a single ORDER group.
pub(crate) fn one_dose() -> Vec<u8> {
    let is_one_dose = |message: &Vec<u8>| message.windows(5).filter(|part| part == b"\rORC|").count() == 1;
    (0..100).map(sample::message).find(is_one_dose).unwrap()
}

#[test]
fn a_good_message_keeps_all_rules() {
    for seed in 0..200 {
        let verdict = judge(&sample::message(seed));
        assert_eq!((verdict.code(), verdict.findings()), (Code::Accept, &[][..]), "seed {seed}");
        assert!(verdict.deliver());
    }
}

#[test]
fn each_rule_finds_what_breaks_it() {
    for (rule, what, edits, location, code, application, severity) in BROKEN {
        let verdict = judge(&edited(edits));
        let found: Vec<_> = verdict
            .findings()
            .iter()
            .filter(|finding| !finding.is_consequence())
            .map(|finding| {
                let place = finding.location().to_string();
                (
                    finding.rule(),
                    place,
                    finding.code(),
                    finding.application_code().unwrap_or(0),
                    finding.severity().code(),
                )
            })
            .collect();
        let expected = (*rule, (*location).to_owned(), *code, *application, *severity);
        assert_eq!(found, [expected], "rule {rule}, {what}");
    }
}

#[test]
fn severity_and_code_decide_what_becomes_of_it() {
    for (rule, what, edits, _, code, _, severity) in BROKEN {
        let verdict = judge(&edited(edits));
        let expected = match (code / 100, *severity) {
            (2, _) => (Code::Reject, Class::Rejected, false),
            (_, "E") => (Code::Error, Class::Errored, false),
            (_, "I") => (Code::Accept, Class::Accepted, true),
            _ => (Code::Error, Class::Warned, true),
        };
        assert_eq!((verdict.code(), verdict.class(), verdict.deliver()), expected, "rule {rule}, {what}");
    }
}

#[test]
fn what_is_merely_unusual_keeps_the_rules() {
    for (rule, what, edits) in KEPT {
        let verdict = judge(&edited(edits));
        assert_eq!(verdict.findings(), [], "rule {rule}, {what}");
    }
}

#[test]
fn text_for_people_names_the_field_and_not_its_value() {
    for (rule, what, edits, _, _, _, _) in BROKEN {
        for finding in judge(&edited(edits)).findings() {
            let text = finding.text();
            assert!(text.len() <= 250 && text.is_ascii(), "rule {rule}, {what}: {text}");
            let place = finding.location();
            let name = format!("{}-{}", std::str::from_utf8(&place.segment).unwrap(), place.field);
            assert!(place.field == 0 || text.contains(&name), "rule {rule}, {what}: {text}");
            for (_, _, _, value) in *edits {
                assert!(value.len() < 3 || !text.contains(value), "rule {rule}, {what}: {text}");
            }
        }
    }
}

#[test]
fn what_an_organization_may_send_is_set_by_its_profile() {
    let profile = Profile {
        versions: vec!["2.5.1".to_owned(), "2.3.1".to_owned()],
        processing_ids: vec!["T".to_owned()],
        ..Profile::default()
    };
    let message =
        edited(&[("MSH", 1, 12, "2.3.1"), ("MSH", 1, 11, "T"), ("MSH", 1, 21, ""), ("MSH", 1, 9, "VXU^V04")]);
    assert_eq!(judge_with(&message, &profile).findings(), [], "Z22's profile is asked of version 2.5.1 only");
    assert_eq!(judge_with(&one_dose(), &profile).code(), Code::Reject);
}

#[test]
fn tables_are_data() {
    let mut tables = Tables::default();
    tables.replace("cvx", "date 2026-03-01\n08 777").unwrap();
    let ours = Profile { tables: Arc::new(tables), ..Profile::default() };
    let unknown = edited(&[("RXA", 1, 5, "777^Unheard of^CVX")]);
    assert_eq!(judge_with(&unknown, &ours).findings(), []);
    let verdict = judge_with(&edited(&[("RXA", 1, 5, "20^DTaP^CVX")]), &ours);
    assert_eq!((verdict.findings()[0].rule(), verdict.class()), (19, Class::Warned));
}

#[test]
fn warnings_do_what_the_organization_has_set() {
    let message = edited(&[("PID", 1, 8, "")]);
    assert_eq!(judge(&message).code(), Code::Error);
    let with = |warnings| judge_with(&message, &Profile { warnings, ..Profile::default() });
    let verdict = with(Warnings::Accept);
    assert_eq!((verdict.code(), verdict.class(), verdict.deliver()), (Code::Accept, Class::Warned, true));
    let verdict = with(Warnings::Off);
    assert_eq!((verdict.code(), verdict.findings()), (Code::Accept, &[][..]));
    let broken = edited(&[("PID", 1, 8, ""), ("PID", 1, 5, "")]);
    let verdict = judge_with(&broken, &Profile { warnings: Warnings::Off, ..Profile::default() });
    assert_eq!((verdict.code(), verdict.findings().len()), (Code::Error, 3), "errors are told all the same");
}
