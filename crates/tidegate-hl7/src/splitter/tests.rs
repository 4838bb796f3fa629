use proptest::prelude::*;

use super::*;
use crate::unit::BOM;

#[derive(Debug, PartialEq, Eq, Clone)]
struct Owned {
    kind: UnitKind,
    offset: u64,
    line: u64,
    terminated: bool,
    bytes: Vec<u8>,
    next: Position,
}

/// A reader that gives at most `step` bytes at a time.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(into.len()).min(self.1);
        into[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn split_from(file: &[u8], max: usize, chunk: usize, from: Position) -> Vec<Owned> {
    let rest = &file[usize::try_from(from.offset).unwrap()..];
    let mut splitter = Splitter::with_chunk(Drip(rest, chunk), max, chunk.max(8), from);
    let mut units = Vec::new();
    while let Some(unit) = splitter.next_unit().unwrap() {
        let Unit { kind, offset, line, terminated, bytes } = unit;
        let bytes = bytes.to_vec();
        units.push(Owned { kind, offset, line, terminated, bytes, next: splitter.position() });
    }
    units
}

fn split(file: &[u8], max: usize, chunk: usize) -> Vec<Owned> {
    split_from(file, max, chunk, Position { offset: 0, line: 1 })
}

fn kinds(file: &[u8]) -> Vec<(UnitKind, u64, Vec<u8>)> {
    split(file, 1000, 4096).into_iter().map(|unit| (unit.kind, unit.line, unit.bytes)).collect()
}

#[test]
fn an_enveloped_file_falls_into_its_units() {
    let file = b"FHS|^~\\&\rBHS|^~\\&\rMSH|1\rPID|1\rMSH|2\rBTS|2\rFTS|1\r";
    let expected: Vec<(UnitKind, u64, Vec<u8>)> = vec![
        (UnitKind::FileHeader, 1, b"FHS|^~\\&".to_vec()),
        (UnitKind::BatchHeader, 2, b"BHS|^~\\&".to_vec()),
        (UnitKind::Message, 3, b"MSH|1\rPID|1".to_vec()),
        (UnitKind::Message, 5, b"MSH|2".to_vec()),
        (UnitKind::BatchTrailer, 6, b"BTS|2".to_vec()),
        (UnitKind::FileTrailer, 7, b"FTS|1".to_vec()),
    ];
    assert_eq!(kinds(file), expected);
}

#[test]
fn odd_edges_belong_to_no_unit() {
    let file = b"\xEF\xBB\xBF  \x0bMSH|1\r\nPID|1\r\n\x1c\r\n\r\n\x0bMSH|2\nPID|2\x1c\n \tFTS|\r\r\n\0\0\x1a";
    let expected: Vec<(UnitKind, u64, Vec<u8>)> = vec![
        (UnitKind::Message, 1, b"MSH|1\r\nPID|1".to_vec()),
        (UnitKind::Message, 5, b"MSH|2\nPID|2".to_vec()),
        (UnitKind::FileTrailer, 7, b"FTS|".to_vec()),
    ];
    assert_eq!(kinds(file), expected);
}

#[test]
fn strays_are_units_too() {
    let file = b"PID|lost\rORC|RE\rMSH|1\rgarbage\rBTS|1\rleft over\r\rmore\rFTS|1";
    let expected: Vec<(UnitKind, u64, Vec<u8>)> = vec![
        (UnitKind::Stray, 1, b"PID|lost\rORC|RE".to_vec()),
        (UnitKind::Message, 3, b"MSH|1\rgarbage".to_vec()),
        (UnitKind::BatchTrailer, 5, b"BTS|1".to_vec()),
        (UnitKind::Stray, 6, b"left over\r\rmore".to_vec()),
        (UnitKind::FileTrailer, 9, b"FTS|1".to_vec()),
    ];
    assert_eq!(kinds(file), expected);
}

#[test]
fn a_unit_over_the_limit_leaves_its_neighbours_whole() {
    let mut file = b"MSH|1\rMSH|2\rOBX|".to_vec();
    file.extend(std::iter::repeat_n(b'x', 10_000));
    file.extend_from_slice(b"\rOBX|more\rMSH|3\r");
    let units = split(&file, 100, 64);
    let seen: Vec<_> = units.iter().map(|unit| (unit.kind, unit.offset, unit.line)).collect();
    assert_eq!(seen, [(UnitKind::Message, 0, 1), (UnitKind::Oversize, 6, 2), (UnitKind::Message, 10_026, 5)]);
    assert!(units[1].bytes.starts_with(b"MSH|2\rOBX|x"), "the head is kept");
    assert_eq!(units[2].bytes, b"MSH|3");
}

#[test]
fn a_message_of_just_the_limit_is_whole() {
    for (length, kind) in [(100, UnitKind::Message), (101, UnitKind::Oversize)] {
        let mut file = b"MSH|".to_vec();
        file.resize(length, b'x');
        for tail in [&b""[..], b"\r", b"\r\n", b"\r\nMSH|2\r"] {
            let all = [&file[..], tail].concat();
            assert_eq!(split(&all, 100, 16)[0].kind, kind, "{length} {tail:?}");
        }
    }
}

#[test]
fn a_gap_longer_than_the_limit_ends_the_message_before_it() {
    let mut file = b"MSH|1\r".to_vec();
    file.resize(5_000, b'\n');
    let alone = split(&file, 100, 16);
    assert_eq!((alone.len(), alone[0].kind), (1, UnitKind::Message));
    file.extend_from_slice(b"MSH|2");
    let units = split(&file, 100, 16);
    assert_eq!(units.iter().map(|unit| unit.kind).collect::<Vec<_>>(), [UnitKind::Message; 2]);
    assert_eq!((units[1].offset, units[1].line), (5_000, 4_995));
    file.truncate(5_000);
    file.extend_from_slice(b"PID|\r");
    assert_eq!(split(&file, 100, 16)[0].kind, UnitKind::Oversize, "the message went on after the gap");
}

#[test]
fn a_line_of_100_mb_needs_no_memory() {
    let line = io::repeat(b'x').take(100 << 20);
    let mut splitter = Splitter::new(b"MSH|1\rMSH|".chain(line).chain(&b"\rMSH|3\r"[..]), 1 << 20);
    let mut kinds = Vec::new();
    while let Some(unit) = splitter.next_unit().unwrap() {
        kinds.push(unit.kind);
    }
    assert_eq!(kinds, [UnitKind::Message, UnitKind::Oversize, UnitKind::Message]);
    assert!(splitter.buffer.allocated() <= (1 << 20) + CHUNK_BYTES);
}

#[test]
fn a_gap_of_4_mb_needs_no_memory() {
    let gap = io::repeat(b'\n').take(4 << 20);
    let mut splitter = Splitter::new(b"MSH|1\r".chain(gap).chain(&b"MSH|2\r"[..]), 1 << 16);
    let mut offsets = Vec::new();
    while let Some(unit) = splitter.next_unit().unwrap() {
        offsets.push(unit.offset);
    }
    assert_eq!(offsets, [0, 6 + (4 << 20)]);
    assert!(splitter.buffer.allocated() <= (1 << 16) + CHUNK_BYTES);
}

#[test]
fn an_error_of_the_reader_comes_through_and_an_interruption_does_not() {
    struct Failing(u8);
    impl Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Err(io::ErrorKind::Interrupted.into()),
                2 => {
                    into[..4].copy_from_slice(b"MSH|");
                    Ok(4)
                }
                _ => Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }
    let error = Splitter::new(Failing(0), 100).next_unit().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

/// Bytes that exercise the edges: names, line ends, blanks, marks and a few letters.
fn file_strategy() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(&b"\r"[..]), 2 => Just(&b"\n"[..]), 2 => Just(&b"\r\n"[..]),
        4 => Just(&b"MSH|"[..]), 1 => Just(&b"MS"[..]), 1 => Just(&b"MSHX"[..]),
        1 => Just(&b"FHS|"[..]), 1 => Just(&b"BHS|"[..]), 1 => Just(&b"BTS|1"[..]), 1 => Just(&b"FTS"[..]),
        2 => Just(&b"PID|x"[..]), 1 => Just(BOM), 1 => Just(&b"\xEF\xBB"[..]), 1 => Just(&b" "[..]),
        1 => Just(&b"\0"[..]), 1 => Just(&b"\x1c"[..]), 1 => Just(&b"\x0b"[..]), 1 => Just(&b"abcdefghijklmnop"[..]),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn is_gap(bytes: &[u8]) -> bool {
    skip_lead(bytes, 0, true).at == bytes.len()
}

proptest! {
    #[test]
    fn units_do_not_depend_on_the_chunks(file in file_strategy(), chunk in 1_usize..40, max in 4_usize..80) {
        prop_assert_eq!(split(&file, max, chunk), split(&file, max, 100_000));
    }

    #[test]
    fn units_and_gaps_make_up_the_file(file in file_strategy(), chunk in 1_usize..40) {
        let mut at = 0;
        for unit in split(&file, 100_000, chunk) {
            let start = usize::try_from(unit.offset).unwrap();
            prop_assert!(is_gap(&file[at..start]), "bytes lost before {}", start);
            at = start + unit.bytes.len();
            prop_assert_eq!(&file[start..at], &unit.bytes[..]);
        }
        prop_assert!(is_gap(&file[at..]), "bytes lost at the end");
    }

    #[test]
    fn lines_are_counted_as_a_person_would(file in file_strategy(), chunk in 1_usize..40) {
        for unit in split(&file, 100_000, chunk) {
            let before = &file[..usize::try_from(unit.offset).unwrap()];
            let ends = (0..before.len())
                .filter(|at| before[*at] == b'\r' || before[*at] == b'\n' && (*at == 0 || before[*at - 1] != b'\r'))
                .count();
            prop_assert_eq!(unit.line, ends as u64 + 1);
        }
    }

    #[test]
    fn resuming_gives_the_units_that_remain(file in file_strategy(), chunk in 1_usize..40, max in 4_usize..80) {
        let all = split(&file, max, chunk);
        for (count, unit) in all.iter().enumerate() {
            prop_assert_eq!(&split_from(&file, max, chunk, unit.next)[..], &all[count + 1..]);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(file in prop::collection::vec(any::<u8>(), 0..500), chunk in 1_usize..40) {
        let units = split(&file, 50, chunk);
        prop_assert!(units.iter().all(|unit| unit.bytes.len() <= HEAD_BYTES_MAX));
    }
}
