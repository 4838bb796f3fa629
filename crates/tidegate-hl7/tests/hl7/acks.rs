//! What an acknowledgment echoes, and what it must not.

use tidegate_hl7::{Code, Delivery, Door, Outputs, Profile, read_envelope, sample};

use crate::support::{reply, segments, through};

fn answer(edits: &[(usize, &str)]) -> String {
    let message = edits.iter().fold(sample::message(1), |message, (field, value)| {
        sample::with_field(&message, "MSH", 1, *field, value)
    });
    through(&message).1
}

#[test]
fn sender_and_receiver_change_places() {
    let edits = [(3, "EHR^1.2.3^ISO"), (4, "FAC"), (5, "REG"), (6, "TX"), (22, "CLINIC^L"), (23, "STATE^L")];
    let response = answer(&edits);
    let header = segments(&response, "MSH")[0];
    assert!(header.starts_with("MSH|^~\\&|REG|TX|EHR^1.2.3^ISO|FAC|20260316083000-0500||"), "{header}");
    assert!(header.ends_with("|Z23^CDCPHINVS|STATE^L|CLINIC^L"), "{header}");
}

#[test]
fn a_receiver_that_was_not_named_answers_by_its_own_name() {
    let response = answer(&[(5, ""), (6, "")]);
    assert!(segments(&response, "MSH")[0].starts_with("MSH|^~\\&|TIDEGATE||SAMPLEEHR|"), "{response}");
}

#[test]
fn processing_id_and_trigger_are_echoed_if_they_are_any() {
    for (edits, wanted) in [
        ([(11, "T^A"), (9, "VXU^V04^VXU_V04")], "||ACK^V04^ACK|01HZX3K7Q2W5M8RT-1|T^A|2.5.1|"),
        ([(11, ""), (9, "ADT^A31")], "||ACK^A31^ACK|01HZX3K7Q2W5M8RT-1|P|2.5.1|"),
        ([(11, "P"), (9, "VXU^too long")], "||ACK^V04^ACK|01HZX3K7Q2W5M8RT-1|P|2.5.1|"),
        ([(11, "P"), (9, "")], "||ACK^V04^ACK|01HZX3K7Q2W5M8RT-1|P|2.5.1|"),
    ] {
        let response = answer(&edits);
        assert!(segments(&response, "MSH")[0].contains(wanted), "{response}");
    }
}

#[test]
fn a_control_id_is_echoed_as_received_and_can_break_nothing() {
    for (id, echoed) in [
        ("a b-c_1", "a b-c_1"),
        ("a^b&c~d\\e", "a^b&c~d\\e"),
        ("h\u{e9}", "h\u{e9}"),
        ("a\u{1}b", "a\\X01\\b"),
    ] {
        assert_eq!(segments(&answer(&[(10, id)]), "MSA")[0].split('|').nth(2), Some(echoed));
    }
    let long = "x".repeat(300);
    assert_eq!(segments(&answer(&[(10, &long)]), "MSA")[0], format!("MSA|AE|{}", "x".repeat(199)));
}

#[test]
fn msa_3_and_err_1_are_never_sent_and_the_severity_always() {
    let messages: Vec<_> =
        sample::DEFECTS.iter().zip(1..).map(|(defect, seed)| sample::defective(seed, *defect)).collect();
    let (_, response) = through(&sample::file("F", &messages));
    for line in segments(&response, "MSA") {
        assert_eq!(line.split('|').count(), 3, "{line}");
    }
    for line in segments(&response, "ERR") {
        let fields: Vec<_> = line.split('|').collect();
        assert_eq!((fields.len(), fields[1]), (9, ""), "{line}");
        assert!(
            fields[2].len() <= 18 && matches!(fields[4], "E" | "W" | "I") && fields[8].len() <= 250,
            "{line}"
        );
        assert!(fields[3].ends_with("^HL70357"), "{line}");
    }
}

#[test]
fn words_of_the_registry_are_cut_and_can_break_nothing() {
    let words = format!("bad\rMSH|{}", "\u{e9}".repeat(200));
    let file = sample::message(1);
    let profile = Profile::default();
    let envelope = read_envelope(&file[..], &profile).unwrap().unwrap();
    let outputs = Outputs { response: Vec::new(), details: Vec::new() };
    let mut door = Door::open(&file[..], &envelope, &profile, &reply(), outputs);
    assert!(door.step().unwrap().is_some());
    door.commit(Delivery::Refused { code: Code::Error, text: &words }).unwrap();
    let response = String::from_utf8(door.finish().unwrap().outputs.response).unwrap().replace('\r', "\n");
    let error = segments(&response, "ERR")[0].rsplit('|').next().unwrap();
    assert_eq!(error, format!("bad MSH\\F\\{}", "\u{e9}".repeat(121)));
    assert_eq!(segments(&response, "MSH").len(), 1);
}
