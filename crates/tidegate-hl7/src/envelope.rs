//! The second pass over a file: is it whole, in order, and how much is in it?
//!
//! Invariant: nothing of a file is delivered before this pass has seen its end; a header without its trailer refuses the
//! file, since a file cut inside its last message may still look valid. It does not look into messages.

use std::io::{self, Read};

use crate::count::{Declared, mismatch};
use crate::order::Order;
use crate::profile::Profile;
use crate::refusal::{Refusal, RefusalKind};
use crate::routing::Routing;
use crate::splitter::Splitter;
use crate::unit::{Unit, UnitKind};

/// Most notes kept of a file.
pub const NOTES_MAX: usize = 20;

/// How a file is wrapped (CDC guide 1.5, chapter 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Messages only.
    Bare,
    /// `BHS .. BTS`, once or more.
    Batch,
    /// `FHS .. FTS`.
    File,
}

/// What a whole file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// How it is wrapped.
    pub shape: Shape,
    /// Messages, those over the limit included.
    pub messages: u64,
    /// Runs of lines that belong to no message.
    pub strays: u64,
    /// Batches of the sender; for a bare stream 0.
    pub batches: u64,
    /// Things to tell the sender about the file as a whole, at most [`NOTES_MAX`].
    pub notes: Vec<String>,
    /// What FTS-2 of the response says.
    pub(crate) trailer_comment: String,
    /// Whom the response goes to.
    pub sender: Routing,
}

/// Reads a whole file and says what it holds, or why it is refused. Errors are the reader's.
pub fn read_envelope<R: Read>(reader: R, profile: &Profile) -> io::Result<Result<Envelope, Refusal>> {
    let mut splitter = Splitter::new(reader, profile.limits.message_bytes_max);
    let mut survey = Survey::new(profile);
    while let Some(unit) = splitter.next_unit()? {
        if let Err(refusal) = survey.unit(unit) {
            return Ok(Err(Refusal { sender: Box::new(survey.sender), ..refusal }));
        }
    }
    let sender = Box::new(survey.sender.clone());
    Ok(survey.end().map_err(|refusal| Refusal { sender, ..refusal }))
}

struct Survey<'a> {
    profile: &'a Profile,
    order: Order,
    messages: u64,
    strays: u64,
    messages_in_batch: u64,
    announced: bool,
    notes: Vec<String>,
    trailer_comment: String,
    sender: Routing,
    has_sender: bool,
}

impl<'a> Survey<'a> {
    fn new(profile: &'a Profile) -> Self {
        Self {
            profile,
            order: Order::default(),
            messages: 0,
            strays: 0,
            messages_in_batch: 0,
            announced: false,
            notes: Vec::new(),
            trailer_comment: String::new(),
            sender: Routing::default(),
            has_sender: false,
        }
    }

    fn unit(&mut self, unit: Unit<'_>) -> Result<(), Refusal> {
        if !self.has_sender && !matches!(unit.kind, UnitKind::Stray) {
            self.sender = Routing::of(first_line(unit.bytes));
            self.has_sender = true;
        }
        self.order.unit(unit.kind, unit.line)?;
        match unit.kind {
            UnitKind::FileHeader => {}
            UnitKind::BatchHeader => self.messages_in_batch = 0,
            UnitKind::Message | UnitKind::Oversize => {
                self.messages += 1;
                self.messages_in_batch += 1;
            }
            UnitKind::Stray => self.strays += 1,
            UnitKind::BatchTrailer => self.batch_trailer(unit)?,
            UnitKind::FileTrailer => self.file_trailer(unit)?,
        }
        let limits = self.profile.limits;
        if self.messages + self.strays > limits.messages_max {
            return Err(too_large("messages", limits.messages_max));
        }
        if self.order.batches() > limits.batches_max {
            return Err(too_large("batches", limits.batches_max));
        }
        Ok(())
    }

    fn batch_trailer(&mut self, unit: Unit<'_>) -> Result<(), Refusal> {
        let declared = Declared::of(unit.bytes);
        self.announced |= matches!(declared, Declared::Count(count) if count > 0);
        whole_trailer(unit, declared, &[self.messages_in_batch])?;
        self.note(mismatch("BTS-1", "messages", declared, self.messages_in_batch), unit.line)
    }

    fn file_trailer(&mut self, unit: Unit<'_>) -> Result<(), Refusal> {
        let declared = Declared::of(unit.bytes);
        // Some senders count messages here.
        whole_trailer(unit, declared, &[self.order.batches(), self.messages])?;
        if self.order.has_loose_messages() {
            return Ok(());
        }
        let mismatch = mismatch("FTS-1", "batches", declared, self.order.batches());
        self.trailer_comment = mismatch.clone().unwrap_or_default();
        self.note(mismatch, unit.line)
    }

    fn note(&mut self, mismatch: Option<String>, line: u64) -> Result<(), Refusal> {
        let Some(mismatch) = mismatch else { return Ok(()) };
        if self.profile.strict_counts {
            return Err(Refusal::new(RefusalKind::CountMismatch, format!("{mismatch} (line {line})")));
        }
        if self.notes.len() < NOTES_MAX {
            self.notes.push(format!("{mismatch} (line {line})"));
        }
        Ok(())
    }

    fn end(self) -> Result<Envelope, Refusal> {
        let shape = self.order.end()?;
        let empty_batch_is_meant = self.order.batches() > 0 && !self.announced && self.strays == 0;
        if self.messages == 0 && !empty_batch_is_meant {
            return Err(Refusal::new(
                RefusalKind::NoMessages,
                "the file holds no message: no line begins with MSH",
            ));
        }
        Ok(Envelope {
            shape,
            messages: self.messages,
            strays: self.strays,
            batches: self.order.batches(),
            notes: self.notes,
            trailer_comment: self.trailer_comment,
            sender: self.sender,
        })
    }
}

/// A trailer without line end is whole only if its count proves it: anything else may be the start of a longer line.
fn whole_trailer(unit: Unit<'_>, declared: Declared, counts: &[u64]) -> Result<(), Refusal> {
    let proven = matches!(declared, Declared::Count(count) if counts.contains(&count));
    if unit.terminated || proven {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalKind::Truncated,
        format!("truncated: the file breaks off inside its last line, a trailer (line {})", unit.line),
    ))
}

fn too_large(what: &str, max: u64) -> Refusal {
    Refusal::new(RefusalKind::TooLarge, format!("the file holds more than {max} {what}"))
}

fn first_line(bytes: &[u8]) -> &[u8] {
    bytes.get(..memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len())).unwrap_or_default()
}
