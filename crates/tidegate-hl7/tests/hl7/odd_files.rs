//! What arrives in practice, and what becomes of it.

use tidegate_hl7::{Limits, Outcome, Profile, RefusalKind, State, sample};

use crate::support::{segments, through, through_with};

fn messages(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(sample::message).collect()
}

fn with_line_ends(file: &[u8], ends: &[&str]) -> Vec<u8> {
    let mut next = ends.iter().cycle();
    let lines = file.split(|byte| *byte == b'\r').filter(|line| !line.is_empty());
    lines.flat_map(|line| [line, next.next().unwrap().as_bytes()].concat()).collect()
}

#[test]
fn odd_but_whole_files_are_accepted() {
    let file = sample::file("F", &messages(3));
    let bare = messages(3).concat();
    let mllp: Vec<u8> = messages(3).iter().flat_map(|one| [b"\x0b", &one[..], b"\x1c\r"].concat()).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("byte order mark", [b"\xEF\xBB\xBF", &file[..]].concat()),
        (
            "a mark in each appended file",
            [b"\xEF\xBB\xBF", &bare[..], b"\xEF\xBB\xBF", &sample::message(9)].concat(),
        ),
        ("leading blanks", [b" \t \r\n", &file[..]].concat()),
        ("CRLF", with_line_ends(&file, &["\r\n"])),
        ("LF", with_line_ends(&file, &["\n"])),
        ("mixed line ends", with_line_ends(&file, &["\r\n", "\n", "\r"])),
        ("blank lines", with_line_ends(&file, &["\r\n\r\n", "\r\r", "\r\n  \r\n"])),
        ("MLLP bytes", mllp),
        ("trailing NUL", [&file[..], b"\0\0\0"].concat()),
        ("trailing Ctrl-Z", [&file[..], b"\r\n\x1a"].concat()),
        ("no envelope", bare.clone()),
        ("no last line end", bare[..bare.len() - 1].to_vec()),
        ("no last line end after FTS", file[..file.len() - 1].to_vec()),
        (
            "several batches",
            [sample::batch("A", &messages(1)), sample::batch("B", &messages(3)[1..])].concat(),
        ),
        ("BTS-1 no number", String::from_utf8(file).unwrap().replace("BTS|3", "BTS|three").into_bytes()),
    ];
    for (what, file) in cases {
        let (examined, response) = through(&file);
        assert_eq!(examined.summary.outcome, Outcome::Accepted, "{what}: {}", examined.report);
        let accepted = segments(&response, "MSA|AA|SAMPLE-");
        assert!(
            accepted.len() >= 3 && accepted.len() == segments(&response, "MSA").len(),
            "{what}:\n{response}"
        );
    }
}

#[test]
fn consistent_custom_separators_are_taken_and_answered_in_ours() {
    let swap = |byte: &u8| match byte {
        b'|' => b'!',
        b'^' => b'*',
        other => *other,
    };
    let file: Vec<u8> = sample::file("F*1", &messages(2)).iter().map(swap).collect();
    let (examined, response) = through(&file);
    assert_eq!(examined.summary.outcome, Outcome::Accepted, "{}", examined.report);
    assert!(response.contains("|F^1\n") && response.contains("MSA|AA|SAMPLE-1\n"), "{response}");
}

#[test]
fn an_empty_batch_gets_an_empty_batch() {
    let (examined, response) = through(&sample::file("F", &[]));
    assert_eq!((examined.summary.state, examined.summary.outcome), (State::Complete, Outcome::Accepted));
    let names: Vec<_> = response.lines().map(|line| &line[..5]).collect();
    assert_eq!(names, ["FHS|^", "BHS|^", "BTS|0", "FTS|1"]);
}

#[test]
fn each_batch_is_answered_by_one_that_refers_to_it() {
    let file = [sample::batch("B-1", &messages(2)), sample::batch("B-2", &messages(3)[2..])].concat();
    let (_, response) = through(&file);
    let headers = segments(&response, "BHS");
    assert!(headers[0].ends_with("|B-1") && headers[1].ends_with("|B-2"), "{response}");
    assert_eq!(segments(&response, "BTS"), ["BTS|2", "BTS|1"]);
    assert_eq!(segments(&response, "FTS"), ["FTS|2"]);
}

#[test]
fn a_wrong_count_is_told_in_the_response_and_the_report() {
    let file = String::from_utf8(sample::file("F", &messages(2))).unwrap();
    let (examined, response) = through(file.replace("BTS|2", "BTS|5").replace("FTS|1", "FTS|4").as_bytes());
    assert_eq!(segments(&response, "BTS"), ["BTS|2|BTS-1 announces 5 messages, 2 came"]);
    assert_eq!(segments(&response, "FTS"), ["FTS|1|FTS-1 announces 4 batches, 1 came"]);
    assert!(examined.report.contains("BTS-1 announces 5 messages"), "{}", examined.report);
    assert_eq!(examined.summary.outcome, Outcome::Accepted);
}

#[test]
fn one_bad_message_leaves_the_others_alone() {
    let limits = Limits { message_bytes_max: 4_000, ..Limits::default() };
    let profile = Profile { limits, ..Profile::default() };
    let long = sample::with_segment(&sample::message(50), &format!("NTE|1||{}", "x".repeat(5_000)));
    for (what, bad, answer, error) in [
        (
            "unusable separators",
            sample::defective(50, sample::Defect::BadSeparators),
            "MSA|AR|MSH-10 NOT VALUED",
            "|207^",
        ),
        ("over the limit", long, "MSA|AR|SAMPLE-50", "|207^"),
        (
            "NUL inside",
            sample::with_field(&sample::message(50), "PID", 1, 9, "a\0b"),
            "MSA|AE|SAMPLE-50",
            "|102^",
        ),
        ("no segment", sample::defective(50, sample::Defect::BrokenLine), "MSA|AE|SAMPLE-50", "|100^"),
        (
            "no control id",
            sample::defective(50, sample::Defect::NoControlId),
            "MSA|AE|MSH-10 NOT VALUED",
            "|101^",
        ),
    ] {
        let file = sample::file("F", &[sample::message(1), bad, sample::message(2)]);
        let (examined, response) = through_with(&file, &profile);
        assert_eq!(segments(&response, "MSA"), ["MSA|AA|SAMPLE-1", answer, "MSA|AA|SAMPLE-2"], "{what}");
        assert!(segments(&response, "ERR")[0].contains(error), "{what}: {response}");
        assert_eq!(examined.summary.outcome, Outcome::AcceptedWithErrors, "{what}");
    }
}

#[test]
fn what_cannot_be_named_by_its_id_is_named_by_its_place() {
    let file = sample::batch("B", &[sample::message(1), sample::defective(2, sample::Defect::NoControlId)]);
    let offset = file.windows(4).rposition(|part| part == b"MSH|").unwrap();
    let (_, response) = through(&file);
    let wanted = format!("(message 2 of the file, at byte {offset})");
    assert!(segments(&response, "ERR")[0].ends_with(&wanted), "{response}");
}

#[test]
fn a_file_of_nothing_but_bad_messages_is_rejected() {
    let (examined, _) = through(&sample::file("F", &[sample::defective(1, sample::Defect::NoName)]));
    assert_eq!((examined.summary.state, examined.summary.outcome), (State::Complete, Outcome::Rejected));
}

#[test]
fn stray_lines_are_not_counted_against_the_trailer() {
    let file = String::from_utf8(sample::batch("B", &[sample::message(1)])).unwrap();
    let (examined, response) = through(file.replacen("\rMSH", "\rstray\rMSH", 1).as_bytes());
    assert_eq!(segments(&response, "BTS"), ["BTS|2"], "two answers, and no remark on the count");
    assert_eq!(examined.summary.notes, [""; 0]);
}

#[test]
fn a_header_that_does_not_end_within_reach_names_no_control_id() {
    let limits = Limits { message_bytes_max: 4_000, ..Limits::default() };
    let endless = sample::with_field(&sample::message(1), "MSH", 1, 8, &"x".repeat(10_000));
    let (_, response) = through_with(&endless, &Profile { limits, ..Profile::default() });
    assert_eq!(segments(&response, "MSA"), ["MSA|AR|MSH-10 NOT VALUED"]);
    assert!(
        segments(&response, "MSH")[0].starts_with("MSH|^~\\&|TIDEGATE|"),
        "nothing of a cut line is echoed"
    );
}

#[test]
fn lines_that_belong_to_no_message_are_answered() {
    let file = [b"PID|1||lost\rORC|RE\r", &sample::message(1)[..]].concat();
    let (examined, response) = through(&file);
    assert_eq!(segments(&response, "MSA"), ["MSA|AE|MSH-10 NOT VALUED", "MSA|AA|SAMPLE-1"]);
    assert!(segments(&response, "ERR")[0].contains("|100^Segment sequence error^HL70357|E|"), "{response}");
    assert!(!response.contains("lost") && !examined.report.contains("lost"));
    assert_eq!((examined.summary.counts.errored, examined.summary.counts.total()), (1, 2));
}

#[test]
fn a_file_refused_gets_one_rejection_and_no_empty_batch() {
    let cut = sample::file("F-77", &messages(3));
    let cases: [(&[u8], RefusalKind, &str); 9] = [
        (b"", RefusalKind::Empty, "the file is empty"),
        (b"\x1f\x8b\x08", RefusalKind::Compressed, "gzip"),
        (b"-----BEGIN PGP MESSAGE-----", RefusalKind::Encrypted, "PGP"),
        (b"\xff\xfeM\0S\0H\0", RefusalKind::Encoding, "UTF-16"),
        (b"<xml/>", RefusalKind::NotHl7, "XML"),
        (b"last,first,dob\n", RefusalKind::NotHl7, "CSV"),
        (b"FHS|^~\\&|||||||||F-77\rFTS|0\r", RefusalKind::NoMessages, "no message"),
        (&cut[..cut.len() / 2], RefusalKind::Truncated, "truncated: batch 1"),
        (b"BTS|1\rMSH|^~\\&|\r", RefusalKind::OutOfOrder, "a BTS without its BHS"),
    ];
    for (file, kind, words) in cases {
        let (examined, response) = through(file);
        let summary = &examined.summary;
        assert_eq!(summary.refusal.as_ref().map(|refusal| refusal.kind), Some(kind), "{}", examined.report);
        assert_eq!(
            (summary.state, summary.outcome, summary.counts.total()),
            (State::Error, Outcome::Rejected, 0)
        );
        assert!(summary.reason().unwrap().contains(words), "{}", examined.report);
        let names: Vec<_> = response.lines().map(|line| &line[..4]).collect();
        assert_eq!(names, ["FHS|", "BHS|", "MSH|", "MSA|", "ERR|", "BTS|", "FTS|"], "{response}");
        assert_eq!(segments(&response, "MSA"), ["MSA|AR|MSH-10 NOT VALUED"]);
        let error = segments(&response, "ERR")[0];
        assert!(
            error.starts_with("ERR|||207^Application internal error^HL70357|E||||") && error.contains(words)
        );
        assert_eq!(segments(&response, "BTS"), ["BTS|1"]);
    }
}

#[test]
fn the_response_to_a_refused_file_refers_to_it_as_far_as_it_was_read() {
    let whole = sample::file("F-77", &messages(3));
    let (_, response) = through(&whole[..whole.len() / 2]);
    assert!(segments(&response, "FHS")[0].ends_with("|F-77"), "{response}");
    assert!(
        segments(&response, "MSH")[0].starts_with("MSH|^~\\&|IIS|STATE|SAMPLEEHR|SAMPLECLINIC|"),
        "{response}"
    );
}
