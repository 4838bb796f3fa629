//! Writes made-up files into a directory, for trying other people's HL7 programs on them and on our answers.
//!
//! `cargo run -p tidegate-hl7 --example samples -- DIRECTORY`: `clean.hl7` with messages without a fault, in an envelope;
//! `single.hl7` with one message without an envelope; `defects.hl7` with each defect; `cut.hl7`, which breaks off.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use tidegate_hl7::sample::{DEFECTS, defective, file, message};

/// Messages in the clean file.
const CLEAN: u64 = 60;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: samples DIRECTORY")?);
    let clean: Vec<_> = (0..CLEAN).map(message).collect();
    let defects: Vec<_> = DEFECTS.iter().zip(100..).map(|(defect, seed)| defective(seed, *defect)).collect();
    let whole = file("SAMPLE-CUT", &clean);
    let cut = whole.get(..whole.len() - 40).ok_or("too short to cut")?;
    fs::write(directory.join("cut.hl7"), cut)?;
    fs::write(directory.join("clean.hl7"), file("SAMPLE-CLEAN", &clean))?;
    fs::write(directory.join("single.hl7"), message(1_000))?;
    fs::write(directory.join("defects.hl7"), file("SAMPLE-DEFECTS", &defects))?;
    Ok(())
}
