use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use tidegate_disk::faults::{Fault, FaultyDisk, Plan};
use tidegate_domain::JobId;

use super::fresh;
use super::run::{Record, Writing};
use super::*;

/// Fresh records that become a run here.
const FULL: usize = 128;

fn job(number: u8) -> JobId {
    JobId::from_bytes([0, 0, 0, 0, 0, number, 0, 0, 0, 0])
}

/// Keys that lie as hashes do.
fn key(number: u64) -> u128 {
    let scatter = |number: u64| {
        let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
    };
    let upper = scatter(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
    (u128::from(upper) << 64) | u128::from(scatter(upper))
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn directory(&self) -> PathBuf {
        self.0.path().join("known/ACME01")
    }

    fn copied(&self) -> Self {
        let copy = Self::new();
        fs::create_dir_all(copy.directory()).unwrap();
        for entry in fs::read_dir(self.directory()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.directory().join(entry.file_name())).unwrap();
        }
        copy
    }

    fn book(&self, number: u8) -> Book {
        self.book_on(Disk::default(), number)
    }

    fn book_on(&self, disk: Disk, number: u8) -> Book {
        Book::new(disk, self.directory(), job(number), FULL)
    }

    fn runs(&self) -> Vec<u64> {
        run::list(&Disk::default(), &self.directory()).unwrap().iter().map(|run| run.count).collect()
    }

    /// Writes messages as a job does, a checkpoint for each thousand.
    fn deliver(&self, number: u8, messages: std::ops::Range<u64>) {
        let mut book = self.book(number);
        for message in messages {
            book.remember(key(message), message);
            if message % 100 == 0 {
                book.write().unwrap();
            }
        }
        book.write().unwrap();
    }

    fn look_up(&self, number: u8, message: u64) -> Known {
        self.book(number).look_up(key(message), message).unwrap()
    }
}

#[test]
fn another_job_knows_what_was_written_and_its_own_job_tells_it_apart() {
    let place = Place::new();
    let mut book = place.book(1);
    book.remember(key(7), 7);
    assert_eq!(place.look_up(2, 7), Known::No, "not written yet");
    book.write().unwrap();
    assert_eq!(place.look_up(2, 7), Known::Same);
    assert_eq!(place.book(2).look_up(key(7), 8).unwrap(), Known::Other);
    assert_eq!([place.look_up(1, 7), place.look_up(2, 8)], [Known::Own, Known::No]);
    assert_eq!(place.book(1).look_up(key(7), 8).unwrap(), Known::No, "what it delivered is no bar to itself");
    let mut third = place.book(3);
    third.remember(key(7), 8);
    third.write().unwrap();
    assert_eq!([place.look_up(1, 7), place.look_up(3, 7)], [Known::Other, Known::Same], "others come first");
}

#[test]
fn a_message_is_found_among_thousands_in_few_files() {
    let place = Place::new();
    for number in 0..30 {
        let first = u64::from(number) * 500;
        place.deliver(number, first..first + 500);
    }
    let runs = place.runs();
    assert!(runs.len() <= 3 * 7 + 16, "{runs:?}");
    let mut book = place.book(100);
    for message in (0..15_000).step_by(49) {
        assert_eq!(book.look_up(key(message), message).unwrap(), Known::Same, "{message}");
        assert_eq!(book.look_up(key(message + 15_000), message).unwrap(), Known::No, "{message}");
    }
    assert_eq!(place.look_up(29, 14_999), Known::Own, "in a run that others share");
}

#[test]
fn keys_that_lie_unevenly_are_found_too() {
    let place = Place::new();
    let disk = Disk::default();
    fs::create_dir_all(place.directory()).unwrap();
    let keys: Vec<u128> =
        (0..5_000).chain((0..300).map(|_| 9_000)).chain((0..5_000).map(|n| u128::MAX - 10_000 + n)).collect();
    let mut writing = Writing::begin(&disk, &place.directory(), 1).unwrap();
    for (content, key) in (0..).zip(&keys) {
        writing.push(&Record { key: *key, content, job: job(1) }).unwrap();
    }
    writing.finish(&disk, &place.directory()).unwrap();
    let mut book = place.book(2);
    for key in [0, 1, 119, 120, 121, 2_500, 4_999, 9_000, u128::MAX - 10_000, u128::MAX - 5_001] {
        assert_ne!(book.look_up(key, u64::MAX).unwrap(), Known::No, "{key}");
    }
    for key in [5_000, 8_999, 9_001, u128::MAX / 2, u128::MAX - 10_001, u128::MAX - 5_000, u128::MAX] {
        assert_eq!(book.look_up(key, u64::MAX).unwrap(), Known::No, "{key}");
    }
}

#[test]
fn what_a_power_cut_tore_is_passed_over_and_written_behind() {
    let whole = Place::new();
    whole.deliver(1, 1..4);
    let bytes = fs::read(fresh::path(&whole.directory())).unwrap();
    for cut in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[cut] ^= 1;
        for left in [&bytes[..cut], &damaged] {
            let place = Place::new();
            fs::create_dir_all(place.directory()).unwrap();
            fs::write(fresh::path(&place.directory()), left).unwrap();
            let known = (1..4).filter(|message| place.look_up(2, *message) == Known::Same).count();
            assert_eq!(known, if left.len() < bytes.len() { cut * 3 / bytes.len() } else { 2 }, "{cut}");
            place.deliver(3, 4..6);
            assert_eq!([place.look_up(2, 4), place.look_up(2, 5)], [Known::Same; 2], "{cut}");
        }
    }
}

#[test]
fn a_damaged_run_costs_what_is_in_it_and_no_more() {
    let place = Place::new();
    let full = FULL as u64;
    for number in 0..7_u8 {
        place.deliver(number, u64::from(number) * full..(u64::from(number) + 1) * full);
    }
    let runs = run::list(&Disk::default(), &place.directory()).unwrap();
    let (cut, flipped) = (&runs[0], &runs[1]);
    fs::OpenOptions::new().write(true).open(&cut.path).unwrap().set_len(1_000).unwrap();
    let mut bytes = fs::read(&flipped.path).unwrap();
    bytes[2_000] ^= 1;
    fs::write(&flipped.path, bytes).unwrap();
    place.deliver(7, 7 * full..10 * full);
    let mut reader = place.book(100);
    let mut knows = |message: &u64| reader.look_up(key(*message), *message).unwrap() == Known::Same;
    let left = (0..10 * full).filter(&mut knows).count();
    let lost = 10 * FULL - left;
    assert!((FULL..=2 * FULL).contains(&lost), "{lost} of {}", 10 * FULL);
}

#[test]
fn no_fault_makes_anything_forgotten_that_was_written() {
    let full = FULL as u64;
    let before = Place::new();
    before.deliver(1, 0..7 * full + full / 2);
    let remember = |book: &mut Book, messages: std::ops::Range<u64>| {
        messages.for_each(|message| book.remember(key(message), message));
        book.write()
    };
    let mut hits = 0;
    for fault in Fault::ALL {
        for call in 0.. {
            let place = before.copied();
            let faulty = FaultyDisk::new(place.0.path(), &[]).unwrap();
            faulty.arm(Some(Plan { call, fault }));
            let written = remember(&mut place.book_on(faulty.disk(), 2), 8 * full..9 * full);
            let Some(hit) = faulty.hit() else { break };
            hits += 1;
            let mut reader = place.book(3);
            let mut knows = |message| reader.look_up(key(message), message).unwrap() == Known::Same;
            assert!((0..7 * full + full / 2).step_by(7).all(&mut knows), "{hit:?}");
            assert!(written.is_err() || knows(8 * full), "{hit:?}");
            // The next job tidies up what was left.
            faulty.stop(false);
            remember(&mut place.book_on(faulty.disk(), 4), 10 * full..11 * full).unwrap();
            assert_eq!([place.look_up(5, 5), place.look_up(5, 11 * full - 1)], [Known::Same; 2], "{hit:?}");
        }
    }
    assert!(hits > 100, "{hits}");
}

#[test]
fn a_write_that_failed_is_made_up_for_by_the_next() {
    let place = Place::new();
    place.deliver(1, 0..10);
    let faulty = FaultyDisk::new(place.0.path(), &[]).unwrap();
    let mut book = place.book_on(faulty.disk(), 2);
    book.remember(key(20), 20);
    faulty.arm(Some(Plan { call: 0, fault: Fault::NoSpace }));
    assert!(book.write().is_err());
    assert_eq!(place.look_up(3, 20), Known::No);
    book.write().unwrap();
    assert_eq!(place.look_up(3, 20), Known::Same);
}

#[test]
fn what_came_long_ago_is_forgotten_by_whole_files() {
    let place = Place::new();
    let full = FULL as u64;
    place.deliver(1, 0..full);
    place.deliver(3, full..2 * full);
    let known = place.0.path().join("known");
    let forget = |job: JobId| forget(&Disk::default(), &known, job.made_at()).unwrap();
    assert_eq!(forget(job(1)), 0);
    assert_eq!(forget(job(2)), full);
    assert_eq!([place.look_up(9, 5), place.look_up(9, full)], [Known::No, Known::Same]);
    let mut late = place.book(4);
    for message in [70, 71] {
        late.remember(key(message), message);
        late.write().unwrap();
        assert_eq!(place.look_up(9, message), Known::Same);
        assert_eq!(forget(job(4)), if message == 70 { full } else { 0 });
        assert_eq!(forget(job(5)), 1, "of the newest, too");
        assert_eq!(place.look_up(9, message), Known::No);
    }
    assert_eq!(super::forget(&Disk::default(), &place.0.path().join("none"), job(1).made_at()).unwrap(), 0);
}
