//! Rules about the patient, PID (door rules 11 to 15).
//!
//! Invariant: an error here holds the whole message back; the registry could not tell whose vaccination it is.

use super::tests_of::{filled, one_of, past_day};
use super::{FieldRule, Rule, row};
use crate::finding::Severity::{Error, Warning};

pub(crate) static RULES: &[FieldRule] = &[
    row(
        Rule::new(
            11,
            (b"PID", 3, 1),
            Error,
            "Patient identifier",
            "Send the patient's record number in PID-3.",
        ),
        filled,
    ),
    row(
        Rule::new(
            12,
            (b"PID", 3, 4),
            Warning,
            "Assigning authority of the patient identifier",
            "Say in PID-3.4 who issued the record number.",
        ),
        filled,
    ),
    row(
        Rule::new(
            12,
            (b"PID", 3, 5),
            Warning,
            "Type of the patient identifier",
            "Say in PID-3.5 what kind of number it is, for example MR.",
        ),
        filled,
    ),
    row(
        Rule::new(13, (b"PID", 5, 1), Error, "Patient's last name", "Fill in the patient's last name."),
        filled,
    ),
    row(
        Rule::new(13, (b"PID", 5, 2), Error, "Patient's first name", "Fill in the patient's first name."),
        filled,
    ),
    row(
        Rule::new(
            14,
            (b"PID", 7, 0),
            Error,
            "Patient's date of birth",
            "Fill in the patient's date of birth as YYYYMMDD; it cannot be after today.",
        ),
        |scope, value| past_day(scope, value).err(),
    ),
    row(
        Rule::new(
            15,
            (b"PID", 8, 0),
            Warning,
            "Patient's sex",
            "Send F, M or U (another code of table 0001 is taken too).",
        ),
        |_, value| one_of(value, &[b"F", b"M", b"U", b"O", b"A", b"N", b"X"]),
    ),
];
