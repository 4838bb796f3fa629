//! What follows from an error: CDC guide 1.5, table 3-1 (field, segment, order group, message).

use tidegate_hl7::{Class, Code, Profile, Verdict, sample};

use crate::rules::one_dose;
use crate::support::{judge, judge_with, segments, through};

/// ERR-2, ERR-3 and severity of everything found, in order.
fn errors(verdict: &Verdict) -> Vec<String> {
    let told = verdict.findings().iter();
    told.map(|one| format!("{} {} {}", one.location(), one.code(), one.severity().code())).collect()
}

fn two_doses() -> Vec<u8> {
    let is_two = |one: &Vec<u8>| one.windows(5).filter(|part| part == b"\rORC|").count() == 2;
    (0..100).map(sample::message).find(is_two).unwrap()
}

#[test]
fn a_required_field_takes_its_segment_and_that_the_message_with_it() {
    let verdict = judge(&sample::with_field(&one_dose(), "PID", 1, 7, "29991231"));
    assert_eq!(errors(&verdict), ["PID^1^7 102 E", "PID^1 100 E"]);
    assert_eq!(
        verdict.findings()[1].text(),
        "Segment PID (patient) counts as missing because a required field is wrong, so the message was not accepted"
    );
    let verdict = judge(&sample::with_field(&one_dose(), "MSH", 1, 7, "2026"));
    assert_eq!(errors(&verdict), ["MSH^1^7 102 E", "MSH^1 100 E"]);
}

#[test]
fn several_errors_of_a_segment_have_one_consequence() {
    let nameless = sample::with_field(&one_dose(), "PID", 1, 5, "");
    let verdict = judge(&sample::with_field(&nameless, "PID", 1, 7, ""));
    assert_eq!(errors(&verdict), ["PID^1^5^1^1 101 E", "PID^1^5^1^2 101 E", "PID^1^7 101 E", "PID^1 100 E"]);
}

#[test]
fn a_group_without_its_rxa_counts_as_missing_and_the_only_one_takes_the_message_with_it() {
    let verdict = judge(&sample::with_field(&one_dose(), "RXA", 1, 3, ""));
    assert_eq!(errors(&verdict), ["RXA^1^3 101 E", "RXA^1 100 E", " 100 E"]);
    assert_eq!((verdict.code(), verdict.class(), verdict.deliver()), (Code::Error, Class::Errored, false));
    let last = verdict.findings()[2].text();
    assert_eq!(last, "Message has no order group left that counts, and was not accepted");
}

#[test]
fn groups_in_order_are_held_back_with_one_that_is_not_and_the_sender_is_told() {
    let one_bad = sample::with_field(&two_doses(), "ORC", 2, 3, "");
    let verdict = judge(&one_bad);
    assert_eq!(errors(&verdict), ["ORC^2^3 101 E", "ORC^2 100 E", " 100 E"]);
    let last = verdict.findings()[2].text();
    assert_eq!(last, "Message was held back as a whole because of its order groups with errors");
    let forwarding = Profile { forward_on_group_error: true, ..Profile::default() };
    let verdict = judge_with(&one_bad, &forwarding);
    assert_eq!(errors(&verdict), ["ORC^2^3 101 E", "ORC^2 100 E"], "it is passed on");
    assert!(verdict.deliver());
    let (examined, _) = through(&one_bad);
    assert!(examined.report.contains("held back as a whole"), "{}", examined.report);
}

#[test]
fn warnings_unknown_segments_and_rejections_have_no_consequence() {
    for (message, expected) in [
        (sample::with_field(&one_dose(), "NK1", 1, 3, ""), "NK1^1^3^1^1 101 W"),
        (sample::with_field(&one_dose(), "MSH", 1, 12, "10.0"), "MSH^1^12^1^1 203 E"),
        (sample::with_field(&one_dose(), "NK1", 1, 4, "a\0b"), "NK1^1^4 102 E"),
    ] {
        assert_eq!(errors(&judge(&message)), [expected]);
    }
}

#[test]
fn the_report_names_the_line_of_the_file_and_leaves_consequences_to_the_response() {
    let file = sample::file("F", &[sample::message(1), sample::with_field(&one_dose(), "RXA", 1, 3, "")]);
    let line = file.split(|byte| *byte == b'\r').collect::<Vec<_>>();
    let line = 1 + line.iter().rposition(|line| line.starts_with(b"RXA|")).unwrap();
    let (examined, response) = through(&file);
    let wanted = format!("Date of vaccination (RXA-3) is empty [line {line}].");
    assert!(examined.report.contains(&wanted), "{}", examined.report);
    assert!(!examined.report.contains("counts as missing"), "{}", examined.report);
    assert_eq!(segments(&response, "ERR").len(), 3);
}
