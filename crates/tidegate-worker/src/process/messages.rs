//! The third pass: message by message to the target and into the answers.
//!
//! Invariant: a message is delivered only right after the gate, the claim and the service's stop were
//! asked, and acknowledged only after it was delivered; a checkpoint never lies between the two. What an earlier file
//! of the organization delivered is not delivered again, and what this one delivers is known to later ones as soon
//! as a checkpoint, or the end of the job, covers it.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use tidegate_domain::job::{Counts, JobEvent, Outcome};
use tidegate_hl7::{Delivery, Door, Envelope, Identity, Outputs};
use tidegate_store::{Known, KnownMessages};

use super::answers::ResponseFile;
use super::halt::Halt;
use super::hand::Hand;
use super::ledger::{Ledger, Said};
use super::mark::Mark;
use super::report::Report;
use super::rules::Rules;
use crate::targets::{Attempt, Target};

/// Messages after which a job is checkpointed: so many at most are delivered again after a crash.
const CHECKPOINT_MESSAGES: u64 = 1_000;

/// A job is checkpointed after this long too.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// A file on its way through the door.
pub(super) struct Pass<'a> {
    hand: Hand<'a>,
    rules: &'a Rules,
    door: Door<File, ResponseFile, Vec<u8>>,
    report: Report,
    /// As of the last committed message.
    mark: Mark,
    /// As of the last checkpoint.
    recorded: Mark,
    recorded_at: Instant,
    /// For targets that can't take back what they took.
    ledger: Option<Ledger>,
    /// What earlier files delivered.
    known: KnownMessages,
    /// Whether the target was given a message by this attempt and said what becomes of it.
    passed_on: bool,
}

impl<'a> Pass<'a> {
    /// Begins, or goes on where `begun` says. The upload stands at its start.
    pub(super) fn begin(
        hand: Hand<'a>,
        upload: File,
        envelope: &Envelope,
        rules: &'a Rules,
        begun: Option<Mark>,
    ) -> Result<Self, Halt> {
        let (profile, reply) = (&rules.profile, &rules.reply);
        let mut known = hand.context.store.known_messages(&hand.claim.job);
        if let Some(left) = begun.map(|mark| Left::by(&hand, mark)).transpose()?.flatten() {
            let Left { outputs, report, mark } = left;
            let was_delivered = |identity: Identity| {
                let known = known.look_up(identity.key, identity.content).map_err(io::Error::other)?;
                Ok(known == Known::Own)
            };
            let door = Door::resume(upload, envelope, profile, reply, outputs, mark.door, was_delivered)
                .map_err(Halt::io("going on with the upload"))?;
            return Self::new(hand, rules, door, report, mark, known);
        }
        let (store, job) = (&hand.context.store, &hand.claim.job);
        let response =
            ResponseFile::create(&store.response_path(job)).map_err(Halt::io("creating the response"))?;
        let report = Report::new(store.report_path(job));
        let door = Door::open(upload, envelope, profile, reply, Outputs { response, details: Vec::new() });
        Self::new(hand, rules, door, report, Mark::default(), known)
    }

    fn new(
        hand: Hand<'a>,
        rules: &'a Rules,
        door: Door<File, ResponseFile, Vec<u8>>,
        report: Report,
        mark: Mark,
        known: KnownMessages,
    ) -> Result<Self, Halt> {
        let notes = hand.context.store.outcomes_path(&hand.claim.job);
        let ledger = rules.target.is_final().then(|| Ledger::open(notes, mark.door.ordinal)).transpose();
        let ledger = ledger.map_err(Halt::io("reading what the registry answered"))?;
        Ok(Self {
            hand,
            rules,
            door,
            report,
            mark,
            recorded: mark,
            recorded_at: Instant::now(),
            ledger,
            known,
            passed_on: false,
        })
    }

    /// Takes every message through and ends the answers.
    pub(super) fn run(mut self) -> Result<JobEvent, Halt> {
        match self.all_messages() {
            Ok(()) => self.finish(),
            Err(halt @ (Halt::Yield | Halt::Passing(_))) => match self.record() {
                // What was delivered since the last checkpoint will come again, under the same keys.
                Ok(()) | Err(Halt::Passing(_)) => Err(halt),
                Err(worse) => Err(worse),
            },
            Err(halt) => Err(halt),
        }
    }

    fn all_messages(&mut self) -> Result<(), Halt> {
        while self.next_message()? {
            let messages = self.mark.door.ordinal - self.recorded.door.ordinal;
            if messages >= CHECKPOINT_MESSAGES || self.recorded_at.elapsed() >= CHECKPOINT_EVERY {
                self.record()?;
            }
        }
        Ok(())
    }

    /// One message; false at the end of the file.
    fn next_message(&mut self) -> Result<bool, Halt> {
        let Some(step) = self.door.step().map_err(Halt::io("reading the upload"))? else {
            return Ok(false);
        };
        self.hand.may_go_on(self.passed_on)?;
        let (ordinal, identity) = (step.place.ordinal, step.identity);
        let known = match step.deliverable() {
            Some(_) => look_up(&mut self.known, identity)?,
            None => Known::No,
        };
        if known == Known::Underway {
            return Err(Halt::Passing("another job is delivering the same message just now".to_owned()));
        }
        let refused = match step.deliverable() {
            Some(message) if matches!(known, Known::No | Known::Own) => {
                let is_taken = known == Known::Own;
                let ledger = self.ledger.as_mut();
                let said = answer(&self.hand, &self.rules.target, ledger, ordinal, is_taken, message)?;
                self.passed_on = true;
                match (&said, identity) {
                    (None, Some(identity)) if !is_taken => {
                        self.known.remember(identity.key, identity.content);
                    }
                    (Some(_), Some(identity)) => self.known.give_up(identity.key),
                    _ => {}
                }
                said
            }
            _ => None,
        };
        // A slow target may have cost us the claim: then the message is somebody else's.
        self.hand.keep()?;
        let delivery = match (&refused, known) {
            (Some((code, text)), _) => Delivery::Refused { code: *code, text },
            (None, Known::No | Known::Own) => Delivery::Done,
            (None, Known::Same) => Delivery::Repeated,
            // Underway has ended above.
            (None, Known::Other | Known::Underway) => Delivery::Reused,
        };
        let door = self.door.commit(delivery).map_err(Halt::io("writing the response"))?;
        let outputs = self.door.outputs();
        let (response_bytes, details_bytes) = (outputs.response.length(), outputs.details.len() as u64);
        self.mark = Mark { door, response_bytes, details_bytes };
        Ok(true)
    }

    /// Checkpoints, unless nothing happened since the last time.
    fn record(&mut self) -> Result<(), Halt> {
        if self.mark != self.recorded {
            let outputs = self.door.outputs();
            let written = std::io::Write::flush(outputs.response)
                .and_then(|()| self.report.keep(outputs.details, self.mark.details_bytes));
            written.map_err(Halt::io("writing the response"))?;
            self.hand.renew()?;
            self.known.write()?;
            self.hand.checkpoint(&self.rules.target, &self.mark, counts(&self.mark.door.counts))?;
            self.recorded = self.mark;
            let cleared = self.ledger.as_mut().map_or(Ok(()), Ledger::clear);
            cleared.map_err(Halt::io("clearing what the registry answered"))?;
        }
        self.recorded_at = Instant::now();
        Ok(())
    }

    fn finish(mut self) -> Result<JobEvent, Halt> {
        let writing = "writing the response";
        self.hand.renew()?;
        self.known.write()?;
        let finished = self.door.finish().map_err(Halt::io(writing))?;
        let details = &finished.outputs.details;
        self.report.finish(&self.rules.reply, &finished.summary, details).map_err(Halt::io(writing))?;
        let counts = counts(&finished.summary.counts);
        let outcome = match counts.outcome() {
            Outcome::Accepted | Outcome::AcceptedWithErrors if finished.summary.tested => Outcome::Tested,
            outcome => outcome,
        };
        Ok(JobEvent::Completed { outcome, counts })
    }
}

/// What the attempt before left of its answers.
struct Left {
    outputs: Outputs<ResponseFile, Vec<u8>>,
    report: Report,
    mark: Mark,
}

impl Left {
    /// `None` if they can't be continued: then the file is begun anew, since the target knows the keys
    /// of what it has.
    fn by(hand: &Hand<'_>, mark: Mark) -> Result<Option<Self>, Halt> {
        let (store, job) = (&hand.context.store, &hand.claim.job);
        let doing = "going on with the response";
        let response = ResponseFile::reopen(&store.response_path(job), mark.response_bytes);
        let report = Report::reopen(store.report_path(job), mark.details_bytes);
        let Some((response, (report, details))) =
            response.map_err(Halt::io(doing))?.zip(report.map_err(Halt::io(doing))?)
        else {
            tracing::warn!("answers so far were gone: file begun anew");
            return Ok(None);
        };
        Ok(Some(Self { outputs: Outputs { response, details }, report, mark }))
    }
}

/// Whether a message was delivered before; one without a control id is known to nobody.
fn look_up(known: &mut KnownMessages, identity: Option<Identity>) -> Result<Known, Halt> {
    identity.map_or(Ok(Known::No), |identity| Ok(known.look_up(identity.key, identity.content)?))
}

/// What the target says about a message: what it said before, or what it says now. `is_taken` says that an attempt before
/// delivered it; a target that is not final is given it again, and recognises its key.
fn answer(
    hand: &Hand<'_>,
    target: &Target,
    mut ledger: Option<&mut Ledger>,
    ordinal: u64,
    is_taken: bool,
    message: &[u8],
) -> Result<Said, Halt> {
    if let Some(outcome) = ledger.as_mut().and_then(|ledger| ledger.recall(ordinal)) {
        return Ok(outcome);
    }
    if is_taken && ledger.is_some() {
        return Ok(None);
    }
    let outcome = deliver(hand, target, ordinal, message)?;
    if let Some(ledger) = ledger {
        ledger.note(ordinal, &outcome).map_err(Halt::io("noting the registry's answer"))?;
    }
    Ok(outcome)
}

/// Delivers; the target's words if it refuses the message for good.
fn deliver(hand: &Hand<'_>, target: &Target, ordinal: u64, message: &[u8]) -> Result<Said, Halt> {
    match hand.context.attempt(target, &hand.key(ordinal), message) {
        Attempt::Done => Ok(None),
        Attempt::Refused(code, text) => Ok(Some((code, text))),
        Attempt::Failed(reason) => Err(Halt::Passing(reason)),
        // Whoever waits for the answer must not be told that nothing was passed on.
        Attempt::Away { reason, in_doubt: true } if hand.is_first_try_of_call() => Err(Halt::Passing(reason)),
        Attempt::Away { .. } => Err(Halt::Yield),
    }
}

fn counts(hl7: &tidegate_hl7::Counts) -> Counts {
    Counts {
        total: hl7.total(),
        accepted: hl7.accepted,
        warned: hl7.warned,
        errored: hl7.errored,
        rejected: hl7.rejected,
    }
}
