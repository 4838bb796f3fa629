//! Rules about the order of segments, groups and whole messages.

use tidegate_hl7::{Class, Code, FINDINGS_MAX, Location, Profile, sample};

use crate::rules::one_dose;
use crate::support::{judge, judge_with, segments, through};

fn found(message: &[u8]) -> Vec<(u8, String, u16)> {
    let verdict = judge(message);
    verdict
        .findings()
        .iter()
        .filter(|finding| !finding.is_consequence())
        .map(|finding| (finding.rule(), finding.location().to_string(), finding.code()))
        .collect()
}

fn lines(message: &[u8]) -> Vec<String> {
    String::from_utf8(message.to_vec()).unwrap().split_terminator('\r').map(str::to_owned).collect()
}

fn message(lines: &[String]) -> Vec<u8> {
    lines.join("\r").into_bytes()
}

/// Moves the line that begins with `name` to another place.
fn moved(name: &str, to: usize) -> Vec<u8> {
    let mut all = lines(&one_dose());
    let from = all.iter().position(|line| line.starts_with(name)).unwrap();
    let line = all.remove(from);
    all.insert(to.min(all.len()), line);
    message(&all)
}

#[test]
fn rule_10_wants_one_patient_and_segments_in_order() {
    let no_patient = sample::without_segments(&one_dose(), &["PID"]);
    assert_eq!(found(&no_patient), [(10, "PID^1".to_owned(), 100)]);
    assert_eq!(judge(&no_patient).findings()[0].text(), "Segment PID (patient) is missing");
    let mut two = lines(&one_dose());
    two.insert(2, two[1].clone());
    assert_eq!(found(&message(&two)), [(10, "PID^2".to_owned(), 100)]);
    assert_eq!(found(&moved("PID", 99))[0], (10, "PID^1".to_owned(), 100));
    assert_eq!(found(&moved("PD1", 3)), [(10, "PD1^1".to_owned(), 100)], "PD1 after NK1");
    assert_eq!(found(&moved("NK1", 99)), [(10, "NK1^1".to_owned(), 100)], "NK1 after the orders");
    assert_eq!(found(&moved("RXR", 4))[0], (10, "RXR^1".to_owned(), 100), "RXR before ORC");
    assert_eq!(found(&moved("OBX", 5))[0], (10, "OBX^1".to_owned(), 100), "OBX before RXA");
}

#[test]
fn rule_10_wants_each_orc_with_its_rxa() {
    let no_order = sample::without_segments(&one_dose(), &["ORC"]);
    assert_eq!(found(&no_order), [(10, "RXA^1".to_owned(), 100)]);
    let no_dose = sample::without_segments(&one_dose(), &["RXA", "RXR", "OBX"]);
    assert_eq!(found(&no_dose), [(10, "ORC^1".to_owned(), 100)]);
    let mut twice = lines(&one_dose());
    let dose = twice.iter().find(|line| line.starts_with("RXA")).unwrap().clone();
    twice.push(dose);
    let places = found(&message(&twice));
    assert_eq!(places[0], (10, "RXA^2".to_owned(), 100), "a second dose needs its own order");
}

#[test]
fn unknown_optional_and_z_segments_pass_without_a_word() {
    let mut all = lines(&one_dose());
    all.insert(1, "SFT|Vendor|1|Product|1".to_owned());
    all.insert(3, "ZPD|anything".to_owned());
    all.push("NTE|1||a note".to_owned());
    all.push("ZZZ".to_owned());
    assert_eq!(found(&message(&all)), []);
}

#[test]
fn rule_24_takes_a_message_without_orders_and_says_so() {
    let verdict = judge(&sample::defective(1, sample::Defect::NoOrders));
    assert_eq!((verdict.code(), verdict.class(), verdict.deliver()), (Code::Accept, Class::Accepted, true));
    let finding = &verdict.findings()[0];
    assert_eq!((finding.rule(), finding.code(), finding.severity().code()), (24, 0, "I"));
}

#[test]
fn rule_25_finds_a_line_that_is_no_segment() {
    let verdict = judge(&sample::with_segment(&one_dose(), "NTE|1||first\rsecond line"));
    let finding = &verdict.findings()[0];
    assert_eq!((finding.rule(), finding.code(), finding.location().to_string().as_str()), (25, 100, ""));
    assert_eq!((verdict.class(), verdict.deliver()), (Class::Errored, false));
    assert!(finding.text().starts_with("Line 10 of the message is not"), "{}", finding.text());
}

#[test]
fn one_message_may_have_many_errors_and_the_rest_are_counted() {
    let mut broken = sample::with_field(&one_dose(), "PID", 1, 5, "");
    broken = sample::with_field(&broken, "RXA", 1, 3, "");
    assert_eq!(found(&broken).len(), 3);
    for _ in 0..60 {
        broken.extend_from_slice(b"no segment\r");
    }
    let verdict = judge(&broken);
    assert_eq!((verdict.findings().len(), verdict.more()), (FINDINGS_MAX, 15));
}

#[test]
fn a_copy_of_a_message_with_too_many_warnings_still_says_that_it_is_a_copy() {
    let preliminary = b"OBX|9|ST|30973-2^Dose number^LN|1|1||||||P\r".repeat(60);
    let doubtful = [&one_dose()[..], &preliminary].concat();
    let (examined, response) = through(&[&doubtful[..], &doubtful].concat());
    assert_eq!((examined.summary.counts.warned, examined.summary.counts.repeated), (2, 1));
    let errors = segments(&response, "ERR");
    assert_eq!(errors.len(), 2 * (FINDINGS_MAX + 1));
    assert!(errors[FINDINGS_MAX].ends_with("10 more problems of this message are not listed"), "{response}");
    assert!(errors[2 * FINDINGS_MAX].contains("was received before"), "{response}");
    assert!(
        errors[2 * FINDINGS_MAX + 1].ends_with("11 more problems of this message are not listed"),
        "{response}"
    );
}

#[test]
fn an_error_in_a_group_holds_the_message_unless_set_otherwise() {
    let two_doses = (0..100)
        .map(sample::message)
        .find(|one| one.windows(5).filter(|part| part == b"\rORC|").count() == 2);
    let one_bad = sample::with_field(&two_doses.unwrap(), "RXA", 2, 5, "");
    assert!(!judge(&one_bad).deliver());
    let forwarding = Profile { forward_on_group_error: true, ..Profile::default() };
    let verdict = judge_with(&one_bad, &forwarding);
    assert_eq!((verdict.code(), verdict.class(), verdict.deliver()), (Code::Error, Class::Errored, true));
    assert_eq!(verdict.findings()[0].location().to_string(), "RXA^2^5^1^1");
    let both_bad = sample::with_field(&one_bad, "RXA", 1, 5, "");
    assert!(!judge_with(&both_bad, &forwarding).deliver(), "no group is left (CDC guide, table 3-1)");
    let patient_bad = sample::with_field(&one_bad, "PID", 1, 5, "");
    assert!(!judge_with(&patient_bad, &forwarding).deliver());
}

#[test]
fn a_rejected_kind_of_message_is_not_looked_into() {
    let mut message = sample::defective(1, sample::Defect::WrongType);
    message = sample::with_field(&message, "PID", 1, 5, "");
    assert_eq!(found(&message), [(2, "MSH^1^9^1^1".to_owned(), 200)]);
}

#[test]
fn custom_separators_are_read_as_declared() {
    let swap = |byte: u8| match byte {
        b'|' => b'#',
        b'^' => b'*',
        b'~' => b'!',
        b'\\' => b'$',
        b'&' => b'%',
        other => other,
    };
    let message: Vec<u8> = one_dose().into_iter().map(swap).collect();
    assert_eq!(found(&message), []);
}

#[test]
fn a_location_has_at_most_18_characters() {
    for occurrence in [1, 99, 9_999, 10_000, u32::MAX] {
        let location = Location { segment: *b"OBX", occurrence, field: 21, component: 10 };
        let text = location.to_string();
        assert!(text.len() <= 18 && text.starts_with(&format!("OBX^{occurrence}^21")), "{text}");
    }
}
