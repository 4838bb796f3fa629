//! Rules about the patient, PID (door rules 11 to 15), and the next of kin, NK1 (28).
//!
//! Invariant: an error in PID holds the whole message back; the registry could not tell whose vaccination it is.

use super::tests_of::{MISSING_OR_UNKNOWN, filled, listed, past_day};
use super::{FieldRule, Rule, row};
use crate::fault::Fault;
use crate::finding::Severity::{Error, Warning};
use crate::tables::Table;

pub(crate) static RULES: &[FieldRule] = &[
    row(
        Rule::new(
            11,
            (b"PID", 3, 1),
            Error,
            "Patient identifier",
            "Send the patient's record number in PID-3.",
        )
        .finds(&[Fault::Missing]),
        filled,
    ),
    row(
        Rule::new(
            12,
            (b"PID", 3, 4),
            Warning,
            "Assigning authority of the patient identifier",
            "Say in PID-3.4 who issued the record number.",
        )
        .finds(&[Fault::Missing]),
        filled,
    ),
    row(
        Rule::new(
            12,
            (b"PID", 3, 5),
            Warning,
            "Type of the patient identifier",
            "Say in PID-3.5 what kind of number it is, for example MR.",
        )
        .finds(&[Fault::Missing]),
        filled,
    ),
    row(
        Rule::new(13, (b"PID", 5, 1), Error, "Patient's last name", "Fill in the patient's last name.")
            .finds(&[Fault::Missing]),
        filled,
    ),
    row(
        Rule::new(13, (b"PID", 5, 2), Error, "Patient's first name", "Fill in the patient's first name.")
            .finds(&[Fault::Missing]),
        filled,
    ),
    row(
        Rule::new(
            14,
            (b"PID", 7, 0),
            Error,
            "Patient's date of birth",
            "Fill in the patient's date of birth as YYYYMMDD; it cannot be after today.",
        )
        .finds(&[Fault::Missing, Fault::BadDate, Fault::Future]),
        |scope, value| past_day(scope, value).err(),
    ),
    row(
        Rule::new(
            15,
            (b"PID", 8, 0),
            Warning,
            "Patient's sex",
            "Send F, M or U (another code of table 0001 is taken too).",
        )
        .finds(MISSING_OR_UNKNOWN),
        |scope, value| listed(scope, Table::Sex, value),
    ),
];

/// A next of kin without these counts as absent (CDC guide 1.5, appendix B, "Segment Rejection"), but the message
/// is taken: that is why these are warnings.
pub(crate) static NEXT_OF_KIN: &[FieldRule] = &[
    row(
        Rule::new(
            28,
            (b"NK1", 2, 1),
            Warning,
            "Last name of the next of kin",
            "Fill in NK1-2 or leave the segment out.",
        )
        .finds(&[Fault::Missing]),
        filled,
    ),
    row(
        Rule::new(
            28,
            (b"NK1", 3, 1),
            Warning,
            "Relationship of the next of kin",
            "Fill in NK1-3, for example with MTH, or leave the segment out.",
        )
        .finds(&[Fault::Missing]),
        filled,
    ),
];
