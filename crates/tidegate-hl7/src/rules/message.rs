//! Rules about whole messages and files, and about what stands between fields.
//!
//! Invariant: these rows have no test; `check`, `walk` and `door` find what they describe.

use super::Rule;
use crate::fault::Fault;
use crate::finding::Severity::{Error, Information, Warning};

const NOWHERE: (&[u8; 3], u8, u8) = (b"   ", 0, 0);

/// Those of the table of door rules, for listing it.
pub(crate) static NUMBERED: [&Rule; 14] = [
    &SEPARATORS,
    &CHARSET,
    &SEQUENCE,
    &CONSEQUENCE,
    &HELD_BACK,
    &ROUTE,
    &ELIGIBILITY,
    &NO_ORDERS,
    &NOT_A_SEGMENT,
    &STRAY,
    &REUSED,
    &REPEATED,
    &CONTROL_BYTES,
    &OVERSIZE,
];

pub(crate) static SEPARATORS: Rule = Rule::new(
    1,
    (b"MSH", 2, 0),
    Error,
    "Separators",
    "Write MSH|^~\\& at the start of each message; ask your software vendor.",
)
.finds(&[Fault::BadSeparators]);

pub(crate) static CHARSET: Rule = Rule::new(
    9,
    (b"MSH", 18, 0),
    Warning,
    "Character set",
    "Export in UTF-8, or name the character set in MSH-18, so that names with accents arrive right.",
)
.finds(&[Fault::NotInCharset])
.set_by("default_charset");

pub(crate) static SEQUENCE: Rule = Rule::new(
    10,
    NOWHERE,
    Error,
    "Segment",
    "Write the segments in the order MSH, PID, PD1, NK1, then ORC, RXA, RXR, OBX for each vaccination.",
)
.finds(&[
    Fault::SegmentMissing,
    Fault::SegmentRepeated,
    Fault::WithoutOrc,
    Fault::WithoutRxa,
    Fault::OutOfOrder,
]);

pub(crate) static CONSEQUENCE: Rule =
    Rule::new(10, NOWHERE, Error, "Message", "Correct the errors of the fields; this one goes with them.")
        .finds(&[Fault::CountsAsMissing, Fault::GroupCountsAsMissing, Fault::NoGroupLeft]);

pub(crate) static HELD_BACK: Rule = Rule::new(
    10,
    NOWHERE,
    Error,
    "Message",
    "Correct the vaccinations with errors; the others of the message come with them.",
)
.finds(&[Fault::HeldBack])
.set_by("forward_on_group_error");

pub(crate) static ROUTE: Rule = Rule::new(
    22,
    (b"RXA", 0, 0),
    Warning,
    "Route (RXR-1)",
    "Add an RXR segment that says how the vaccine was given.",
)
.finds(&[Fault::Missing]);

pub(crate) static ELIGIBILITY: Rule = Rule::new(
    22,
    (b"RXA", 0, 0),
    Warning,
    "Funding eligibility (OBX 64994-7)",
    "Add an OBX segment with the patient's eligibility (64994-7) to each dose you gave.",
)
.finds(&[Fault::ObservationMissing]);

pub(crate) static NO_ORDERS: Rule =
    Rule::new(24, NOWHERE, Information, "Message", "Nothing needs to be done.").finds(&[Fault::NoOrders]);

pub(crate) static NOT_A_SEGMENT: Rule = Rule::new(
    25,
    NOWHERE,
    Error,
    "Line",
    "Look for line breaks inside a field (often in a note or an address) and remove them.",
)
.finds(&[Fault::NotASegment]);

pub(crate) static STRAY: Rule = Rule::new(
    25,
    NOWHERE,
    Error,
    "Lines",
    "Look for the message these lines belong to, and send that message again.",
)
.finds(&[Fault::Stray]);

pub(crate) static REUSED: Rule = Rule::new(
    26,
    (b"MSH", 10, 0),
    Error,
    "Message control id",
    "Give each message an id of its own, then send the message again.",
)
.finds(&[Fault::Reused]);

pub(crate) static REPEATED: Rule =
    Rule::new(26, NOWHERE, Information, "The same message", "Nothing needs to be done.")
        .finds(&[Fault::Repeated]);

pub(crate) static CONTROL_BYTES: Rule = Rule::new(
    27,
    NOWHERE,
    Error,
    "Field",
    "Remove control characters from the field; they often come from copied text.",
)
.finds(&[Fault::ControlByte]);

pub(crate) static OVERSIZE: Rule = Rule::new(
    30,
    NOWHERE,
    Error,
    "Message",
    "Split the message or leave out attachments, and send it again.",
)
.finds(&[Fault::Oversize]);

pub(crate) static BY_REGISTRY: Rule =
    Rule::new(0, NOWHERE, Error, "Message", "Correct what the registry names and send the message again.");

pub(crate) static REJECTED_BY_REGISTRY: Rule =
    Rule::new(0, NOWHERE, Error, "Message", "Correct what the registry names and send the message again.")
        .code(207);

pub(crate) static FILE: Rule = Rule::new(0, NOWHERE, Error, "File", "Correct the file and send it again.");

pub(crate) static MORE: Rule =
    Rule::new(0, NOWHERE, Information, "Further", "Correct the problems listed first.");
