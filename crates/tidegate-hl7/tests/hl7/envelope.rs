//! Whole or cut off, in order or not, counted right or wrong.

use tidegate_hl7::{Envelope, Limits, Profile, Refusal, RefusalKind, Shape, read_envelope, sample};

fn read(file: &[u8]) -> Result<Envelope, Refusal> {
    read_with(file, &Profile::default())
}

fn read_with(file: &[u8], profile: &Profile) -> Result<Envelope, Refusal> {
    read_envelope(file, profile).unwrap()
}

fn messages(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(sample::message).collect()
}

#[test]
fn the_three_shapes_are_counted() {
    let bare = messages(3).concat();
    let envelope = read(&bare).unwrap();
    assert_eq!((envelope.shape, envelope.messages, envelope.batches), (Shape::Bare, 3, 0));
    let batch = sample::batch("B", &messages(2));
    let envelope = read(&batch).unwrap();
    assert_eq!((envelope.shape, envelope.messages, envelope.batches), (Shape::Batch, 2, 1));
    let twice = [batch.clone(), batch].concat();
    let envelope = read(&twice).unwrap();
    assert_eq!((envelope.shape, envelope.messages, envelope.batches), (Shape::Batch, 4, 2));
    let envelope = read(&sample::file("F", &messages(5))).unwrap();
    assert_eq!((envelope.shape, envelope.messages, envelope.batches), (Shape::File, 5, 1));
    assert_eq!(envelope.notes, [""; 0]);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let file = sample::file("F", &messages(2));
    let batch = sample::batch("B", &messages(2));
    for whole in [file, batch] {
        for length in 4..whole.len() - 1 {
            let refusal = read(&whole[..length]).expect_err(&format!("cut at {length} of {}", whole.len()));
            assert_eq!(refusal.kind, RefusalKind::Truncated, "cut at {length}");
            assert!(refusal.reason.starts_with("truncated: "));
        }
        assert!(
            read(&whole[..whole.len() - 1]).is_ok(),
            "without its last line end a proven trailer is whole"
        );
    }
}

#[test]
fn an_unproven_trailer_without_line_end_is_cut_off() {
    let body = b"BHS|^~\\&\rMSH|^~\\&|\rMSH|^~\\&|\r";
    for (trailer, whole) in [
        ("BTS|2", true),
        ("BTS|2|done", true),
        ("BTS|2\r", true),
        ("BTS\r", true),
        ("BTS|\n", true),
        ("BTS|20\r", true),
        ("BTS", false),
        ("BTS|", false),
        ("BTS|1", false),
        ("BTS|x", false),
    ] {
        assert_eq!(read(&[body, trailer.as_bytes()].concat()).is_ok(), whole, "{trailer:?}");
    }
}

#[test]
fn a_bare_stream_may_end_without_line_end() {
    let mut file = messages(2).concat();
    file.pop();
    assert_eq!(read(&file).unwrap().messages, 2);
}

#[test]
fn what_is_out_of_order_is_refused() {
    let (m, bhs, bts, fhs, fts) = ("MSH|^~\\&|\r", "BHS|^~\\&\r", "BTS|\r", "FHS|^~\\&\r", "FTS|\r");
    for (file, kind) in [
        (vec![bhs, m, bhs, m, bts], RefusalKind::OutOfOrder),
        (vec![fhs, fhs, bhs, m, bts, fts], RefusalKind::OutOfOrder),
        (vec![fhs, bhs, m, bts, fts, m], RefusalKind::OutOfOrder),
        (vec![fhs, bhs, m, bts, fts, bhs, m, bts], RefusalKind::OutOfOrder),
        (vec![fhs, bhs, m, bts, fts, fhs, bhs, m, bts, fts], RefusalKind::OutOfOrder),
        (vec![fhs, bhs, m, bts, fts, fts], RefusalKind::OutOfOrder),
        (vec![bhs, m, bts, m], RefusalKind::OutOfOrder),
        (vec![m, bhs, m, bts], RefusalKind::OutOfOrder),
        (vec![m, fhs, bhs, m, bts, fts], RefusalKind::OutOfOrder),
        (vec![bhs, m, bts, fhs, fts], RefusalKind::OutOfOrder),
        (vec![m, bts], RefusalKind::OutOfOrder),
        (vec![bhs, m, bts, bts], RefusalKind::OutOfOrder),
        (vec![m, fts], RefusalKind::OutOfOrder),
        (vec![fhs, bhs, m, fts], RefusalKind::Truncated),
        (vec![fhs, bhs, m, bts], RefusalKind::Truncated),
        (vec![fhs, m], RefusalKind::Truncated),
        (vec![bhs, m], RefusalKind::Truncated),
        (vec![bhs], RefusalKind::Truncated),
        (vec![fhs, fts], RefusalKind::NoMessages),
        (vec!["\r\r"], RefusalKind::NoMessages),
        (vec!["PID|1\r"], RefusalKind::NoMessages),
        (vec![bhs, "PID|1\r", bts], RefusalKind::NoMessages),
        (vec![bhs, "BTS|3\r"], RefusalKind::NoMessages),
    ] {
        let refusal = read(file.concat().as_bytes()).expect_err(&format!("{file:?}"));
        assert_eq!(refusal.kind, kind, "{file:?}: {refusal}");
    }
}

#[test]
fn batches_may_be_left_out_within_a_file() {
    let (m, bhs, bts, fhs, fts) = ("MSH|^~\\&|\r", "BHS|^~\\&\r", "BTS|\r", "FHS|^~\\&\r", "FTS|9\r");
    for (file, batches) in [(vec![fhs, m, m, fts], 1), (vec![fhs, bhs, m, bts, m, bhs, m, bts, fts], 3)] {
        let envelope = read(file.concat().as_bytes()).unwrap();
        assert_eq!((envelope.batches, envelope.notes.len()), (batches, 0), "{file:?}");
    }
}

#[test]
fn empty_batches_are_whole() {
    for file in
        ["BHS|^~\\&\rBTS|0\r", "BHS|^~\\&\rBTS\r", "FHS|^~\\&\rBHS|^~\\&\rBTS|\rBHS|^~\\&\rBTS|\rFTS|2\r"]
    {
        assert_eq!(read(file.as_bytes()).unwrap().messages, 0, "{file:?}");
    }
}

#[test]
fn counts_that_differ_are_noted_or_refused() {
    let strict = Profile { strict_counts: true, ..Profile::default() };
    for (file, note) in [
        ("BHS|^~\\&\rMSH|^~\\&|\rBTS|2\r", "BTS-1 announces 2 messages, 1 came (line 3)"),
        ("BHS|^~\\&\rMSH|^~\\&|\rBTS|x\r", "BTS-1 is not a number of messages, 1 came (line 3)"),
        ("FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|\rBTS|1\rFTS|7\r", "FTS-1 announces 7 batches, 1 came (line 5)"),
    ] {
        assert_eq!(read(file.as_bytes()).unwrap().notes, [note]);
        let refused = read_with(file.as_bytes(), &strict);
        assert_eq!(refused.err().map(|refusal| refusal.kind), Some(RefusalKind::CountMismatch), "{file:?}");
    }
}

#[test]
fn there_is_a_limit_on_everything() {
    let limits = Limits { messages_max: 2, batches_max: 2, ..Limits::default() };
    let profile = Profile { limits, ..Profile::default() };
    let refused = |file: &[u8]| read_with(file, &profile).err().map(|refusal| refusal.kind);
    assert_eq!(refused(&messages(2).concat()), None);
    assert_eq!(refused(&messages(3).concat()), Some(RefusalKind::TooLarge));
    assert_eq!(refused("BHS|^~\\&\rBTS|\r".repeat(2).as_bytes()), None);
    assert_eq!(refused("BHS|^~\\&\rBTS|\r".repeat(3).as_bytes()), Some(RefusalKind::TooLarge));
}
