//! The third pass over a file: message by message through the rules, to the registry, into the response.
//!
//! Invariant: a message is counted, acknowledged and described when it is committed, not before; a door resumed from the
//! [`Progress`] of a commit goes on with the next message and writes what it would have written. The door delivers
//! nothing itself, and takes for granted that [`crate::read_envelope`] found the file whole.

use std::io::{self, Read, Write};

use crate::check::{Checker, Place};
use crate::count::{Declared, mismatch};
use crate::duplicates::{Duplicates, GENERATION_MAX, Identity, Seen};
use crate::envelope::Envelope;
use crate::fault::Fault;
use crate::finding::Finding;
use crate::forward::forward;
use crate::profile::Profile;
use crate::progress::Progress;
use crate::reply::Reply;
use crate::report::Details;
use crate::response::Response;
use crate::rules::message;
use crate::splitter::Splitter;
use crate::summary::Summary;
use crate::unit::{Unit, UnitKind};
use crate::verdict::{Class, Code, Verdict};
use crate::view::Header;

/// What a response and a report say of a file that was only tried.
const TEST_MODE: &str = "Test mode: the messages were checked and answered, but none was passed on";

/// Messages before the one to go on with whose identities are recalled: as many as are ever known.
const RECALLED_MAX: u64 = 2 * GENERATION_MAX as u64;

/// Takes a file through message by message.
///
/// The caller's loop: [`Door::step`], deliver what [`Step::deliverable`] gives, [`Door::commit`], and so on until `step`
/// gives `None`, then [`Door::finish`]. A step that is not committed is given again by the next `step`; a door dropped
/// in between and resumed gives it again too. `W` takes the response, `D` the report's paragraphs; both are the
/// caller's to flush and measure ([`Door::outputs`]) before a [`Progress`] is recorded.
#[derive(Debug)]
pub struct Door<R, W, D> {
    splitter: Splitter<R>,
    checker: Checker,
    duplicates: Duplicates,
    response: Response<W>,
    details: Details<D>,
    notes: Vec<String>,
    trailer_comment: String,
    progress: Progress,
    committed: Progress,
    outgoing: Vec<u8>,
    pending: Option<Pending>,
    ended: bool,
}

#[derive(Debug)]
struct Pending {
    place: Place,
    verdict: Verdict,
    identity: Option<Identity>,
    repeated: bool,
}

/// One message, judged but not committed.
#[derive(Debug)]
pub struct Step<'a> {
    /// Where it stands; its ordinal and the job's id make the idempotency key.
    pub place: Place,
    /// What the rules say.
    pub verdict: &'a Verdict,
    /// By what a copy of it in another file would be known; `None` if it has no control id, or in test mode.
    pub identity: Option<Identity>,
    deliverable: Option<&'a [u8]>,
}

impl<'a> Step<'a> {
    /// What is to be delivered, segments ended by CR; `None` if nothing is.
    pub fn deliverable(&self) -> Option<&'a [u8]> {
        self.deliverable
    }
}

/// What became of a step's message outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery<'a> {
    /// Delivered, or there was nothing to deliver.
    Done,
    /// Not delivered: an earlier file held the same message with the same bytes.
    Repeated,
    /// Not delivered: an earlier file used its control id, on the same day, for other bytes.
    Reused,
    /// The registry refused it for good.
    Refused {
        /// AE, or AR if it was not for its content.
        code: Code,
        /// The registry's words, for the sender; cut to 250 bytes. They must hold no patient data.
        text: &'a str,
    },
}

/// Where the answers go.
#[derive(Debug)]
pub struct Outputs<W, D> {
    /// The response file.
    pub response: W,
    /// The paragraphs of the report.
    pub details: D,
}

/// A file taken through.
#[derive(Debug)]
pub struct Finished<W, D> {
    /// Its outcome.
    pub summary: Summary,
    /// Given back, flushed.
    pub outputs: Outputs<W, D>,
}

impl<R: Read, W: Write, D: Write> Door<R, W, D> {
    /// Opens a file that [`crate::read_envelope`] found whole; the reader stands at its start.
    pub fn open(
        reader: R,
        envelope: &Envelope,
        profile: &Profile,
        reply: &Reply,
        outputs: Outputs<W, D>,
    ) -> Self {
        Self::with(reader, envelope, profile, reply, outputs, Progress::default())
    }

    /// Goes on after the commit that gave `progress`. The reader stands at the start of the file, the outputs at the
    /// lengths recorded with `progress`. Reads the file up to there once more for the identities of its messages;
    /// `was_delivered` says of each whether the attempts before delivered it, and is not asked in test mode.
    ///
    /// Besides the reader's errors, `InvalidData` means that the file is not the one `progress` is about.
    pub fn resume(
        reader: R,
        envelope: &Envelope,
        profile: &Profile,
        reply: &Reply,
        outputs: Outputs<W, D>,
        progress: Progress,
        was_delivered: impl FnMut(Identity) -> io::Result<bool>,
    ) -> io::Result<Self> {
        let mut door = Self::with(reader, envelope, profile, reply, outputs, progress);
        door.recall(was_delivered)?;
        Ok(door)
    }

    fn with(
        reader: R,
        envelope: &Envelope,
        profile: &Profile,
        reply: &Reply,
        outputs: Outputs<W, D>,
        progress: Progress,
    ) -> Self {
        let sender = envelope.sender.clone();
        let (mut notes, mut trailer_comment) = (envelope.notes.clone(), envelope.trailer_comment.clone());
        // A change of mode while the file is in hand would leave part of it undelivered.
        let tested = if progress.ordinal > 0 { progress.tested } else { profile.test_mode };
        let progress = Progress { tested, ..progress };
        if tested {
            notes.insert(0, TEST_MODE.to_owned());
            let before = if trailer_comment.is_empty() { "" } else { "; " };
            trailer_comment = format!("{TEST_MODE}{before}{trailer_comment}");
        }
        Self {
            splitter: Splitter::new(reader, profile.limits.message_bytes_max),
            checker: Checker::new(profile.clone(), &reply.at),
            duplicates: Duplicates::expecting(envelope.messages),
            response: Response::resume(outputs.response, reply.clone(), sender, progress.response),
            details: Details::new(outputs.details),
            notes,
            trailer_comment,
            progress,
            committed: progress,
            outgoing: Vec::new(),
            pending: None,
            ended: false,
        }
    }

    /// The next message, or the one not committed yet; `None` at the end of the file.
    pub fn step(&mut self) -> io::Result<Option<Step<'_>>> {
        if self.pending.is_none() && !self.ended {
            self.advance()?;
        }
        let is_real = !self.progress.tested;
        Ok(self.pending.as_ref().map(|pending| Step {
            place: pending.place,
            verdict: &pending.verdict,
            identity: pending.identity.filter(|_| is_real),
            deliverable: (is_real && pending.verdict.deliver()).then_some(self.outgoing.as_slice()),
        }))
    }

    /// Counts, acknowledges and describes the message of the last step; without one, nothing happens.
    pub fn commit(&mut self, delivery: Delivery<'_>) -> io::Result<Progress> {
        let Some(mut pending) = self.pending.take() else { return Ok(self.committed) };
        pending.settle(delivery);
        // Copies are compared with what was delivered alone: what was refused may come again, corrected.
        if let Some(identity) = pending.identity.filter(|_| pending.verdict.deliver()) {
            self.duplicates.note(identity);
        }
        let Pending { place, verdict, repeated, .. } = &pending;
        let message = self.splitter.current().map_or(&[][..], |unit| readable_head(unit));
        self.response.acknowledge(message, place.ordinal, verdict)?;
        let described = self.details.describe(*place, verdict, verdict.deliver(), self.progress.described)?;
        self.progress.counts.add(verdict.class());
        self.progress.counts.repeated +=
            u64::from(*repeated && matches!(verdict.class(), Class::Accepted | Class::Warned));
        self.progress.described += u64::from(described);
        self.progress.ordinal = place.ordinal;
        self.progress.position = self.splitter.position();
        self.progress.response = self.response.state();
        self.committed = self.progress;
        Ok(self.committed)
    }

    /// How far the door has come, as of the last commit.
    pub fn committed(&self) -> Progress {
        self.committed
    }

    /// The outputs, for flushing and measuring between commits.
    pub fn outputs(&mut self) -> Outputs<&mut W, &mut D> {
        Outputs { response: self.response.writer(), details: self.details.writer() }
    }

    /// Ends the response. Steps that are left are an error of the caller's, reported as `InvalidInput`.
    pub fn finish(mut self) -> io::Result<Finished<W, D>> {
        if self.step()?.is_some() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a message of the file was not committed",
            ));
        }
        let batches = self.response.state().batches;
        let response = self.response.finish(&self.trailer_comment)?;
        let Progress { counts, described, tested, .. } = self.committed;
        Ok(Finished {
            summary: Summary { tested, ..Summary::complete(counts, batches, self.notes, described) },
            outputs: Outputs { response, details: self.details.into_writer()? },
        })
    }

    /// Reads up to the next message; headers and trailers before it go into the response at once.
    fn advance(&mut self) -> io::Result<()> {
        while let Some(unit) = self.splitter.next_unit()? {
            match unit.kind {
                UnitKind::FileHeader | UnitKind::FileTrailer => {}
                UnitKind::BatchHeader => {
                    self.progress.messages_in_batch = 0;
                    self.response.begin_batch(unit.bytes)?;
                }
                UnitKind::BatchTrailer => {
                    let declared = Declared::of(unit.bytes);
                    let comment = mismatch("BTS-1", "messages", declared, self.progress.messages_in_batch);
                    self.response.end_batch(&comment.unwrap_or_default())?;
                }
                UnitKind::Message | UnitKind::Oversize | UnitKind::Stray => {
                    let ordinal = self.progress.ordinal + 1;
                    self.progress.messages_in_batch += u64::from(unit.kind != UnitKind::Stray);
                    self.pending =
                        Some(judge(&self.checker, &self.duplicates, &mut self.outgoing, unit, ordinal));
                    return Ok(());
                }
            }
        }
        self.ended = true;
        Ok(())
    }

    /// Reads the identities of the messages that were committed before, as far back as copies are looked for.
    fn recall(&mut self, mut was_delivered: impl FnMut(Identity) -> io::Result<bool>) -> io::Result<()> {
        let until = self.committed;
        let mut ordinal = 0;
        while self.splitter.position() != until.position {
            let Some(unit) = self.splitter.next_unit()?.filter(|unit| unit.offset < until.position.offset)
            else {
                let another = "the file is not the one begun before";
                return Err(io::Error::new(io::ErrorKind::InvalidData, another));
            };
            ordinal += u64::from(is_answered(unit.kind));
            let is_recent = until.ordinal.saturating_sub(ordinal) < RECALLED_MAX;
            if unit.kind != UnitKind::Message || !is_recent {
                continue;
            }
            let Pending { verdict, identity, .. } =
                judge(&self.checker, &self.duplicates, &mut self.outgoing, unit, ordinal);
            let Some(identity) = identity else { continue };
            let delivered = if until.tested { verdict.deliver() } else { was_delivered(identity)? };
            if delivered {
                self.duplicates.note(identity);
            }
        }
        Ok(())
    }
}

impl Pending {
    fn settle(&mut self, delivery: Delivery<'_>) {
        match delivery {
            Delivery::Done => {}
            Delivery::Repeated => {
                self.repeated = true;
                self.verdict.mark_repeated();
            }
            Delivery::Reused => self.verdict.add_error(Finding::new(&message::REUSED, Fault::Reused, 1)),
            Delivery::Refused { code, text } => self.verdict.mark_refused(code, text),
        }
    }
}

fn judge(
    checker: &Checker,
    duplicates: &Duplicates,
    outgoing: &mut Vec<u8>,
    unit: Unit<'_>,
    ordinal: u64,
) -> Pending {
    let place = Place { ordinal, offset: unit.offset, line: unit.line };
    outgoing.clear();
    let (mut verdict, identity) = match unit.kind {
        UnitKind::Message => {
            forward(unit.bytes, outgoing);
            let header = Header::of(unit.bytes);
            let identity = header.as_ref().and_then(|header| Identity::with(header, outgoing));
            (checker.check_with(header.as_ref(), unit.bytes, place), identity)
        }
        UnitKind::Oversize => (checker.oversize(place), None),
        _ => (checker.stray(place), None),
    };
    let seen = identity.map_or(Seen::First, |identity| duplicates.find(identity));
    match seen {
        Seen::First => {}
        Seen::Same => verdict.mark_repeated(),
        Seen::Other => verdict.add_error(Finding::new(&message::REUSED, Fault::Reused, 1)),
    }
    Pending { place, verdict, identity, repeated: seen == Seen::Same }
}

/// Whether a unit gets an acknowledgment of its own.
fn is_answered(kind: UnitKind) -> bool {
    matches!(kind, UnitKind::Message | UnitKind::Oversize | UnitKind::Stray)
}

/// What of a unit an acknowledgment may read: of one over the limit only a header line that is whole.
fn readable_head(unit: Unit<'_>) -> &[u8] {
    let whole = unit.kind == UnitKind::Message || memchr::memchr2(b'\r', b'\n', unit.bytes).is_some();
    if whole { unit.bytes } else { &[] }
}
