//! The order of headers, messages and trailers in a file (HL7 2.5.1, section 2.10.3).
//!
//! Invariant: whatever order passes here has an end for each beginning. `BHS` and `BTS` may be left out within a file;
//! messages without them form a batch of their own.

use crate::envelope::Shape;
use crate::refusal::{Refusal, RefusalKind};
use crate::unit::UnitKind;

/// How far the order of a file has come.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Order {
    file: File,
    batch: Batch,
    batches: u64,
    bare_messages: bool,
    loose_messages: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum File {
    #[default]
    None,
    Open,
    Closed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Batch {
    #[default]
    None,
    /// Opened by a `BHS`.
    Open,
    /// Opened by a message within a file, without `BHS`.
    Loose,
}

impl Order {
    /// Takes the next unit, which stands at `line`.
    pub(crate) fn unit(&mut self, kind: UnitKind, line: u64) -> Result<(), Refusal> {
        match kind {
            UnitKind::FileHeader => self.file_header(line),
            UnitKind::BatchHeader => self.batch_header(line),
            UnitKind::Message | UnitKind::Oversize => self.message(line),
            UnitKind::Stray => Ok(()),
            UnitKind::BatchTrailer => self.batch_trailer(line),
            UnitKind::FileTrailer => self.file_trailer(line),
        }
    }

    /// Batches begun so far.
    pub(crate) fn batches(&self) -> u64 {
        self.batches
    }

    /// Whether messages stood in a file but in no batch: then nobody can say how many batches there are.
    pub(crate) fn has_loose_messages(&self) -> bool {
        self.loose_messages
    }

    /// Takes the end of the file.
    pub(crate) fn end(&self) -> Result<Shape, Refusal> {
        if self.batch == Batch::Open {
            return Err(no_batch_trailer(self.batches, "the file ends"));
        }
        match self.file {
            File::Open => Err(Refusal::new(
                RefusalKind::Truncated,
                "truncated: the file begins with FHS but ends without its FTS; it was cut off",
            )),
            File::Closed => Ok(Shape::File),
            File::None if self.batches > 0 => Ok(Shape::Batch),
            File::None => Ok(Shape::Bare),
        }
    }

    fn file_header(&mut self, line: u64) -> Result<(), Refusal> {
        if self.file != File::None {
            return Err(out_of_order("a second FHS", line));
        }
        if self.batches > 0 || self.bare_messages {
            return Err(out_of_order("an FHS after batches or messages", line));
        }
        self.file = File::Open;
        Ok(())
    }

    fn batch_header(&mut self, line: u64) -> Result<(), Refusal> {
        match (self.file, self.batch) {
            (File::Closed, _) => return Err(out_of_order("a BHS after FTS", line)),
            (_, Batch::Open) => return Err(out_of_order("a BHS inside a batch", line)),
            _ if self.bare_messages => {
                return Err(out_of_order("a BHS after messages that are in no batch", line));
            }
            _ => {}
        }
        (self.batch, self.batches) = (Batch::Open, self.batches + 1);
        Ok(())
    }

    fn message(&mut self, line: u64) -> Result<(), Refusal> {
        match (self.file, self.batch) {
            (File::Closed, _) => return Err(out_of_order("a message after FTS", line)),
            (File::Open, Batch::None) => {
                (self.batch, self.batches) = (Batch::Loose, self.batches + 1);
                self.loose_messages = true;
            }
            (File::None, Batch::None) if self.batches > 0 => {
                return Err(out_of_order("a message after BTS, in no batch", line));
            }
            (File::None, Batch::None) => self.bare_messages = true,
            (_, Batch::Open | Batch::Loose) => {}
        }
        Ok(())
    }

    fn batch_trailer(&mut self, line: u64) -> Result<(), Refusal> {
        if self.batch != Batch::Open {
            return Err(out_of_order("a BTS without its BHS", line));
        }
        self.batch = Batch::None;
        Ok(())
    }

    fn file_trailer(&mut self, line: u64) -> Result<(), Refusal> {
        if self.file != File::Open {
            return Err(out_of_order("an FTS without its FHS", line));
        }
        if self.batch == Batch::Open {
            return Err(no_batch_trailer(self.batches, "FTS comes"));
        }
        (self.file, self.batch) = (File::Closed, Batch::None);
        Ok(())
    }
}

fn out_of_order(what: &str, line: u64) -> Refusal {
    Refusal::new(RefusalKind::OutOfOrder, format!("the file is out of order: {what} (line {line})"))
}

fn no_batch_trailer(batch: u64, when: &str) -> Refusal {
    Refusal::new(
        RefusalKind::Truncated,
        format!("truncated: batch {batch} has a BHS but {when} before its BTS"),
    )
}
