//! Made-up messages and files for demonstrations, tests and benchmarks.
//!
//! Invariant: the same seed always gives the same bytes, and no person, place or number in them is real: names are
//! `TEST..`, the assigning authority is `SYNTHETIC`, the telephone exchange 555-01xx. They are not meant as a guide
//! to good messages.

use std::fmt::Write;

/// What can be wrong with a made-up message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Defect {
    /// PID-5 is empty: an error that holds the message back.
    NoName,
    /// PID-7 lies in the future.
    BirthInFuture,
    /// PID-3.4 is empty: a warning.
    NoAuthority,
    /// RXA-3 lies before PID-7: an error of one ORDER group.
    GivenBeforeBirth,
    /// RXA-5.3 names no coding system that is known.
    UnknownCodingSystem,
    /// MSH-9 is `ADT^A08`: rejected.
    WrongType,
    /// MSH-12 is a version nobody has.
    WrongVersion,
    /// MSH-10 is empty.
    NoControlId,
    /// MSH-2 can't be used: the message can't be read.
    BadSeparators,
    /// A note was broken into two lines.
    BrokenLine,
    /// A control character in a name.
    ControlByte,
    /// No ORC and RXA: legal, patient data only.
    NoOrders,
}

/// All defects, for tables of tests and for demonstrations.
pub const DEFECTS: [Defect; 12] = [
    Defect::NoName,
    Defect::BirthInFuture,
    Defect::NoAuthority,
    Defect::GivenBeforeBirth,
    Defect::UnknownCodingSystem,
    Defect::WrongType,
    Defect::WrongVersion,
    Defect::NoControlId,
    Defect::BadSeparators,
    Defect::BrokenLine,
    Defect::ControlByte,
    Defect::NoOrders,
];

/// A `VXU^V04` that passes all rules on any day from 2026-03-15 on; about 1.2 KiB, each segment ended by CR.
pub fn message(seed: u64) -> Vec<u8> {
    const VACCINES: [(&str, &str); 4] = [
        ("08^Hep B, adolescent or pediatric^CVX", "MSD^Merck and Co., Inc.^MVX"),
        ("20^DTaP^CVX", "SKB^GlaxoSmithKline^MVX"),
        ("03^MMR^CVX", "MSD^Merck and Co., Inc.^MVX"),
        ("141^Influenza, seasonal, injectable^CVX", "SEQ^Seqirus^MVX"),
    ];
    let mut draw = Draw(seed);
    let number = draw.below(90_000_000) + 10_000_000;
    let (year, month, day) = (2012 + draw.below(12), 1 + draw.below(12), 1 + draw.below(28));
    let sex = if draw.below(2) == 0 { "F" } else { "M" };
    let mut out = String::with_capacity(1400);
    // Writing to a String does not fail.
    let _ = write!(
        out,
        "MSH|^~\\&|SAMPLEEHR|SAMPLECLINIC|IIS|STATE|20260315103000-0500||VXU^V04^VXU_V04|SAMPLE-{seed}|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS\r\
         PID|1||{number}^^^SYNTHETIC^MR||TEST{a}^CHILD{b}^^^^^L|TESTMOTHER^MARY^^^^^M|{year}{month:02}{day:02}|{sex}||2106-3^White^CDCREC|{b} EXAMPLE ST^^SAMPLETON^TX^78701^USA^P||^PRN^PH^^^512^55501{c:02}|||||||||2186-5^Not Hispanic or Latino^CDCREC||N\r\
         PD1|||||||||||02^Reminder/recall - any method^HL70215|N|20260315|||A|20260315|20260315\r\
         NK1|1|TESTMOTHER^MARY^^^^^L|MTH^Mother^HL70063|{b} EXAMPLE ST^^SAMPLETON^TX^78701^USA^P|^PRN^PH^^^512^55501{c:02}\r",
        a = number % 1000,
        b = 1 + draw.below(9000),
        c = draw.below(100),
    );
    for dose in 1..=1 + draw.below(2) {
        let (vaccine, maker) =
            VACCINES.get(usize::try_from(draw.below(4)).unwrap_or(0)).copied().unwrap_or_default();
        let _ = write!(
            out,
            "ORC|RE||{number}-{dose}^SYNTHETIC|||||||1234^CLERK^PAT^^^^^^SYNTHETIC^L||5678^NURSE^KIM^^^^^^SYNTHETIC^L\r\
             RXA|0|1|20260315||{vaccine}|0.5|mL^milliliter^UCUM||00^New immunization record^NIP001|5678^NURSE^KIM^^^^^^SYNTHETIC^L|^^^SAMPLECLINIC||||L{lot}|20271231|{maker}|||CP|A\r\
             RXR|C28161^Intramuscular^NCIT|LA^Left Arm^HL70163\r\
             OBX|1|CE|64994-7^Vaccine funding program eligibility category^LN|1|V01^Not VFC eligible^HL70064||||||F|||20260315\r",
            lot = 100_000 + draw.below(900_000),
        );
    }
    out.into_bytes()
}

/// A message with one thing wrong.
pub fn defective(seed: u64, defect: Defect) -> Vec<u8> {
    let message = message(seed);
    match defect {
        Defect::NoName => with_field(&message, "PID", 1, 5, ""),
        Defect::BirthInFuture => with_field(&message, "PID", 1, 7, "29991231"),
        Defect::NoAuthority => with_field(&message, "PID", 1, 3, "12345678^^^^MR"),
        Defect::GivenBeforeBirth => with_field(&message, "RXA", 1, 3, "20010101"),
        Defect::UnknownCodingSystem => with_field(&message, "RXA", 1, 5, "08^Hep B^LOCAL"),
        Defect::WrongType => with_field(&message, "MSH", 1, 9, "ADT^A08^ADT_A01"),
        Defect::WrongVersion => with_field(&message, "MSH", 1, 12, "9.9"),
        Defect::NoControlId => with_field(&message, "MSH", 1, 10, ""),
        Defect::BadSeparators => with_field(&message, "MSH", 1, 2, "^^"),
        Defect::BrokenLine => with_segment(&message, "NTE|1||first part of a note\rsecond part of it"),
        Defect::ControlByte => with_field(&message, "PID", 1, 5, "TEST\u{1}^CHILD"),
        Defect::NoOrders => without_segments(&message, &["ORC", "RXA", "RXR", "OBX"]),
    }
}

/// Messages as `FHS BHS .. BTS FTS`, with counts.
pub fn file(control_id: &str, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = header("FHS", control_id);
    out.extend_from_slice(&batch(control_id, messages));
    out.extend_from_slice(b"FTS|1\r");
    out
}

/// Messages as `BHS .. BTS`, with their count.
pub fn batch(control_id: &str, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = header("BHS", control_id);
    out.extend(messages.iter().flatten());
    out.extend_from_slice(format!("BTS|{}\r", messages.len()).as_bytes());
    out
}

fn header(segment: &str, control_id: &str) -> Vec<u8> {
    format!("{segment}|^~\\&|SAMPLEEHR|SAMPLECLINIC|IIS|STATE|20260315103000-0500||||{control_id}\r")
        .into_bytes()
}

/// The message with one field replaced; the segment is found by name and occurrence, counted from 1.
pub fn with_field(message: &[u8], segment: &str, occurrence: usize, field: usize, value: &str) -> Vec<u8> {
    let mut seen = 0;
    // The separator is the first field of MSH.
    let at = if segment == "MSH" { field.saturating_sub(1) } else { field };
    edit(message, |line| {
        seen += usize::from(line.starts_with(segment.as_bytes()));
        if !line.starts_with(segment.as_bytes()) || seen != occurrence {
            return Some(line.to_vec());
        }
        let mut fields: Vec<&[u8]> = line.split(|byte| *byte == b'|').collect();
        fields.resize(fields.len().max(at + 1), b"");
        if let Some(slot) = fields.get_mut(at) {
            *slot = value.as_bytes();
        }
        Some(fields.join(&b'|'))
    })
}

/// The message without the segments of these names.
pub fn without_segments(message: &[u8], names: &[&str]) -> Vec<u8> {
    edit(message, |line| (!names.iter().any(|name| line.starts_with(name.as_bytes()))).then(|| line.to_vec()))
}

/// The message with a segment appended.
pub fn with_segment(message: &[u8], segment: &str) -> Vec<u8> {
    [message, segment.as_bytes(), b"\r"].concat()
}

fn edit(message: &[u8], mut line: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    for segment in message.split(|byte| *byte == b'\r').filter(|segment| !segment.is_empty()) {
        if let Some(kept) = line(segment) {
            out.extend_from_slice(&kept);
            out.push(b'\r');
        }
    }
    out
}

/// A small generator (a Weyl sequence, mixed); good enough to make messages differ.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0xA076_1D64_78BD_642F);
        let mixed = u128::from(self.0) * u128::from(self.0 ^ 0xE703_7ED1_A0B4_28DB);
        u64::try_from(((mixed >> 64) ^ mixed) & u128::from(u64::MAX)).unwrap_or(0) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_others_differ() {
        assert_eq!(message(7), message(7));
        assert_ne!(message(7), message(8));
        let mut length: Vec<_> = (0..100).map(|seed| message(seed).len()).collect();
        length.sort_unstable();
        assert!((800..1_700).contains(&length[50]), "{}", length[50]);
    }

    #[test]
    fn fields_are_replaced_by_their_number_in_the_standard() {
        let changed = with_field(b"MSH|^~\\&|A\rPID|1||x\rRXA|0\rRXA|0\r", "MSH", 1, 3, "B");
        assert_eq!(changed, b"MSH|^~\\&|B\rPID|1||x\rRXA|0\rRXA|0\r");
        assert_eq!(with_field(b"RXA|0\rRXA|0\r", "RXA", 2, 3, "x"), b"RXA|0\rRXA|0||x\r");
    }
}
