//! The text of one acknowledgment: MSH, MSA, ERR (CDC guide 1.5, chapter 5; NIST profile Z23).
//!
//! Invariant: nothing a sender wrote can add a segment or a field to it; MSA-3 and ERR-1 are never sent. It takes the
//! verdict as given.

use std::io::Write;

use crate::escape;
use crate::fault::{application_text, code_text};
use crate::finding::Finding;
use crate::forward::forward;
use crate::reply::Reply;
use crate::routing::Routing;
use crate::rules::message;
use crate::verdict::Verdict;
use crate::view::{Fields, Header, is_filled};

/// What stands in MSA-2 when the message has no control id that can be read.
pub const NO_CONTROL_ID: &str = "MSH-10 NOT VALUED";

/// Longest control id that is echoed, in bytes (Z23, MSA-2).
const CONTROL_ID_BYTES_MAX: usize = 199;

/// Writes acknowledgments of one job.
#[derive(Debug)]
pub(crate) struct Acknowledger {
    reply: Reply,
    /// `|<MSH-7>||ACK^`
    time_and_type: Vec<u8>,
    /// `^ACK|<job id>-`
    structure_and_job: Vec<u8>,
}

impl Acknowledger {
    pub(crate) fn new(reply: Reply) -> Self {
        let time_and_type = format!("|{}||ACK^", reply.time()).into_bytes();
        let mut structure_and_job = b"^ACK|".to_vec();
        escape::text(&mut structure_and_job, &reply.job_id);
        structure_and_job.push(b'-');
        Self { reply, time_and_type, structure_and_job }
    }

    pub(crate) fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Appends the acknowledgment of a message; of one that can't be read, `message` may be empty.
    pub(crate) fn write(&self, out: &mut Vec<u8>, message: &[u8], ordinal: u64, verdict: &Verdict) {
        let header = Header::of(message).filter(|_| message.starts_with(b"MSH"));
        let fields = header.map(|header| header.fields);
        self.header(out, fields.as_ref(), ordinal);
        out.extend_from_slice(b"MSA|");
        out.extend_from_slice(verdict.code().as_str().as_bytes());
        out.push(b'|');
        control_id(out, fields.as_ref());
        out.push(b'\r');
        for finding in verdict.findings() {
            error(out, finding);
        }
        if verdict.more() > 0 {
            let mut finding = Finding::new(&message::MORE, crate::fault::Fault::More, 1);
            finding.words =
                Some(format!("{} more problems of this message are not listed", verdict.more()).into());
            error(out, &finding);
        }
    }

    /// Appends the MSH of an acknowledgment that answers no message but a file from `sender`.
    pub(crate) fn write_header(&self, out: &mut Vec<u8>, ordinal: u64, sender: &Routing) {
        out.extend_from_slice(b"MSH|^~\\&");
        for (field, absent) in [
            (&sender.to_application, self.reply.application.as_str()),
            (&sender.to_facility, self.reply.facility.as_str()),
            (&sender.application, ""),
            (&sender.facility, ""),
        ] {
            out.push(b'|');
            if field.is_empty() { escape::text(out, absent) } else { out.extend_from_slice(field) }
        }
        self.middle(out, b"V04", ordinal);
        out.extend_from_slice(b"P|2.5.1|||NE|NE|||||Z23^CDCPHINVS\r");
    }

    fn header(&self, out: &mut Vec<u8>, fields: Option<&Fields<'_>>, ordinal: u64) {
        let Some(fields) = fields else { return self.write_header(out, ordinal, &Routing::default()) };
        let echo = |out: &mut Vec<u8>, number: u8, absent: &str| match fields.get(number) {
            [] => escape::text(out, absent),
            field => escape::field(out, field, fields.delimiters),
        };
        out.extend_from_slice(b"MSH|^~\\&|");
        echo(out, 5, &self.reply.application);
        out.push(b'|');
        echo(out, 6, &self.reply.facility);
        out.push(b'|');
        echo(out, 3, "");
        out.push(b'|');
        echo(out, 4, "");
        self.middle(out, trigger(fields), ordinal);
        echo(out, 11, "P");
        out.extend_from_slice(b"|2.5.1|||NE|NE|||||Z23^CDCPHINVS");
        if !fields.get(22).is_empty() || !fields.get(23).is_empty() {
            out.push(b'|');
            echo(out, 23, "");
            out.push(b'|');
            echo(out, 22, "");
        }
        out.push(b'\r');
    }

    /// MSH-7 to MSH-10.
    fn middle(&self, out: &mut Vec<u8>, trigger: &[u8], ordinal: u64) {
        out.extend_from_slice(&self.time_and_type);
        out.extend_from_slice(trigger);
        out.extend_from_slice(&self.structure_and_job);
        number(out, ordinal);
        out.push(b'|');
    }
}

/// An acknowledgment that says no more than that a message waits to be processed: nobody has looked into it yet. `AA` with
/// code 0 and severity I (HL7 2.5.1, table 0357), since there is nothing for the sender to mend.
pub fn acknowledge_queued(reply: &Reply, message: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    forward(message, &mut lines);
    let begin = lines.windows(3).position(|window| window == b"MSH").unwrap_or(lines.len());
    let message = lines.get(begin..).unwrap_or_default();
    let fields = Header::of(message).map(|header| header.fields);
    let mut out = Vec::new();
    Acknowledger::new(reply.clone()).header(&mut out, fields.as_ref(), 1);
    out.extend_from_slice(b"MSA|AA|");
    control_id(&mut out, fields.as_ref());
    out.extend_from_slice(b"\rERR|||0^Message accepted^HL70357|I||||");
    let text = format!(
        "Recorded as job {}; it waits to be processed, and its acknowledgment follows.",
        reply.job_id
    );
    escape::text(&mut out, &text);
    out.push(b'\r');
    out
}

/// The trigger event as received, if it looks like one.
fn trigger<'a>(fields: &Fields<'a>) -> &'a [u8] {
    let event = fields.component(9, 2);
    let well_formed = event.len() == 3 && event.iter().all(u8::is_ascii_alphanumeric);
    if well_formed { event } else { b"V04" }
}

fn control_id(out: &mut Vec<u8>, fields: Option<&Fields<'_>>) {
    match fields.map(|fields| (fields.get(10), fields.delimiters)) {
        Some((id, delimiters)) if is_filled(id) => {
            escape::field(out, id.get(..CONTROL_ID_BYTES_MAX).unwrap_or(id), delimiters);
        }
        _ => out.extend_from_slice(NO_CONTROL_ID.as_bytes()),
    }
}

/// Appends one ERR segment.
fn error(out: &mut Vec<u8>, finding: &Finding) {
    let severity = finding.severity().code();
    let code = finding.code();
    // Writing to a Vec does not fail.
    let _ = write!(out, "ERR||{}|{code}^{}^HL70357|{severity}|", finding.location(), code_text(code));
    if let Some(code) = finding.application_code() {
        let _ = write!(out, "{code}^{}^HL70533", application_text(code));
    }
    out.extend_from_slice(b"|||");
    escape::text(out, &finding.text());
    out.push(b'\r');
}

/// Appends the one ERR of a whole file refused.
pub(crate) fn file_error(out: &mut Vec<u8>, reason: &str) {
    let mut finding = Finding::new(&message::FILE, crate::fault::Fault::FileRefused, 1);
    finding.words = Some(reason.into());
    error(out, &finding);
}

fn number(out: &mut Vec<u8>, value: u64) {
    let mut digits = [b'0'; 20];
    let mut left = value;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        used += 1;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_told_so_and_whatever_it_is_adds_no_segment() {
        let at = chrono::DateTime::parse_from_rfc3339("2026-03-16T08:30:00-05:00").unwrap();
        let queued = |message: &[u8]| {
            String::from_utf8(acknowledge_queued(&Reply::new("01HZX3K7Q2W5M8RT", at), message)).unwrap()
        };
        let ack = queued(b"\x0bMSH|^~\\&|EHR|CLINIC|IIS|STATE|20260316||VXU^V04^VXU_V04|M1|P|2.5.1\nPID|1\n");
        assert!(ack.starts_with("MSH|^~\\&|IIS|STATE|EHR|CLINIC|20260316083000-0500||ACK^V04^ACK|"), "{ack}");
        let end = "MSA|AA|M1\rERR|||0^Message accepted^HL70357|I||||Recorded as job 01HZX3K7Q2W5M8RT; it waits to be \
            processed, and its acknowledgment follows.\r";
        assert!(ack.ends_with(end), "{ack}");
        for odd in [&b""[..], b"no HL7", b"MSH", b"MSH|", b"MSH|^~\\&|||||||VXU|a\x0bb\rMSA|AE|x"] {
            assert_eq!(queued(odd).matches('\r').count(), 3, "{odd:?}");
        }
    }
}
