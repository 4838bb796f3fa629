//! The same message twice, the same id twice, and copies that earlier files held.

use std::io::Cursor;

use tidegate_hl7::{Code, Delivery, Door, Finished, Outputs, Profile, read_envelope, sample};

use crate::support::{reply, segments, through};

#[test]
fn a_copy_is_acknowledged_as_the_first_and_delivered_once() {
    let bad = sample::defective(2, sample::Defect::NoName);
    let file = sample::batch("B", &[sample::message(1), bad.clone(), sample::message(1), bad]);
    let (examined, response) = through(&file);
    let answers = ["MSA|AA|SAMPLE-1", "MSA|AE|SAMPLE-2", "MSA|AA|SAMPLE-1", "MSA|AE|SAMPLE-2"];
    assert_eq!(segments(&response, "MSA"), answers);
    assert_eq!(examined.summary.counts.repeated, 1, "a copy of a message in error is just in error");
    assert_eq!(deliver(&file, |_| Delivery::Done).1, [1]);
}

#[test]
fn a_copy_with_other_line_ends_is_the_same_message() {
    let crlf = String::from_utf8(sample::message(1)).unwrap().replace('\r', "\r\n").into_bytes();
    let (examined, _) = through(&[sample::message(1), crlf].concat());
    assert_eq!(examined.summary.counts.repeated, 1);
}

#[test]
fn a_control_id_used_for_other_bytes_is_rejected() {
    let other = sample::with_field(&sample::message(1), "PID", 1, 8, "U");
    let (examined, response) = through(&sample::batch("B", &[sample::message(1), other, sample::message(1)]));
    assert_eq!(segments(&response, "MSA"), ["MSA|AA|SAMPLE-1", "MSA|AR|SAMPLE-1", "MSA|AA|SAMPLE-1"]);
    assert!(
        segments(&response, "ERR")[0].starts_with("ERR||MSH^1^10|205^Duplicate key identifier^HL70357|E|")
    );
    assert_eq!((examined.summary.counts.rejected, examined.summary.counts.repeated), (1, 1));
}

/// It stayed the original once, and a corrected message behind it was refused with 205 although nothing had been
/// delivered under its id.
#[test]
fn a_message_that_was_not_delivered_is_no_original_in_its_own_file_either() {
    let changed = |number: u64| sample::with_field(&sample::message(number), "PID", 1, 8, "U");
    let file = sample::batch(
        "B",
        &[
            sample::defective(1, sample::Defect::NoName),
            sample::message(1),
            sample::message(2),
            sample::message(2),
            changed(2),
            sample::message(2),
            changed(2),
        ],
    );
    let (finished, offered) = deliver(&file, |ordinal| match ordinal {
        3 => Delivery::Refused { code: Code::Error, text: "" },
        4 => Delivery::Refused { code: Code::Reject, text: "" },
        _ => Delivery::Done,
    });
    assert_eq!(offered, [2, 3, 4, 5]);
    let response = String::from_utf8(finished.outputs.response).unwrap().replace('\r', "\n");
    let codes: Vec<&str> = segments(&response, "MSA").iter().map(|segment| &segment[4..6]).collect();
    assert_eq!(codes, ["AE", "AA", "AE", "AR", "AA", "AR", "AA"]);
    assert_eq!(response.matches("|205^").count(), 1, "{response}");
    assert_eq!((finished.summary.counts.accepted, finished.summary.counts.repeated), (3, 1));
}

#[test]
fn the_same_id_on_another_day_is_another_message() {
    let next_day = sample::with_field(&sample::message(1), "MSH", 1, 7, "20260316103000-0500");
    let (examined, _) = through(&[sample::message(1), next_day].concat());
    assert_eq!((examined.summary.counts.accepted, examined.summary.counts.repeated), (2, 0));
}

#[test]
fn what_an_earlier_file_held_is_settled_by_the_caller() {
    let file =
        sample::batch("B", &[sample::message(1), sample::message(2), sample::message(3), sample::message(4)]);
    let (finished, delivered) = deliver(&file, |ordinal| match ordinal {
        1 => Delivery::Repeated,
        2 => Delivery::Reused,
        3 => Delivery::Refused { code: Code::Error, text: "No such provider|\u{e9}" },
        _ => Delivery::Refused { code: Code::Reject, text: "" },
    });
    assert_eq!(delivered, [1, 2, 3, 4], "each was offered");
    let response = String::from_utf8(finished.outputs.response).unwrap().replace('\r', "\n");
    let answers = ["MSA|AA|SAMPLE-1", "MSA|AR|SAMPLE-2", "MSA|AE|SAMPLE-3", "MSA|AR|SAMPLE-4"];
    assert_eq!(segments(&response, "MSA"), answers);
    let errors = segments(&response, "ERR");
    assert!(errors[1].contains("|205^"), "{response}");
    assert_eq!(errors[2], "ERR|||999^Application error^HL70357|E||||No such provider\\F\\\u{e9}");
    assert_eq!(
        errors[3],
        "ERR|||207^Application internal error^HL70357|E||||Message was refused by the registry"
    );
    assert_eq!((finished.summary.counts.repeated, finished.summary.counts.accepted), (1, 1));
}

/// Takes a file through and notes the ordinals that were to be delivered.
fn deliver(file: &[u8], answer: impl Fn(u64) -> Delivery<'static>) -> (Finished<Vec<u8>, Vec<u8>>, Vec<u64>) {
    let profile = Profile::default();
    let envelope = read_envelope(file, &profile).unwrap().unwrap();
    let outputs = Outputs { response: Vec::new(), details: Vec::new() };
    let mut door = Door::open(Cursor::new(file), &envelope, &profile, &reply(), outputs);
    let mut delivered = Vec::new();
    while let Some(step) = door.step().unwrap() {
        let ordinal = step.place.ordinal;
        delivered.extend(step.deliverable().map(|_| ordinal));
        door.commit(answer(ordinal)).unwrap();
    }
    (door.finish().unwrap(), delivered)
}
