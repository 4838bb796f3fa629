//! Rules about the message header, MSH (door rules 2 to 9).
//!
//! Invariant: rows with a code from 200 up make the acknowledgment AR (CDC guide 1.5, appendix B, "Send Error in
//! ACK"); all others AE.

use super::tests_of::{MISSING_OR_UNKNOWN, filled, first_filled, one_of, supported};
use super::{FieldRule, Rule, Scope, row};
use crate::charset::Charset;
use crate::dtm::Dtm;
use crate::fault::Fault;
use crate::finding::Severity::{Error, Warning};
use crate::view::is_filled;

/// Longest message control id, in characters (Z22, MSH-10).
const CONTROL_ID_CHARS_MAX: usize = 199;

pub(crate) static RULES: &[FieldRule] = &[
    row(
        Rule::new(
            2,
            (b"MSH", 9, 1),
            Error,
            "Message type",
            "Send only immunization updates here (message type VXU).",
        )
        .code(200)
        .finds(&[Fault::Unsupported]),
        |_, value| (value != b"VXU").then_some(Fault::Unsupported),
    ),
    row(
        Rule::new(3, (b"MSH", 9, 2), Error, "Trigger event", "Send VXU messages with the trigger event V04.")
            .code(201)
            .finds(&[Fault::Unsupported]),
        |scope, value| {
            let is_update = scope.fields.component(9, 1) == b"VXU";
            (is_update && value != b"V04").then_some(Fault::Unsupported)
        },
    ),
    row(
        Rule::new(
            4,
            (b"MSH", 11, 1),
            Error,
            "Processing id",
            "Set the processing id your account is registered for (P for production, T for test).",
        )
        .code(202)
        .finds(&[Fault::Unsupported])
        .set_by("processing_id"),
        |scope, value| supported(&scope.profile.processing_ids, value),
    ),
    row(
        Rule::new(
            5,
            (b"MSH", 12, 1),
            Error,
            "HL7 version",
            "Set your export to an HL7 version agreed with us (2.5.1).",
        )
        .code(203)
        .finds(&[Fault::Unsupported])
        .set_by("versions"),
        |scope, value| supported(&scope.profile.versions, value),
    ),
    row(
        Rule::new(
            6,
            (b"MSH", 10, 0),
            Error,
            "Message control id",
            "Give each message an id of its own, at most 199 characters long.",
        )
        .finds(&[Fault::Missing, Fault::TooLong]),
        |_, value| match value {
            _ if !is_filled(value) => Some(Fault::Missing),
            _ if characters(value) > CONTROL_ID_CHARS_MAX => Some(Fault::TooLong),
            _ => None,
        },
    ),
    row(
        Rule::new(
            7,
            (b"MSH", 7, 0),
            Error,
            "Time of message",
            "Write date and time as YYYYMMDDHHMMSS with the offset.",
        )
        .finds(&[Fault::Missing, Fault::ImpreciseTime]),
        |scope, value| {
            let value = scope.fields.component_of(value, 1);
            match Dtm::parse(value) {
                _ if !is_filled(value) => Some(Fault::Missing),
                Some(time) if time.has_minutes() => None,
                _ => Some(Fault::ImpreciseTime),
            }
        },
    ),
    row(
        Rule::new(8, (b"MSH", 9, 3), Warning, "Message structure", "Write VXU^V04^VXU_V04 into MSH-9.")
            .finds(MISSING_OR_UNKNOWN),
        |scope, value| if is_2_5_1(scope) { one_of(value, &[b"VXU_V04"]) } else { None },
    ),
    row(
        Rule::new(
            8,
            (b"MSH", 15, 0),
            Warning,
            "Accept acknowledgment type",
            "Fill MSH-15, for example with ER.",
        )
        .finds(&[Fault::Missing]),
        |scope, value| if is_2_5_1(scope) { filled(scope, value) } else { None },
    ),
    row(
        Rule::new(
            8,
            (b"MSH", 16, 0),
            Warning,
            "Application acknowledgment type",
            "Fill MSH-16, for example with AL.",
        )
        .finds(&[Fault::Missing]),
        |scope, value| if is_2_5_1(scope) { filled(scope, value) } else { None },
    ),
    row(
        Rule::new(8, (b"MSH", 21, 0), Warning, "Message profile", "Write Z22^CDCPHINVS into MSH-21.")
            .finds(MISSING_OR_UNKNOWN),
        |scope, value| if is_2_5_1(scope) { profile(scope, value) } else { None },
    ),
    row(
        Rule::new(
            9,
            (b"MSH", 18, 0),
            Error,
            "Character set",
            "Export in UTF-8 and write UNICODE UTF-8 into MSH-18.",
        )
        .finds(&[Fault::NotInTable]),
        |scope, value| {
            let first = scope.fields.repetitions(18).next().unwrap_or(value);
            (is_filled(first) && Charset::named(first).is_none()).then_some(Fault::NotInTable)
        },
    ),
];

/// The message structure, the acknowledgment types and the profile are what Z22 asks of version 2.5.1.
fn is_2_5_1(scope: &Scope<'_>) -> bool {
    scope.fields.component(12, 1) == b"2.5.1" && scope.fields.component(9, 1) == b"VXU"
}

fn profile(scope: &Scope<'_>, value: &[u8]) -> Option<Fault> {
    let mut named = scope.fields.repetitions(21).map(|one| scope.fields.component_of(one, 1));
    if named.any(|id| id == b"Z22") {
        return None;
    }
    first_filled(scope, value).or(Some(Fault::NotInTable))
}

/// Characters of UTF-8; of other character sets at most as many as there are bytes.
fn characters(value: &[u8]) -> usize {
    if value.len() <= CONTROL_ID_CHARS_MAX {
        return value.len();
    }
    std::str::from_utf8(value).map_or(value.len(), |text| text.chars().count())
}
