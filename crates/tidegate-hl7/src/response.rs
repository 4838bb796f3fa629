//! The response file: `FHS BHS {MSH MSA [ERR..]}.. BTS FTS` (HL7 2.5.1, section 2.10.3; CDC guide 1.5, chapter 13).
//!
//! Invariant: what is written depends on the calls and the [`ResponseState`] alone, so that a file cut back to a
//! recorded length can be continued from the state recorded with it. It does not buffer across calls nor sync.

use std::io::{self, Write};

use crate::ack::{Acknowledger, NO_CONTROL_ID, file_error};
use crate::escape;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::routing::Routing;
use crate::verdict::Verdict;

/// How far a response has come: plain numbers, to be kept with the length of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResponseState {
    /// `FHS` was written.
    pub file_open: bool,
    /// A `BHS` was written whose `BTS` was not.
    pub batch_open: bool,
    /// Acknowledgments in the open batch.
    pub acks_in_batch: u64,
    /// Batches opened so far.
    pub batches: u64,
}

/// Writes a response, one acknowledgment at a time.
#[derive(Debug)]
pub struct Response<W> {
    writer: W,
    acknowledger: Acknowledger,
    sender: Routing,
    state: ResponseState,
    scratch: Vec<u8>,
}

impl<W: Write> Response<W> {
    /// Starts a response to a file from `sender`; nothing is written yet.
    pub fn new(writer: W, reply: Reply, sender: Routing) -> Self {
        Self::resume(writer, reply, sender, ResponseState::default())
    }

    /// Continues a response; the writer must stand at the length recorded with `state`.
    pub fn resume(writer: W, reply: Reply, sender: Routing, state: ResponseState) -> Self {
        Self { writer, acknowledger: Acknowledger::new(reply), sender, state, scratch: Vec::new() }
    }

    /// How far it has come.
    pub fn state(&self) -> ResponseState {
        self.state
    }

    /// The writer, for flushing and measuring.
    pub fn writer(&mut self) -> &mut W {
        &mut self.writer
    }

    /// Opens a batch that answers the sender's batch with this `BHS` line; an open one is closed first.
    pub fn begin_batch(&mut self, header: &[u8]) -> io::Result<()> {
        let batch = Routing::of(header);
        self.scratch.clear();
        self.put_batch_end("");
        self.put_batch_start(&batch.control_id);
        self.flush_scratch()
    }

    /// Appends the acknowledgment of a message; opens a batch if none is. `message` may be cut or empty.
    pub fn acknowledge(&mut self, message: &[u8], ordinal: u64, verdict: &Verdict) -> io::Result<()> {
        self.scratch.clear();
        if !self.state.batch_open {
            self.put_batch_start(b"");
        }
        self.acknowledger.write(&mut self.scratch, message, ordinal, verdict);
        self.state.acks_in_batch += 1;
        self.flush_scratch()
    }

    /// Closes the open batch, if any, with a comment in BTS-2.
    pub fn end_batch(&mut self, comment: &str) -> io::Result<()> {
        self.scratch.clear();
        self.put_batch_end(comment);
        self.flush_scratch()
    }

    /// Ends the response, with a comment in FTS-2, and gives the writer back.
    pub fn finish(mut self, comment: &str) -> io::Result<W> {
        self.scratch.clear();
        self.put_file_start();
        self.put_batch_end("");
        self.put_trailer("FTS", self.state.batches, comment);
        self.state = ResponseState::default();
        self.flush_scratch()?;
        self.writer.flush()?;
        Ok(self.writer)
    }

    fn flush_scratch(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.scratch)
    }

    fn put_file_start(&mut self) {
        if self.state.file_open {
            return;
        }
        self.state.file_open = true;
        let job_id = self.acknowledger.reply().job_id.clone();
        let reference = std::mem::take(&mut self.sender.control_id);
        self.put_header("FHS", &format!("{job_id}.response"), &job_id, &reference);
    }

    fn put_batch_start(&mut self, reference: &[u8]) {
        self.put_file_start();
        self.state.batches += 1;
        (self.state.batch_open, self.state.acks_in_batch) = (true, 0);
        let id = format!("{}-B{}", self.acknowledger.reply().job_id, self.state.batches);
        self.put_header("BHS", "", &id, reference);
    }

    fn put_batch_end(&mut self, comment: &str) {
        if self.state.batch_open {
            self.put_trailer("BTS", self.state.acks_in_batch, comment);
            (self.state.batch_open, self.state.acks_in_batch) = (false, 0);
        }
    }

    /// `FHS` and `BHS` have the same fields: 9 a name, 11 our control id, 12 the sender's.
    fn put_header(&mut self, segment: &str, name: &str, id: &str, reference: &[u8]) {
        let (out, reply, sender) = (&mut self.scratch, self.acknowledger.reply(), &self.sender);
        out.extend_from_slice(segment.as_bytes());
        out.extend_from_slice(b"|^~\\&");
        for (field, absent) in [
            (&sender.to_application, reply.application.as_str()),
            (&sender.to_facility, reply.facility.as_str()),
            (&sender.application, ""),
            (&sender.facility, ""),
        ] {
            out.push(b'|');
            if field.is_empty() { escape::text(out, absent) } else { out.extend_from_slice(field) }
        }
        out.push(b'|');
        out.extend_from_slice(reply.time().as_bytes());
        out.extend_from_slice(b"||");
        escape::text(out, name);
        out.extend_from_slice(b"||");
        escape::text(out, id);
        if !reference.is_empty() {
            out.push(b'|');
            out.extend_from_slice(reference);
        }
        out.push(b'\r');
    }

    fn put_trailer(&mut self, segment: &str, count: u64, comment: &str) {
        let out = &mut self.scratch;
        // Writing to a Vec does not fail.
        let _ = write!(out, "{segment}|{count}");
        if !comment.is_empty() {
            out.push(b'|');
            escape::text(out, comment);
        }
        out.push(b'\r');
    }
}

/// Writes the response to a whole file refused: one acknowledgment, AR, with the reason. Never an empty batch, which
/// would mean that everything was accepted.
pub fn refuse<W: Write>(writer: W, reply: &Reply, refusal: &Refusal) -> io::Result<W> {
    let mut response = Response::new(writer, reply.clone(), Routing::clone(&refusal.sender));
    response.scratch.clear();
    response.put_batch_start(b"");
    response.acknowledger.write_header(&mut response.scratch, 1, &response.sender);
    response.scratch.extend_from_slice(b"MSA|AR|");
    response.scratch.extend_from_slice(NO_CONTROL_ID.as_bytes());
    response.scratch.push(b'\r');
    file_error(&mut response.scratch, &refusal.reason);
    response.state.acks_in_batch += 1;
    response.flush_scratch()?;
    response.finish("")
}
