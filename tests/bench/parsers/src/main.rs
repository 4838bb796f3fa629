//! The HL7 door beside plain reading and three parsers from crates.io, in one run: `just parsers [MIB]`.
//!
//! The parsers do less than the door: each message becomes a tree in memory, its control id is read and the tree is thrown
//! away. They find no batches, check nothing and answer nothing; our splitter gives them the messages.

use std::error::Error;
use std::fs::File;
use std::io;

use tidegate_hl7::{Splitter, UnitKind};

#[allow(dead_code, reason = "its main function is that of another program")]
#[path = "../../../../crates/tidegate-hl7/benches/door.rs"]
mod door;

fn main() -> Result<(), Box<dyn Error>> {
    let mib = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(64);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("parsers.hl7");
    let size = door::write_file(&path, mib * door::MIB)?;
    let open = || File::open(&path);
    let read = door::measure("read()", size, None, || Ok(door::drain(open()?)?))?;
    let beside = Some(read);
    door::measure("whole door", size, beside, || Ok(door::door(open()?, open()?)?.counts.accepted))?;
    door::measure("er7", size, beside, || {
        Ok(each(open()?, |text| er7::parse(text).is_ok_and(|message| message.control_id().is_some()))?)
    })?;
    door::measure("hl7-parser", size, beside, || {
        Ok(each(open()?, |text| {
            hl7_parser::parse_message_with_lenient_newlines(text)
                .is_ok_and(|message| message.query("MSH.10").is_some())
        })?)
    })?;
    door::measure("rust-hl7", size, beside, || {
        Ok(each(open()?, |text| {
            rusthl7::message::Message::try_from(text).is_ok_and(|message| !message.query("MSH.F9").is_empty())
        })?)
    })?;
    Ok(())
}

/// How many messages of a file a parser can read.
fn each(file: File, reads: impl Fn(&str) -> bool) -> io::Result<u64> {
    let mut splitter = Splitter::new(file, 1 << 20);
    let mut read = 0;
    while let Some(unit) = splitter.next_unit()? {
        if unit.kind == UnitKind::Message {
            read += u64::from(std::str::from_utf8(unit.bytes).is_ok_and(&reads));
        }
    }
    Ok(read)
}
