//! The registry's acknowledgment of a message, read for what follows from it (HL7 2.5.1, chapter 2.9).
//!
//! Invariant: any bytes may come in. Nothing of an acknowledgment but its code leaves this module, unless the
//! configuration lets the registry's words pass; then they are short and without control characters.

use tidegate_hl7::Code;

use super::{DeliverError, Delivered};

/// Most characters of the registry's words.
const TEXT_CHARS_MAX: usize = 160;

/// What a target makes of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Whether the registry's own words go to the sender.
    pub(super) pass_on_text: bool,
}

impl Reading {
    /// What follows from `answer` for the message that was sent. An answer that can't be read, or that is about
    /// another message, says nothing about this one: it is in doubt and asked for again.
    pub(super) fn judge(self, message: &[u8], answer: &[u8]) -> Result<Delivered, DeliverError> {
        let unclear = |what: &str| DeliverError::Transient(format!("the registry's answer {what}"));
        let ack = FarAck::read(answer).ok_or_else(|| unclear("is no HL7 acknowledgment"))?;
        if Some(ack.control_id) != control_id(message) {
            return Err(unclear("is about another message"));
        }
        match ack.code {
            b"AA" | b"CA" => Ok(Delivered::Now),
            // Warnings alone are answered with AE, too (NIST): such a message was taken.
            b"AE" if ack.only_warns() => Ok(Delivered::Now),
            b"AE" | b"CE" => Err(self.refused(Code::Error, &ack)),
            b"AR" | b"CR" => Err(self.refused(Code::Reject, &ack)),
            _ => Err(unclear("has no acknowledgment code")),
        }
    }

    /// Whether `answer` is one to the query that was sent, whatever it says.
    pub(super) fn check_answer(query: &[u8], answer: &[u8]) -> Result<(), DeliverError> {
        let unclear = |what: &str| DeliverError::Transient(format!("the registry's answer {what}"));
        let ack = FarAck::read(answer).ok_or_else(|| unclear("is no HL7 response"))?;
        let is_about_it = Some(ack.control_id) == control_id(query);
        if is_about_it { Ok(()) } else { Err(unclear("is about another message")) }
    }

    fn refused(self, code: Code, ack: &FarAck<'_>) -> DeliverError {
        let words = ack.words().filter(|words| self.pass_on_text && !words.is_empty());
        let text = match words {
            Some(words) => format!("The registry refused this message, in its own words: {words}"),
            None => String::new(),
        };
        DeliverError::Refused { code, text }
    }
}

/// An acknowledgment as far as it matters.
#[derive(Debug)]
struct FarAck<'a> {
    separator: u8,
    code: &'a [u8],
    control_id: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> FarAck<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.trim_ascii();
        let separator = separator(bytes)?;
        let acknowledged = segments(bytes).find(|segment| is(segment, *b"MSA", separator))?;
        let mut fields = acknowledged.split(|byte| *byte == separator).skip(1);
        let (code, control_id) = (fields.next()?, fields.next()?);
        Some(Self { separator, code: code.trim_ascii(), control_id: control_id.trim_ascii(), bytes })
    }

    fn errors(&self) -> impl Iterator<Item = Vec<&'a [u8]>> {
        let separator = self.separator;
        segments(self.bytes)
            .filter(move |segment| is(segment, *b"ERR", separator))
            .map(move |segment| segment.split(|byte| *byte == separator).collect())
    }

    /// Whether it lists something, and nothing that is worse than a warning (ERR-4).
    fn only_warns(&self) -> bool {
        let mut severities =
            self.errors().map(|fields| fields.get(4).copied().unwrap_or_default()).peekable();
        severities.peek().is_some() && severities.all(|severity| matches!(severity, b"W" | b"I"))
    }

    /// What it says to people: ERR-8 of the first error, else ERR-7, else MSA-3.
    fn words(&self) -> Option<String> {
        let errors: Vec<_> = self.errors().take(1).collect();
        let of_error = errors.first().and_then(|fields| {
            [8, 7].iter().filter_map(|number| fields.get(*number)).find(|field| !field.is_empty()).copied()
        });
        let of_message = || {
            let message = segments(self.bytes).find(|segment| is(segment, *b"MSA", self.separator))?;
            message.split(|byte| *byte == self.separator).nth(3)
        };
        of_error.or_else(of_message).map(plain)
    }
}

/// MSH-10 of a message; `None` if it has none.
pub(super) fn control_id(message: &[u8]) -> Option<&[u8]> {
    let separator = separator(message)?;
    let header = segments(message).next()?;
    let id = header.split(|byte| *byte == separator).nth(9)?.trim_ascii();
    (!id.is_empty()).then_some(id)
}

fn separator(message: &[u8]) -> Option<u8> {
    let separator = *message.strip_prefix(b"MSH")?.first()?;
    (!separator.is_ascii_alphanumeric() && !separator.is_ascii_whitespace()).then_some(separator)
}

fn segments(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|segment| !segment.is_empty())
}

fn is(segment: &[u8], name: [u8; 3], separator: u8) -> bool {
    segment.strip_prefix(&name).is_some_and(|rest| rest.first().is_none_or(|byte| *byte == separator))
}

/// Text for people: escapes resolved, control characters out, cut.
fn plain(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field);
    let text = [("\\F\\", "|"), ("\\S\\", "^"), ("\\T\\", "&"), ("\\R\\", "~"), ("\\E\\", "\\")]
        .iter()
        .fold(text.into_owned(), |text, (escape, meant)| text.replace(escape, meant));
    text.chars().filter(|char| !char.is_control()).take(TEXT_CHARS_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MESSAGE: &[u8] = b"MSH|^~\\&|EHR|CLINIC|IIS|STATE|20240301||VXU^V04|M1|P|2.5.1\rPID|1\r";

    fn judge(segments: &str) -> Result<Delivered, DeliverError> {
        let answer = format!("MSH|^~\\&|IIS|STATE|EHR|CLINIC|20240301||ACK|9|P|2.5.1\r{segments}\r");
        Reading { pass_on_text: true }.judge(MESSAGE, answer.as_bytes())
    }

    fn refusal(segments: &str) -> (Code, String) {
        match judge(segments) {
            Err(DeliverError::Refused { code, text }) => (code, text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_follows_from_each_code() {
        for taken in ["MSA|AA|M1", "MSA|CA|M1", "MSA|AE|M1\rERR||PID^1|101|W||||x\nERR|||0|I"] {
            assert_eq!(judge(taken), Ok(Delivered::Now), "{taken}");
        }
        for (refused, code) in [
            ("MSA|AE|M1", Code::Error),
            ("MSA|CE|M1", Code::Error),
            ("MSA|AE|M1\rERR||||W\rERR||||E", Code::Error),
            ("MSA|AR|M1", Code::Reject),
            ("MSA|CR|M1", Code::Reject),
        ] {
            assert_eq!(refusal(refused).0, code, "{refused}");
        }
    }

    #[test]
    fn what_is_no_answer_to_this_message_leaves_it_in_doubt() {
        for unclear in ["", "MSA|AA", "MSA|AA|M2", "MSA||M1", "MSA|XX|M1", "MSAX|AA|M1"] {
            assert!(matches!(judge(unclear), Err(DeliverError::Transient(_))), "{unclear}");
        }
        let reading = Reading { pass_on_text: true };
        for other in [&b""[..], b"<html>", b"MSH", b"MSH|", b"MSA|AA|M1"] {
            assert!(matches!(reading.judge(MESSAGE, other), Err(DeliverError::Transient(_))));
        }
        assert!(reading.judge(b"MSH|^~\\&|||||||||", b"MSH|^~\\&|\rMSA|AA|").is_err(), "no id is no match");
    }

    #[test]
    fn the_registrys_words_are_marked_short_and_plain_and_pass_only_if_they_may() {
        let (_, text) = refusal("MSA|AE|M1|all of it\rERR||PID^1|101|E|||more|no \\T\\ never\u{7f}");
        assert_eq!(text, "The registry refused this message, in its own words: no & never");
        let (_, text) = refusal(&format!("MSA|AR|M1|{}", "ö".repeat(1_000)));
        assert!(text.len() < 400 && text.chars().count() < 250, "{text}");
        let answer = b"MSH|^~\\&|\rMSA|AE|M1|DOE^JANE";
        let silent = Reading { pass_on_text: false }.judge(MESSAGE, answer);
        assert_eq!(silent, Err(DeliverError::Refused { code: Code::Error, text: String::new() }));
    }

    proptest! {
        #[test]
        fn any_answer_may_come(answer in prop::collection::vec(any::<u8>(), 0..200), tail in "(MSA|ERR)[|AECR0-9M1\r]{0,40}") {
            let reading = Reading { pass_on_text: true };
            let _ = reading.judge(MESSAGE, &answer);
            let _ = reading.judge(MESSAGE, format!("MSH|^~\\&|\r{tail}").as_bytes());
            let _ = control_id(&answer);
        }
    }
}
