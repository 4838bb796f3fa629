//! One paragraph for each message that has a problem.
//!
//! Invariant: at most [`DESCRIBED_MAX`] messages and [`FINDINGS_DESCRIBED_MAX`] problems of each are described, so that
//! the report of any file stays below a few megabytes; the response has them all.

use std::io::{self, Write};

use super::wrap;
use crate::check::Place;
use crate::finding::{Finding, Severity};
use crate::verdict::{Class, Verdict};

/// Messages described in a report; later ones are only counted.
pub const DESCRIBED_MAX: u64 = 1_000;

/// Problems of one message described in a report.
pub const FINDINGS_DESCRIBED_MAX: usize = 10;

/// Writes paragraphs.
#[derive(Debug)]
pub(crate) struct Details<D> {
    writer: D,
}

impl<D: Write> Details<D> {
    pub(crate) fn new(writer: D) -> Self {
        Self { writer }
    }

    pub(crate) fn writer(&mut self) -> &mut D {
        &mut self.writer
    }

    pub(crate) fn into_writer(mut self) -> io::Result<D> {
        self.writer.flush()?;
        Ok(self.writer)
    }

    /// Describes a message unless nothing is wrong with it or enough were described; says whether it did.
    pub(crate) fn describe(
        &mut self,
        place: Place,
        verdict: &Verdict,
        delivered: bool,
        before: u64,
    ) -> io::Result<bool> {
        if verdict.class() == Class::Accepted || before >= DESCRIBED_MAX {
            return Ok(false);
        }
        self.writer.write_all(paragraph(place, verdict, delivered).as_bytes())?;
        Ok(true)
    }
}

fn paragraph(place: Place, verdict: &Verdict, delivered: bool) -> String {
    let Place { ordinal, offset, line } = place;
    let outcome = match (verdict.class(), delivered) {
        (Class::Accepted, _) => "accepted",
        (Class::Warned, _) => "accepted, please check",
        (Class::Errored, true) => "passed on, but part of it may not be accepted",
        (Class::Errored, false) => "NOT ACCEPTED",
        (Class::Rejected, _) => "REJECTED",
    };
    let mut out = format!("Message {ordinal} (line {line} of the file, byte {offset}): {outcome}\n");
    // What follows from other findings is said by the first line; the response has it all.
    let worth = |finding: &&Finding| {
        finding.severity() != Severity::Information && (!finding.is_consequence() || finding.is_held_back())
    };
    let told = verdict.findings().iter().filter(worth);
    for finding in told.clone().take(FINDINGS_DESCRIBED_MAX) {
        describe(&mut out, finding, line);
    }
    let left = told.count().saturating_sub(FINDINGS_DESCRIBED_MAX) + verdict.more() as usize;
    if left > 0 {
        wrap(&mut out, "  ", "  ", &format!("... and {left} more; the response file lists them."));
    }
    out.push('\n');
    out
}

/// One problem of a message whose first line is `first` of the file.
fn describe(out: &mut String, finding: &Finding, first: u64) {
    let label = match finding.severity() {
        Severity::Error => "  Error:   ",
        Severity::Warning => "  Warning: ",
        Severity::Information => "  Note:    ",
    };
    let text = finding.text();
    // The paragraph's first line says where the message is.
    let text = text.split(" (message ").next().unwrap_or(&text);
    let location = finding.location();
    let number = match location.occurrence {
        2.. if location.field > 0 => format!(", {} number {}", name(location.segment), location.occurrence),
        _ => String::new(),
    };
    let line = match finding.line() {
        0 => String::new(),
        line => format!(" [line {}]", first + u64::from(line) - 1),
    };
    wrap(out, label, "           ", &format!("{text}{number}{line}."));
    wrap(out, "     Do:   ", "           ", finding.advice());
}

fn name(segment: [u8; 3]) -> String {
    String::from_utf8_lossy(&segment).into_owned()
}
