//! Rules about one ORDER group: ORC, RXA, RXR, OBX (door rules 16 to 23, and 29).
//!
//! Invariant: an error here is the fault of its group alone. What depends on several segments of a group (a missing RXR
//! or OBX) is found at the group's end by `check`.

use super::tests_of::{MISSING_OR_UNKNOWN, filled, first_filled, listed, listed_if_filled, one_of, past_day};
use super::{FieldRule, Rule, Scope, row};
use crate::dtm::Dtm;
use crate::fault::Fault;
use crate::finding::Severity::{Error, Information, Warning};
use crate::tables::Table;
use crate::view::is_filled;

pub(crate) static ORC: &[FieldRule] = &[
    row(
        Rule::new(16, (b"ORC", 1, 0), Warning, "Order control", "Write RE into ORC-1.")
            .finds(MISSING_OR_UNKNOWN),
        |_, value| one_of(value, &[b"RE"]),
    ),
    row(
        Rule::new(
            16,
            (b"ORC", 3, 0),
            Error,
            "Filler order number",
            "Give each vaccination a number of its own in ORC-3.",
        )
        .finds(&[Fault::Missing]),
        first_filled,
    ),
];

pub(crate) static RXA: &[FieldRule] = &[
    row(
        Rule::new(
            17,
            (b"RXA", 3, 0),
            Error,
            "Date of vaccination",
            "Fill in the day the vaccine was given as YYYYMMDD, between the patient's birth and today.",
        )
        .finds(&[Fault::Missing, Fault::BadDate, Fault::Future, Fault::BeforeBirth]),
        |scope, value| match past_day(scope, value) {
            Ok(day) => scope.born.is_some_and(|born| day < born).then_some(Fault::BeforeBirth),
            Err(fault) => Some(fault),
        },
    ),
    row(
        Rule::new(
            17,
            (b"RXA", 4, 0),
            Warning,
            "End of vaccination",
            "Leave RXA-4 empty or give the day of RXA-3.",
        )
        .finds(&[Fault::DiffersFromStart]),
        |scope, value| {
            (is_filled(value) && day_of(scope, 4) != day_of(scope, 3)).then_some(Fault::DiffersFromStart)
        },
    ),
    row(
        Rule::new(18, (b"RXA", 5, 1), Error, "Vaccine code", "Fill in the vaccine's CVX code (or its NDC).")
            .finds(&[Fault::Missing]),
        filled,
    ),
    row(
        Rule::new(
            18,
            (b"RXA", 5, 3),
            Error,
            "Coding system of the vaccine",
            "Name the coding system of the vaccine code: CVX or NDC.",
        )
        .finds(MISSING_OR_UNKNOWN),
        |_, value| one_of(value, &[b"CVX", b"NDC", b"HL70292"]),
    ),
    row(
        Rule::new(
            19,
            (b"RXA", 5, 1),
            Warning,
            "Vaccine code",
            "Check the vaccine code against CDC's list of CVX codes.",
        )
        .finds(&[Fault::NotInTable]),
        |scope, value| {
            let is_cvx = matches!(scope.fields.component(5, 3), b"CVX" | b"HL70292");
            if is_cvx { listed_if_filled(scope, Table::Vaccine, value) } else { None }
        },
    ),
    row(
        Rule::new(20, (b"RXA", 1, 0), Warning, "Give sub-id counter", "Write 0 into RXA-1.")
            .finds(MISSING_OR_UNKNOWN),
        |_, value| one_of(value, &[b"0"]),
    ),
    row(
        Rule::new(20, (b"RXA", 2, 0), Warning, "Administration sub-id counter", "Write 1 into RXA-2.")
            .finds(MISSING_OR_UNKNOWN),
        |_, value| one_of(value, &[b"1"]),
    ),
    row(
        Rule::new(
            20,
            (b"RXA", 6, 0),
            Warning,
            "Amount given",
            "Fill in the amount, or 999 if it is unknown.",
        )
        .finds(&[Fault::Missing]),
        filled,
    ),
    row(
        Rule::new(
            21,
            (b"RXA", 20, 0),
            Warning,
            "Completion status",
            "Write CP, PA, NA or RE, in keeping with RXA-5 and 18.",
        )
        .finds(&[Fault::NotInTable, Fault::Contradicts]),
        completion,
    ),
    row(
        Rule::new(21, (b"RXA", 21, 0), Warning, "Action code", "Write A, D or U into RXA-21.")
            .finds(&[Fault::NotInTable]),
        |scope, value| listed_if_filled(scope, Table::Action, value),
    ),
    row(
        Rule::new(
            22,
            (b"RXA", 9, 1),
            Warning,
            "Information source",
            "Write 00 for doses you gave, 01 to 08 for older ones.",
        )
        .finds(MISSING_OR_UNKNOWN),
        |scope, value| if is_given(scope) { listed(scope, Table::Source, value) } else { None },
    ),
    row(
        Rule::new(22, (b"RXA", 15, 0), Warning, "Lot number", "Fill in the lot number of doses you gave.")
            .finds(&[Fault::Missing]),
        of_new_dose,
    ),
    row(
        Rule::new(
            22,
            (b"RXA", 16, 0),
            Warning,
            "Expiry date of the lot",
            "Fill in the expiry date of doses you gave.",
        )
        .finds(&[Fault::Missing]),
        of_new_dose,
    ),
    row(
        Rule::new(
            22,
            (b"RXA", 17, 0),
            Warning,
            "Manufacturer",
            "Fill in the manufacturer of doses you gave.",
        )
        .finds(&[Fault::Missing]),
        of_new_dose,
    ),
    row(
        Rule::new(
            29,
            (b"RXA", 17, 1),
            Information,
            "Manufacturer",
            "Check the manufacturer's code against CDC's list of MVX codes.",
        )
        .finds(&[Fault::NotInTable]),
        |scope, value| {
            let is_mvx = matches!(scope.fields.component(17, 3), b"MVX" | b"HL70227");
            if is_mvx { listed_if_filled(scope, Table::Manufacturer, value) } else { None }
        },
    ),
];

pub(crate) static RXR: &[FieldRule] = &[row(
    Rule::new(22, (b"RXR", 1, 0), Warning, "Route", "Fill in how the vaccine was given.")
        .finds(&[Fault::Missing]),
    first_filled,
)];

pub(crate) static OBX: &[FieldRule] = &[
    row(
        Rule::new(
            23,
            (b"OBX", 2, 0),
            Warning,
            "Type of the observation",
            "Write CE, NM, ST, DT, ID or TS into OBX-2.",
        )
        .finds(MISSING_OR_UNKNOWN),
        |scope, value| listed(scope, Table::ValueType, value),
    ),
    row(
        Rule::new(23, (b"OBX", 3, 1), Warning, "Code of the observation", "Fill in the LOINC code in OBX-3.")
            .finds(&[Fault::Missing]),
        filled,
    ),
    row(
        Rule::new(
            23,
            (b"OBX", 5, 0),
            Warning,
            "Value of the observation",
            "Fill in OBX-5 or leave the OBX out.",
        )
        .finds(&[Fault::Missing]),
        filled,
    ),
    row(
        Rule::new(23, (b"OBX", 11, 0), Warning, "Status of the observation", "Write F into OBX-11.")
            .finds(MISSING_OR_UNKNOWN),
        |_, value| one_of(value, &[b"F"]),
    ),
];

/// The vaccine went into the patient, at least in part.
pub(crate) fn is_given(scope: &Scope<'_>) -> bool {
    matches!(scope.fields.get(20), b"CP" | b"PA")
}

/// Given, and by the organization that reports it.
pub(crate) fn is_new_dose(scope: &Scope<'_>) -> bool {
    is_given(scope) && scope.fields.component(9, 1) == b"00"
}

fn of_new_dose(scope: &Scope<'_>, value: &[u8]) -> Option<Fault> {
    if is_new_dose(scope) { first_filled(scope, value) } else { None }
}

fn day_of(scope: &Scope<'_>, field: u8) -> Option<crate::dtm::Day> {
    Dtm::parse(scope.fields.component(field, 1)).and_then(Dtm::day)
}

/// A refusal reason goes with RE, and CVX 998 ("no vaccine administered") with NA.
fn completion(scope: &Scope<'_>, value: &[u8]) -> Option<Fault> {
    let refused = is_filled(scope.fields.get(18)) && value != b"RE";
    let nothing_given = scope.fields.component(5, 1) == b"998" && value != b"NA";
    let unknown = listed_if_filled(scope, Table::Completion, value);
    unknown.or((refused || nothing_given).then_some(Fault::Contradicts))
}
