//! An organization in test mode: everything is answered, nothing is delivered.

use tidegate_hl7::{Delivery, Door, Outputs, Profile, Progress, read_envelope, sample};

use crate::support::{reply, segments, through, through_with};

fn file() -> Vec<u8> {
    sample::file("F", &[sample::message(1), sample::defective(2, sample::Defect::NoName), sample::message(1)])
}

fn testing() -> Profile {
    Profile { test_mode: true, ..Profile::default() }
}

#[test]
fn nothing_is_deliverable_or_remembered() {
    let (file, profile) = (file(), testing());
    let envelope = read_envelope(&file[..], &profile).unwrap().unwrap();
    let outputs = Outputs { response: Vec::new(), details: Vec::new() };
    let mut door = Door::open(&file[..], &envelope, &profile, &reply(), outputs);
    let mut steps = 0;
    while let Some(step) = door.step().unwrap() {
        assert_eq!((step.deliverable(), step.identity), (None, None));
        steps += 1;
        door.commit(Delivery::Done).unwrap();
    }
    assert_eq!(steps, 3);
}

#[test]
fn the_answers_are_the_same_and_say_that_it_was_a_test() {
    let (real, real_response) = through(&file());
    let (tried, response) = through_with(&file(), &testing());
    assert_eq!(tried.summary.counts, real.summary.counts);
    for name in ["MSH", "MSA", "ERR", "BTS"] {
        assert_eq!(segments(&response, name), segments(&real_response, name));
    }
    let said = "Test mode: the messages were checked and answered, but none was passed on";
    assert_eq!(segments(&response, "FTS"), [format!("FTS|1|{said}")]);
    assert_eq!(segments(&real_response, "FTS"), ["FTS|1"]);
    let report = tried.report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(report.contains(said) && !real.report.contains("Test mode"), "{report}");
}

#[test]
fn a_file_goes_on_in_the_mode_it_was_begun_in() {
    let file = file();
    for (before, after) in [(testing(), Profile::default()), (Profile::default(), testing())] {
        let envelope = read_envelope(&file[..], &before).unwrap().unwrap();
        let outputs = || Outputs { response: Vec::new(), details: Vec::new() };
        let mut door = Door::open(&file[..], &envelope, &before, &reply(), outputs());
        door.step().unwrap();
        let progress = Progress::decode(&door.commit(Delivery::Done).unwrap().encode()).unwrap();
        let none_was = |_| Ok(false);
        let mut door =
            Door::resume(&file[..], &envelope, &after, &reply(), outputs(), progress, none_was).unwrap();
        assert_eq!(door.step().unwrap().unwrap().identity.is_none(), before.test_mode);
        while door.step().unwrap().is_some() {
            door.commit(Delivery::Done).unwrap();
        }
        assert_eq!(door.finish().unwrap().summary.tested, before.test_mode);
    }
}

#[test]
fn a_wrong_count_is_told_besides() {
    let wrong = String::from_utf8(file()).unwrap().replace("FTS|1", "FTS|7");
    let (_, response) = through_with(wrong.as_bytes(), &testing());
    assert!(
        segments(&response, "FTS")[0].ends_with("passed on; FTS-1 announces 7 batches, 1 came"),
        "{response}"
    );
}
