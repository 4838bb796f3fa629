//! A whole file through the door without a store: what `tidegate hl7 check` does.
//!
//! Invariant: gives the response and the report the server would give, since it takes the same steps; only that nothing
//! is delivered and no earlier file is known.

use std::io::{self, Read, Seek, Write};

use crate::door::{Delivery, Door, Outputs};
use crate::envelope::{Envelope, read_envelope};
use crate::profile::Profile;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::report;
use crate::response::refuse;
use crate::sniff::{SNIFF_BYTES, sniff};
use crate::summary::Summary;

/// A file examined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Its outcome.
    pub summary: Summary,
    /// The report for people.
    pub report: String,
}

/// The first two passes: is it HL7, and is it whole? The reader stands at the start of the file, before and after.
pub fn survey<R: Read + Seek>(reader: &mut R, profile: &Profile) -> io::Result<Result<Envelope, Refusal>> {
    let mut first = Vec::with_capacity(SNIFF_BYTES);
    reader.by_ref().take(SNIFF_BYTES as u64).read_to_end(&mut first)?;
    reader.rewind()?;
    if let Err(refusal) = sniff(&first) {
        return Ok(Err(refusal));
    }
    let envelope = read_envelope(&mut *reader, profile)?;
    reader.rewind()?;
    Ok(envelope)
}

/// Takes a file through the whole door and writes the response it would get.
pub fn examine<R, W>(reader: &mut R, profile: &Profile, reply: &Reply, response: W) -> io::Result<Examined>
where
    R: Read + Seek,
    W: Write,
{
    let envelope = match survey(reader, profile)? {
        Ok(envelope) => envelope,
        Err(refusal) => {
            refuse(response, reply, &refusal)?;
            let summary = Summary::refused(refusal);
            return Ok(Examined { report: report::render(reply, &summary), summary });
        }
    };
    let outputs = Outputs { response, details: Vec::new() };
    let mut door = Door::open(reader, &envelope, profile, reply, outputs);
    while door.step()?.is_some() {
        door.commit(Delivery::Done)?;
    }
    let finished = door.finish()?;
    let mut text = report::render(reply, &finished.summary);
    text.push_str(&String::from_utf8_lossy(&finished.outputs.details));
    Ok(Examined { summary: finished.summary, report: text })
}
