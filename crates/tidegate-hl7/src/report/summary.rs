//! The first page of a report: what was received, what became of it, what to do.
//!
//! Invariant: says in its first lines whether the sender has to do anything.

use std::fmt::Write;

use super::{DESCRIBED_MAX, wrap};
use crate::reply::Reply;
use crate::summary::{Outcome, Summary};

/// Renders the page that goes before the paragraphs.
pub fn render(reply: &Reply, summary: &Summary) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(out, "REPORT ON YOUR FILE");
    let _ = writeln!(out, "Job {}, {}\n", reply.job_id, reply.at.format("%Y-%m-%d %H:%M:%S %:z"));
    wrap(&mut out, "Result:  ", "         ", &result(summary));
    wrap(&mut out, "To do:   ", "         ", to_do(summary));
    if summary.refusal.is_none() {
        counts(&mut out, summary);
    }
    for note in &summary.notes {
        wrap(&mut out, "Note:    ", "         ", &format!("{note}."));
    }
    if summary.described > 0 {
        details_heading(&mut out, summary);
    }
    out
}

fn result(summary: &Summary) -> String {
    let mut said = if summary.tested { "TEST MODE, NOTHING WAS PASSED ON. " } else { "" }.to_owned();
    said.push_str(&what_became(summary));
    said
}

fn what_became(summary: &Summary) -> String {
    let counts = &summary.counts;
    let (total, failed) = (counts.total(), counts.errored + counts.rejected);
    match (&summary.refusal, summary.outcome) {
        (Some(refusal), _) => match refusal.reason.strip_prefix("truncated: ") {
            Some(what) => format!("NOT PROCESSED. The whole file was refused because it is cut off: {what}."),
            None => format!("NOT PROCESSED. The whole file was refused: {}.", refusal.reason),
        },
        (None, Outcome::Accepted) if total == 0 => {
            "ACCEPTED. The file was in order and held no messages.".to_owned()
        }
        (None, Outcome::Accepted) if total == 1 => {
            let warned = if counts.warned > 0 { ", with warnings" } else { "" };
            format!("ACCEPTED. The message was accepted{warned}.")
        }
        (None, Outcome::Accepted) if counts.warned > 0 => {
            format!("ACCEPTED. All {} were accepted, {} with warnings.", messages(total), counts.warned)
        }
        (None, Outcome::Accepted) => format!("ACCEPTED. All {} were accepted.", messages(total)),
        (None, Outcome::AcceptedWithErrors) => {
            format!(
                "ACCEPTED IN PART. {failed} of {} have errors; the others were accepted.",
                messages(total)
            )
        }
        (None, Outcome::Rejected) => format!("REJECTED. None of {} was accepted.", messages(total)),
    }
}

fn to_do(summary: &Summary) -> &'static str {
    match (&summary.refusal, summary.outcome) {
        (Some(refusal), _) => refusal.advice(),
        (None, Outcome::Accepted) if summary.counts.warned > 0 => {
            "Nothing has to be sent again. Please look at the warnings and notes below."
        }
        // The note of the test mode asks for nothing.
        (None, Outcome::Accepted) if summary.notes.len() > usize::from(summary.tested) => {
            "Nothing has to be sent again, unless a message is missing: see the note below."
        }
        (None, Outcome::Accepted) => "Nothing.",
        (None, Outcome::AcceptedWithErrors) => {
            "Correct the messages marked NOT ACCEPTED or REJECTED below in your system and send those again \
             in a new file. The accepted ones need not be sent again; it does no harm if they are."
        }
        (None, Outcome::Rejected) => {
            "See below what is wrong, correct it, and send the messages again in a new file. \
             If it is the same for all of them, it is most likely a setting of your export."
        }
    }
}

fn counts(out: &mut String, summary: &Summary) {
    let counts = &summary.counts;
    let _ = writeln!(out, "\nMessages received           {:>10}", counts.total());
    let _ = writeln!(out, "  accepted                  {:>10}", counts.accepted);
    let _ = writeln!(out, "  accepted with warnings    {:>10}", counts.warned);
    let _ = writeln!(out, "  with errors               {:>10}", counts.errored);
    let _ = writeln!(out, "  rejected                  {:>10}\n", counts.rejected);
    if counts.repeated > 0 {
        let note = format!(
            "{} of the accepted messages came more than once; each was passed on once.",
            counts.repeated
        );
        wrap(out, "Note:    ", "         ", &note);
    }
}

fn details_heading(out: &mut String, summary: &Summary) {
    let counts = &summary.counts;
    let problems = counts.warned + counts.errored + counts.rejected;
    let _ = writeln!(out, "\nMESSAGES WITH PROBLEMS");
    if problems > summary.described {
        let note = format!(
            "These are the first {DESCRIBED_MAX}; {} more are in the response file only.",
            problems - summary.described
        );
        wrap(out, "", "", &note);
    }
    out.push('\n');
}

fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}
