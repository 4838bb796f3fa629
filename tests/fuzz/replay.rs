//! The fuzz targets without a fuzzer: each seed, changes of them at random, and what the fuzzer found to lead somewhere new.
//!
//! `TIDEGATE_FUZZ_SEED` begins elsewhere, `TIDEGATE_FUZZ_ROUNDS` goes on for longer. A failure prints its input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
#![allow(missing_docs, unreachable_pub, reason = "the targets are a library for the fuzzer")]

#[path = "src/lib.rs"]
mod targets;

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

const SEED_DEFAULT: u64 = 0x7469_6465;
const ROUNDS_DEFAULT: u64 = 1000;
const EDITS_MAX: usize = 6;
/// Files of random messages that are in order.
const FILES: usize = 100;
/// What parsers look for.
const WORDS: [&[u8]; 17] = [
    b"\r\n",
    b"\r",
    b"ABOR\r\n",
    b"\xff\xf4",
    b"../",
    b"/",
    b"-",
    b"\rMSH|^~\\&|",
    b"\rBTS|",
    b"\rFTS|1\r",
    b"||",
    b"\0",
    b"\xff\xff\xff\xff",
    b"+1400",
    b"\x0b",
    b"\x1c\r",
    b"\rMSA|AA|M1\rERR||||W",
];

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// xorshift64 (Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn one_of<'a>(&mut self, all: &'a [Vec<u8>]) -> &'a [u8] {
        &all[self.below(all.len())]
    }

    /// Overwrites, cuts out, puts in and takes over.
    fn edit(&mut self, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        let end = (at + self.below(20)).min(bytes.len());
        match self.below(6) {
            0 => _ = bytes.splice(at..end, []),
            1 => _ = bytes.splice(at..at, WORDS[self.below(WORDS.len())].iter().copied()),
            2 => _ = bytes.splice(at..at, bytes[at..end].to_vec()),
            3 => {
                let other = self.one_of(others);
                _ = bytes.splice(at.., other[self.below(other.len() + 1)..].iter().copied());
            }
            _ if at < bytes.len() => bytes[at] = u8::try_from(self.below(256)).unwrap(),
            _ => {}
        }
    }
}

/// Messages that are in order.
impl Random {
    /// The lines of a message with separators of its own now and then.
    fn message(&mut self) -> Vec<String> {
        let signs = if self.below(4) == 0 { ['#', '*', '!', '?', '@'] } else { ['|', '^', '~', '\\', '&'] };
        let [field, component, repetition, escape, subcomponent] = signs;
        let header = format!("MSH{field}{component}{repetition}{escape}{subcomponent}{field}");
        let mut lines = vec![header + &self.fields(signs, 24)];
        for _ in 0..self.below(12) {
            let name = ["PID", "PD1", "NK1", "ORC", "RXA", "RXR", "OBX", "NTE", "ZA1"][self.below(9)];
            lines.push(format!("{name}{field}{}", self.fields(signs, 30)));
        }
        lines
    }

    fn fields(&mut self, signs: [char; 5], count_max: usize) -> String {
        let [field, component, repetition, escape, subcomponent] = signs.map(String::from);
        let text = |random: &mut Self| match random.below(7) {
            0..=2 => String::new(),
            3 => format!("{escape}T{escape}{escape}.br{escape}"),
            4 => "Zo\u{eb} \u{10d}\u{1f489} ".to_owned(),
            _ => format!("A{} b", random.below(1_000)),
        };
        let value = |random: &mut Self| random.several(3, &subcomponent, text);
        let repeated = |random: &mut Self| random.several(4, &component, value);
        let whole = |random: &mut Self| random.several(3, &repetition, repeated);
        self.several(count_max, &field, whole)
    }

    /// One to `count_max` parts with a separator between them.
    fn several(&mut self, count_max: usize, separator: &str, part: impl Fn(&mut Self) -> String) -> String {
        (0..=self.below(count_max)).map(|_| part(self)).collect::<Vec<_>>().join(separator)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz")
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = folder().join("seeds").join(target);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// The files of a target's corpus, if it has one: a tar (POSIX ustar), whose blocks are of 512 bytes. A header has the length
/// of its file at 124, in octal digits, and its kind at 156.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let tar = match std::fs::read(folder().join("corpora").join(target).with_extension("tar")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        tar => tar.unwrap(),
    };
    let (mut files, mut rest) = (Vec::new(), &tar[..]);
    while rest[0] != 0 {
        let digits = str::from_utf8(&rest[124..135]).unwrap();
        let length = usize::from_str_radix(digits, 8).unwrap();
        if rest[156] == b'0' {
            files.push(rest[512..512 + length].to_vec());
        }
        rest = &rest[512 + length.next_multiple_of(512)..];
    }
    assert!(!files.is_empty(), "a corpus of nothing");
    files
}

fn attack(name: &str, target: fn(&[u8])) {
    let seed = from_environment("TIDEGATE_FUZZ_SEED").unwrap_or(SEED_DEFAULT).max(1);
    println!("replay with TIDEGATE_FUZZ_SEED={seed}");
    let check = |bytes: &[u8]| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(bytes))) {
            println!("{name} fails with b\"{}\"", bytes.escape_ascii());
            resume_unwind(panic);
        }
    };
    let (mut random, seeds) = (Random(seed), seeds(name));
    for bytes in seeds.iter().chain(&corpus(name)) {
        check(bytes);
    }
    for _ in 0..from_environment("TIDEGATE_FUZZ_ROUNDS").unwrap_or(ROUNDS_DEFAULT) {
        let mut bytes = random.one_of(&seeds).to_vec();
        for _ in 0..=random.below(EDITS_MAX) {
            random.edit(&mut bytes, &seeds);
        }
        check(&bytes);
    }
}

#[test]
fn no_command_line_breaks_the_ftp_parser() {
    attack("ftp_commands", targets::ftp_commands);
}

#[test]
fn no_client_breaks_an_ftp_session() {
    attack("ftp_session", targets::ftp_session);
}

#[test]
fn no_packet_breaks_the_sftp_parser() {
    attack("sftp_packet", targets::sftp_packet);
}

#[test]
fn no_file_breaks_the_splitter_or_the_response() {
    attack("hl7_file", targets::hl7_file);
}

#[test]
fn no_message_breaks_the_rules() {
    attack("hl7_message", targets::hl7_message);
}

#[test]
fn no_time_breaks_the_rules() {
    attack("hl7_time", targets::hl7_time);
}

#[test]
fn no_answer_of_a_registry_settles_another_message() {
    attack("ack", targets::ack);
}

#[test]
fn no_message_is_read_otherwise_than_er7_reads_it() {
    attack("er7", targets::er7);
}

/// Valid ones, where both have to see the whole tree and nothing is refused.
#[test]
fn random_messages_and_files_are_read_as_er7_reads_them() {
    let seed = from_environment("TIDEGATE_FUZZ_SEED").unwrap_or(SEED_DEFAULT).max(1);
    println!("replay with TIDEGATE_FUZZ_SEED={seed}");
    let mut random = Random(seed);
    for _ in 0..FILES {
        let line_end = ["\r", "\n", "\r\n"][random.below(3)];
        let mut file = format!("FHS|^~\\&|EHR{line_end}BHS|^~\\&|EHR{line_end}");
        let count = random.below(6);
        for _ in 0..count {
            let lines = random.message();
            let message = lines.join(line_end);
            assert!(tidegate_hl7::fuzzing::reading(message.as_bytes()).unwrap().lines.len() == lines.len());
            targets::er7(message.as_bytes());
            file.push_str(&message);
            file.push_str(line_end);
        }
        let trailers = format!("BTS|{count}{line_end}FTS|1{line_end}");
        file.push_str(&trailers);
        targets::er7_file(file.as_bytes());
    }
}

#[test]
fn no_connection_of_a_registry_breaks_the_frames() {
    attack("mllp", targets::mllp);
}
