//! Stepping, committing, and going on after a crash.

use std::collections::HashSet;
use std::io::{self, Cursor, Read};

use proptest::prelude::*;
use tidegate_hl7::{
    Code, Delivery, Door, Envelope, Finished, Identity, Limits, Outputs, Profile, Progress, read_envelope,
    sample,
};

use crate::support::reply;

type Files = Outputs<Vec<u8>, Vec<u8>>;

fn profile() -> Profile {
    Profile { limits: Limits { message_bytes_max: 3_000, ..Limits::default() }, ..Profile::default() }
}

fn envelope(file: &[u8]) -> Envelope {
    read_envelope(file, &profile()).unwrap().unwrap()
}

fn files() -> Files {
    Outputs { response: Vec::new(), details: Vec::new() }
}

/// A file with all that may be in one: batches, strays, defects, a copy, one over the limit, a wrong count.
fn mixed_file() -> Vec<u8> {
    let mut messages: Vec<_> = (0..3).map(sample::message).collect();
    messages.extend(sample::DEFECTS.iter().zip(10..).map(|(defect, seed)| sample::defective(seed, *defect)));
    messages.push(sample::message(1));
    messages.push(sample::with_segment(&sample::message(60), &format!("NTE|1||{}", "x".repeat(4_000))));
    messages.push(sample::with_field(&sample::message(2), "PID", 1, 8, "U"));
    let second = [sample::batch("B-2", &[]), sample::batch("B-3", &messages[..4])].concat();
    let mut file = b"FHS|^~\\&|EHR|CLINIC|IIS|STATE|||||F-1\rstray line\r".to_vec();
    file.extend(sample::batch("B-1", &messages));
    file.extend(b"another stray\r");
    file.extend(String::from_utf8(second).unwrap().replace("BTS|4", "BTS|9").into_bytes());
    file.extend(b"FTS|2\r\n\x1a");
    file
}

/// What the registry took, over all attempts.
type Taken = HashSet<Identity>;

/// Refuses the first of `message(2)`, whose changed copy comes later, and takes everything else.
fn registry(ordinal: u64) -> Delivery<'static> {
    match ordinal {
        4 => Delivery::Refused { code: Code::Error, text: "not today" },
        _ => Delivery::Done,
    }
}

fn run(
    door: &mut Door<impl Read, Vec<u8>, Vec<u8>>,
    taken: &mut Taken,
    steps: usize,
) -> io::Result<Option<Progress>> {
    let mut progress = None;
    for _ in 0..steps {
        let Some(step) = door.step()? else { break };
        let answer = registry(step.place.ordinal);
        taken.extend(step.identity.filter(|_| step.deliverable().is_some() && answer == Delivery::Done));
        progress = Some(door.commit(answer)?);
    }
    Ok(progress)
}

fn resume<'a>(
    file: &'a [u8],
    kept: Files,
    progress: Progress,
    taken: &Taken,
) -> io::Result<Door<&'a [u8], Vec<u8>, Vec<u8>>> {
    let was_delivered = |identity| Ok(taken.contains(&identity));
    Door::resume(file, &envelope(file), &profile(), &reply(), kept, progress, was_delivered)
}

fn uninterrupted(file: &[u8]) -> Finished<Vec<u8>, Vec<u8>> {
    let mut door = Door::open(file, &envelope(file), &profile(), &reply(), files());
    run(&mut door, &mut Taken::new(), usize::MAX).unwrap();
    door.finish().unwrap()
}

#[test]
fn a_file_resumed_after_any_message_gives_the_same_bytes() {
    let file = mixed_file();
    let whole = uninterrupted(&file);
    let total = usize::try_from(whole.summary.counts.total()).unwrap();
    assert_eq!(total, 24);
    for stop in 1..=total {
        let mut taken = Taken::new();
        let mut first = Door::open(&file[..], &envelope(&file), &profile(), &reply(), files());
        let progress = run(&mut first, &mut taken, stop).unwrap().unwrap();
        let kept = first.outputs();
        let kept = Outputs { response: kept.response.clone(), details: kept.details.clone() };
        // What the first door goes on to write is lost in the crash.
        let _ = first.step().unwrap();
        let progress = Progress::decode(&progress.encode()).unwrap();
        let mut second = resume(&file, kept, progress, &taken).unwrap();
        run(&mut second, &mut taken, usize::MAX).unwrap();
        let finished = second.finish().unwrap();
        assert_eq!(finished.outputs.response, whole.outputs.response, "stopped after {stop}");
        assert_eq!(finished.outputs.details, whole.outputs.details, "stopped after {stop}");
        assert_eq!(finished.summary, whole.summary, "stopped after {stop}");
    }
}

#[test]
fn a_door_may_move_between_threads_with_a_step_in_hand() {
    fn is_send<T: Send>() {}
    is_send::<Door<std::fs::File, Vec<u8>, Vec<u8>>>();
    is_send::<tidegate_hl7::Step<'_>>();
}

#[test]
fn a_step_is_given_again_until_it_is_committed() {
    let file = sample::file("F", &[sample::message(1), sample::message(2)]);
    let mut door = Door::open(&file[..], &envelope(&file), &profile(), &reply(), files());
    let mut offered = Vec::new();
    for _ in 0..3 {
        let step = door.step().unwrap().unwrap();
        offered.push((step.place.ordinal, step.deliverable().map(<[u8]>::to_vec)));
    }
    assert_eq!(offered, vec![(1, Some(sample::message(1))); 3]);
    assert_eq!(door.committed(), Progress::default(), "nothing was counted");
    let progress = door.commit(Delivery::Done).unwrap();
    assert_eq!((progress.ordinal, progress.counts.accepted), (1, 1));
    assert_eq!(door.commit(Delivery::Done).unwrap(), progress, "there is nothing to commit twice");
    assert_eq!(door.step().unwrap().unwrap().place.ordinal, 2);
}

#[test]
fn finishing_early_is_an_error_and_not_a_short_response() {
    let file = sample::file("F", &[sample::message(1)]);
    let door = Door::open(&file[..], &envelope(&file), &profile(), &reply(), files());
    assert_eq!(door.finish().unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn progress_of_another_file_is_noticed() {
    let file = sample::file("F", &[sample::message(1), sample::message(2)]);
    let mut door = Door::open(&file[..], &envelope(&file), &profile(), &reply(), files());
    let progress = run(&mut door, &mut Taken::new(), 1).unwrap().unwrap();
    for other in [sample::file("FF", &[sample::message(1), sample::message(2)]), sample::batch("B", &[])] {
        let resumed = resume(&other, files(), progress, &Taken::new());
        assert_eq!(resumed.err().map(|error| error.kind()), Some(io::ErrorKind::InvalidData));
    }
}

#[test]
fn copies_are_still_known_after_a_resume() {
    let file = sample::batch("B", &[sample::message(1), sample::message(2), sample::message(1)]);
    let mut taken = Taken::new();
    let mut first = Door::open(&file[..], &envelope(&file), &profile(), &reply(), files());
    let progress = run(&mut first, &mut taken, 2).unwrap().unwrap();
    let mut second = resume(&file, files(), progress, &taken).unwrap();
    let step = second.step().unwrap().unwrap();
    assert_eq!((step.place.ordinal, step.deliverable()), (3, None));
    let mut refused = resume(&file, files(), progress, &Taken::new()).unwrap();
    assert!(refused.step().unwrap().unwrap().deliverable().is_some(), "of what was refused there is no copy");
}

#[test]
fn copies_are_still_known_after_a_resume_in_test_mode() {
    let bad = sample::defective(1, sample::Defect::NoName);
    let file = sample::batch("B", &[bad, sample::message(1), sample::message(1)]);
    let profile = Profile { test_mode: true, ..profile() };
    let mut first = Door::open(&file[..], &envelope(&file), &profile, &reply(), files());
    let progress = run(&mut first, &mut Taken::new(), 2).unwrap().unwrap();
    assert_eq!((progress.counts.accepted, progress.counts.errored), (1, 1));
    let never = |_| -> io::Result<bool> { panic!("nothing is delivered in test mode") };
    let mut second =
        Door::resume(&file[..], &envelope(&file), &profile, &reply(), files(), progress, never).unwrap();
    run(&mut second, &mut Taken::new(), 1).unwrap();
    assert_eq!(second.committed().counts.repeated, 1);
}

#[test]
fn what_is_delivered_is_what_was_sent() {
    let odd = sample::with_field(&sample::message(1), "NK1", 1, 4, "a lone \\ and \\F\\ and \\.br\\ stay^^");
    let crlf = String::from_utf8(odd.clone()).unwrap().replace('\r', "\r\n");
    let mut door = Door::open(Cursor::new(&crlf), &envelope(crlf.as_bytes()), &profile(), &reply(), files());
    assert_eq!(door.step().unwrap().unwrap().deliverable(), Some(&odd[..]));
}

#[test]
fn an_error_of_a_writer_comes_through() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let file = sample::message(1);
    let outputs = Outputs { response: Full, details: Vec::new() };
    let mut door = Door::open(&file[..], &envelope(&file), &profile(), &reply(), outputs);
    assert!(door.step().unwrap().is_some());
    assert_eq!(door.commit(Delivery::Done).unwrap_err().kind(), io::ErrorKind::StorageFull);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn resuming_twice_is_as_good_as_once(first in 1_usize..12, second in 1_usize..12) {
        let file = mixed_file();
        let (mut kept, mut taken) = (files(), Taken::new());
        let mut progress = Progress::default();
        for steps in [first, second, usize::MAX] {
            let mut door = resume(&file, kept, progress, &taken).unwrap();
            progress = run(&mut door, &mut taken, steps).unwrap().unwrap_or(progress);
            let outputs = door.outputs();
            kept = Outputs { response: outputs.response.clone(), details: outputs.details.clone() };
        }
        let whole = uninterrupted(&file);
        prop_assert!(whole.outputs.response.starts_with(&kept.response));
        prop_assert_eq!(kept.details, whole.outputs.details);
        prop_assert_eq!(progress.counts, whole.summary.counts);
    }
}
