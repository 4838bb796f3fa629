//! Rules about whole messages and files, and about what stands between fields.
//!
//! Invariant: these rows have no test; `check` and `door` find what they describe.

use super::Rule;
use crate::finding::Severity::{Error, Information, Warning};

const NOWHERE: (&[u8; 3], u8, u8) = (b"   ", 0, 0);

pub(crate) static SEPARATORS: Rule = Rule::new(
    1,
    (b"MSH", 2, 0),
    Error,
    "Separators",
    "Write MSH|^~\\& at the start of each message; ask your software vendor.",
);

pub(crate) static CHARSET: Rule = Rule::new(
    9,
    (b"MSH", 18, 0),
    Warning,
    "Character set",
    "Export in UTF-8, or name the character set in MSH-18, so that names with accents arrive right.",
);

pub(crate) static SEQUENCE: Rule = Rule::new(
    10,
    NOWHERE,
    Error,
    "Segment",
    "Write the segments in the order MSH, PID, PD1, NK1, then ORC, RXA, RXR, OBX for each vaccination.",
);

pub(crate) static ROUTE: Rule = Rule::new(
    22,
    (b"RXA", 0, 0),
    Warning,
    "Route (RXR-1)",
    "Add an RXR segment that says how the vaccine was given.",
);

pub(crate) static ELIGIBILITY: Rule = Rule::new(
    22,
    (b"RXA", 0, 0),
    Warning,
    "Funding eligibility (OBX 64994-7)",
    "Add an OBX segment with the patient's eligibility (64994-7) to each dose you gave.",
);

pub(crate) static NO_ORDERS: Rule =
    Rule::new(24, NOWHERE, Information, "Message", "Nothing needs to be done.");

pub(crate) static NOT_A_SEGMENT: Rule = Rule::new(
    25,
    NOWHERE,
    Error,
    "Line",
    "Look for line breaks inside a field (often in a note or an address) and remove them.",
);

pub(crate) static STRAY: Rule = Rule::new(
    25,
    NOWHERE,
    Error,
    "Lines",
    "Look for the message these lines belong to, and send that message again.",
);

pub(crate) static REUSED: Rule = Rule::new(
    26,
    (b"MSH", 10, 0),
    Error,
    "Message control id",
    "Give each message an id of its own, then send the message again.",
);

pub(crate) static REPEATED: Rule =
    Rule::new(26, NOWHERE, Information, "The same message", "Nothing needs to be done.");

pub(crate) static CONTROL_BYTES: Rule = Rule::new(
    27,
    NOWHERE,
    Error,
    "Field",
    "Remove control characters from the field; they often come from copied text.",
);

pub(crate) static OVERSIZE: Rule =
    Rule::new(0, NOWHERE, Error, "Message", "Split the message or leave out attachments, and send it again.");

pub(crate) static BY_REGISTRY: Rule =
    Rule::new(0, NOWHERE, Error, "Message", "Correct what the registry names and send the message again.");

pub(crate) static REJECTED_BY_REGISTRY: Rule =
    Rule::new(0, NOWHERE, Error, "Message", "Correct what the registry names and send the message again.")
        .code(207);

pub(crate) static FILE: Rule = Rule::new(0, NOWHERE, Error, "File", "Correct the file and send it again.");

pub(crate) static MORE: Rule =
    Rule::new(0, NOWHERE, Information, "Further", "Correct the problems listed first.");
