//! One response and one report to the letter, and what must never be in either.

use tidegate_hl7::{Profile, sample, sample::Defect};

use crate::support::{segments, through, through_with};

fn file() -> Vec<u8> {
    let messages = [
        sample::message(1),
        sample::defective(2, Defect::NoAuthority),
        sample::defective(3, Defect::BirthInFuture),
        sample::defective(4, Defect::WrongType),
    ];
    String::from_utf8(sample::file("F-1", &messages)).unwrap().replace("BTS|4", "BTS|5").into_bytes()
}

#[test]
fn a_response() {
    let expected = r"FHS|^~\&|IIS|STATE|SAMPLEEHR|SAMPLECLINIC|20260316083000-0500||01HZX3K7Q2W5M8RT.response||01HZX3K7Q2W5M8RT|F-1
BHS|^~\&|IIS|STATE|SAMPLEEHR|SAMPLECLINIC|20260316083000-0500||||01HZX3K7Q2W5M8RT-B1|F-1
MSH|^~\&|IIS|STATE|SAMPLEEHR|SAMPLECLINIC|20260316083000-0500||ACK^V04^ACK|01HZX3K7Q2W5M8RT-1|P|2.5.1|||NE|NE|||||Z23^CDCPHINVS
MSA|AA|SAMPLE-1
MSH|^~\&|IIS|STATE|SAMPLEEHR|SAMPLECLINIC|20260316083000-0500||ACK^V04^ACK|01HZX3K7Q2W5M8RT-2|P|2.5.1|||NE|NE|||||Z23^CDCPHINVS
MSA|AE|SAMPLE-2
ERR||PID^1^3^1^4|101^Required field missing^HL70357|W|7^Required data missing^HL70533|||Assigning authority of the patient identifier (PID-3.4) is empty
MSH|^~\&|IIS|STATE|SAMPLEEHR|SAMPLECLINIC|20260316083000-0500||ACK^V04^ACK|01HZX3K7Q2W5M8RT-3|P|2.5.1|||NE|NE|||||Z23^CDCPHINVS
MSA|AE|SAMPLE-3
ERR||PID^1^7|102^Data type error^HL70357|E|1^Illogical Date error^HL70533|||Patient's date of birth (PID-7) is in the future
ERR||PID^1|100^Segment sequence error^HL70357|E||||Segment PID (patient) counts as missing because a required field is wrong, so the message was not accepted
MSH|^~\&|IIS|STATE|SAMPLEEHR|SAMPLECLINIC|20260316083000-0500||ACK^A08^ACK|01HZX3K7Q2W5M8RT-4|P|2.5.1|||NE|NE|||||Z23^CDCPHINVS
MSA|AR|SAMPLE-4
ERR||MSH^1^9^1^1|200^Unsupported message type^HL70357|E||||Message type (MSH-9.1) is not supported here
BTS|4|BTS-1 announces 5 messages, 4 came
FTS|1
";
    assert_eq!(through(&file()).1, expected);
}

#[test]
fn a_report() {
    let expected = "REPORT ON YOUR FILE
Job 01HZX3K7Q2W5M8RT, 2026-03-16 08:30:00 -05:00

Result:  ACCEPTED IN PART. 2 of 4 messages have errors; the others were
         accepted.
To do:   Correct the messages marked NOT ACCEPTED or REJECTED below in your
         system and send those again in a new file. The accepted ones need not
         be sent again; it does no harm if they are.

Messages received                    4
  accepted                           1
  accepted with warnings             1
  with errors                        1
  rejected                           1

Note:    BTS-1 announces 5 messages, 4 came (line 47).

MESSAGES WITH PROBLEMS

Message 2 (line 15 of the file, byte 1582): accepted, please check
  Warning: Assigning authority of the patient identifier (PID-3.4) is empty
           [line 16].
     Do:   Say in PID-3.4 who issued the record number.

Message 3 (line 27 of the file, byte 3041): NOT ACCEPTED
  Error:   Patient's date of birth (PID-7) is in the future [line 28].
     Do:   Fill in the patient's date of birth as YYYYMMDD; it cannot be after
           today.

Message 4 (line 35 of the file, byte 4055): REJECTED
  Error:   Message type (MSH-9.1) is not supported here [line 35].
     Do:   Send only immunization updates here (message type VXU).

";
    assert_eq!(through(&file()).0.report, expected);
}

#[test]
fn a_report_on_a_refused_file() {
    let whole = file();
    let expected = "REPORT ON YOUR FILE
Job 01HZX3K7Q2W5M8RT, 2026-03-16 08:30:00 -05:00

Result:  NOT PROCESSED. The whole file was refused because it is cut off:
         batch 1 has a BHS but the file ends before its BTS.
To do:   Send the whole file again. Nothing of this one was used, so nothing
         will be doubled.
";
    assert_eq!(through(&whole[..whole.len() - 200]).0.report, expected);
}

#[test]
fn the_first_lines_say_what_is_to_be_done() {
    let good = [sample::message(1), sample::message(2)];
    let whole = sample::file("F", &good);
    let counted = String::from_utf8(whole.clone()).unwrap().replace("BTS|2", "BTS|3");
    let warned = sample::file("F", &[sample::defective(2, Defect::NoAuthority)]);
    let testing = Profile { test_mode: true, ..Profile::default() };
    for (file, profile, result, to_do) in [
        (&whole[..], Profile::default(), "ACCEPTED. All 2 messages were accepted.", "Nothing."),
        (&whole, testing.clone(), "TEST MODE, NOTHING WAS PASSED ON. ACCEPTED. All 2 messages", "Nothing."),
        (
            counted.as_bytes(),
            testing,
            "TEST MODE, NOTHING WAS PASSED ON.",
            "Nothing has to be sent again, unless",
        ),
        (
            counted.as_bytes(),
            Profile::default(),
            "ACCEPTED. All 2",
            "Nothing has to be sent again, unless a message",
        ),
        (
            &warned,
            Profile::default(),
            "ACCEPTED. The message was accepted, with warnings.",
            "Nothing has to be sent",
        ),
        (&whole[..99], Profile::default(), "NOT PROCESSED. The whole file", "Send the whole file again."),
    ] {
        let report = through_with(file, &profile).0.report;
        let words = report.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&format!("Result: {result}")), "{report}");
        assert!(words.contains(&format!("To do: {to_do}")), "{report}");
    }
}

#[test]
fn no_patient_data_and_no_control_id_is_in_a_report() {
    let messages: Vec<_> =
        sample::DEFECTS.iter().zip(1..).map(|(defect, seed)| sample::defective(seed, *defect)).collect();
    let (examined, response) = through(&sample::file("F", &messages));
    for word in
        ["TEST", "CHILD", "SAMPLE", "EXAMPLE ST", "29991231", "2001", "LOCAL", "ADT", "9.9", "second part"]
    {
        assert!(!examined.report.contains(word), "{word} in\n{}", examined.report);
        for error in segments(&response, "ERR") {
            assert!(!error.contains(word), "{word} in {error}");
        }
    }
}

#[test]
fn many_problems_of_one_message_are_cut_short_and_counted() {
    let message = [&sample::message(1)[..], &b"no segment\r".repeat(60)].concat();
    let report = through(&message).0.report;
    assert_eq!(report.matches("is not an HL7 segment").count(), 10, "{report}");
    assert!(report.contains("  ... and 50 more; the response file lists them.\n"), "{report}");
}

#[test]
fn a_long_list_of_problems_is_cut_short_and_counted() {
    let messages: Vec<_> = (0..1_003).map(|seed| sample::defective(seed, Defect::NoAuthority)).collect();
    let (examined, response) = through(&messages.concat());
    assert_eq!(segments(&response, "MSA|AE").len(), 1_003);
    assert_eq!((examined.summary.described, examined.summary.counts.warned), (1_000, 1_003));
    assert!(examined.report.contains("These are the first 1000; 3 more are in the response file only."));
}
