//! A value of a message is in no report and no ERR segment, whatever field it stands in and whatever is wrong with it.

use proptest::prelude::*;
use tidegate_hl7::{Profile, sample};

use crate::support::{segments, through_with};

const MARKER: &str = "QX7ZMARK";

/// What an answer has to repeat (CDC guide 1.5, MSA-2 and MSH of the ACK): the control id, the parties, the processing id.
const ECHOED: [(&str, usize); 9] = [
    ("MSH", 3),
    ("MSH", 4),
    ("MSH", 5),
    ("MSH", 6),
    ("MSH", 10),
    ("MSH", 11),
    ("MSH", 22),
    ("MSH", 23),
    ("FHS", 11),
];

const SEGMENTS: [&str; 17] = [
    "MSH", "PID", "PD1", "NK1", "PV1", "PV2", "GT1", "IN1", "ORC", "RXA", "RXR", "OBX", "NTE", "TQ1", "ZPD",
    "SFT", "OBR",
];

/// A message with each of [`SEGMENTS`].
fn full_message(seed: u64) -> Vec<u8> {
    let more = "NTE|1||x\rTQ1|1\rZPD|x\rSFT|x|1|x|1\rOBR|1\rPV1|1|R\rPV2|1\rGT1|1||x\rIN1|1|x|x\r";
    [&sample::message(seed)[..], more.as_bytes()].concat()
}

/// Ways to put the marker into a field.
fn dressed() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(MARKER.to_owned()),
        Just(format!("{MARKER}^{MARKER}^{MARKER}^{MARKER}^{MARKER}")),
        Just(format!("^^{MARKER}&{MARKER}~{MARKER}")),
        Just(format!("\u{1}{MARKER}\u{7f}")),
        Just(format!("\\{MARKER}\\.br\\")),
        Just(format!("\r{MARKER}\r")),
        Just(format!("\u{e9}{MARKER}")),
        Just(MARKER.repeat(40)),
    ]
}

/// The message, or the file around it, tells the marker nowhere but where it has to be repeated.
fn tells_nothing(file: &[u8], echoed: bool) -> Result<(), TestCaseError> {
    let (examined, response) = through_with(file, &Profile::default());
    prop_assert!(!examined.report.contains(MARKER), "{}", examined.report);
    for error in segments(&response, "ERR") {
        prop_assert!(!error.contains(MARKER), "{error}");
    }
    prop_assert!(echoed || !response.contains(MARKER), "{response}");
    let debug = format!("{:?}", examined.summary.refusal.map(|refusal| refusal.reason));
    prop_assert!(!debug.contains(MARKER), "{debug}");
    Ok(())
}

#[test]
fn a_marker_in_any_field_of_any_segment_is_told_nowhere() {
    for segment in SEGMENTS {
        for field in if segment == "MSH" { 2..=25 } else { 1..=30 } {
            let file = sample::file("F", &[sample::with_field(&full_message(1), segment, 1, field, MARKER)]);
            let echoed = ECHOED.contains(&(segment, field));
            tells_nothing(&file, echoed).unwrap_or_else(|error| panic!("{segment}-{field}: {error}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn nor_however_it_is_dressed_and_whatever_else_is_wrong(
        segment in prop::sample::select(&SEGMENTS[..]),
        field in 2_usize..26,
        dressed in dressed(),
        defect in prop::sample::select(&sample::DEFECTS[..]),
        bare: bool,
    ) {
        let marked = sample::with_field(&full_message(1), segment, 1, field, &dressed);
        let messages = [marked, sample::defective(2, defect)];
        let file = if bare { messages.concat() } else { sample::file("F", &messages) };
        tells_nothing(&file, ECHOED.contains(&(segment, field)))?;
    }

    #[test]
    fn nor_anywhere_in_a_file_that_is_refused(at in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
        let mut file = sample::file("F", &[full_message(1), sample::message(2)]);
        let at = at.index(file.len());
        file.splice(at..at, format!("\r{MARKER}|{MARKER}\r").into_bytes());
        file.truncate(cut.index(file.len()).max(1));
        tells_nothing(&file, true)?;
    }
}
