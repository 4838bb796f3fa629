//! Rules about one ORDER group: ORC, RXA, RXR, OBX (door rules 16 to 23).
//!
//! Invariant: an error here is the fault of its group alone. What depends on several segments of a group (a missing RXR
//! or OBX) is found at the group's end by `check`.

use super::tests_of::{filled, first_filled, known, one_of, past_day};
use super::{FieldRule, Rule, Scope, row};
use crate::dtm::Dtm;
use crate::fault::Fault;
use crate::finding::Severity::{Error, Warning};
use crate::view::is_filled;

pub(crate) static ORC: &[FieldRule] = &[
    row(Rule::new(16, (b"ORC", 1, 0), Warning, "Order control", "Write RE into ORC-1."), |_, value| {
        one_of(value, &[b"RE"])
    }),
    row(
        Rule::new(
            16,
            (b"ORC", 3, 0),
            Error,
            "Filler order number",
            "Give each vaccination a number of its own in ORC-3.",
        ),
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
        ),
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
        ),
        |scope, value| {
            (is_filled(value) && day_of(scope, 4) != day_of(scope, 3)).then_some(Fault::DiffersFromStart)
        },
    ),
    row(
        Rule::new(18, (b"RXA", 5, 1), Error, "Vaccine code", "Fill in the vaccine's CVX code (or its NDC)."),
        filled,
    ),
    row(
        Rule::new(
            18,
            (b"RXA", 5, 3),
            Error,
            "Coding system of the vaccine",
            "Name the coding system of the vaccine code: CVX or NDC.",
        ),
        |_, value| one_of(value, &[b"CVX", b"NDC", b"HL70292"]),
    ),
    row(
        Rule::new(
            19,
            (b"RXA", 5, 1),
            Warning,
            "Vaccine code",
            "Check the vaccine code against CDC's list of CVX codes.",
        ),
        |scope, value| {
            let is_cvx = matches!(scope.fields.component(5, 3), b"CVX" | b"HL70292");
            let listed = |code| scope.profile.vaccine_codes.contains(code);
            let wanted = is_cvx && is_filled(value) && !scope.profile.vaccine_codes.is_empty();
            (wanted && !std::str::from_utf8(value).is_ok_and(listed)).then_some(Fault::NotInTable)
        },
    ),
    row(Rule::new(20, (b"RXA", 1, 0), Warning, "Give sub-id counter", "Write 0 into RXA-1."), |_, value| {
        one_of(value, &[b"0"])
    }),
    row(
        Rule::new(20, (b"RXA", 2, 0), Warning, "Administration sub-id counter", "Write 1 into RXA-2."),
        |_, value| one_of(value, &[b"1"]),
    ),
    row(
        Rule::new(
            20,
            (b"RXA", 6, 0),
            Warning,
            "Amount given",
            "Fill in the amount, or 999 if it is unknown.",
        ),
        filled,
    ),
    row(
        Rule::new(
            21,
            (b"RXA", 20, 0),
            Warning,
            "Completion status",
            "Write CP, PA, NA or RE, in keeping with RXA-5 and 18.",
        ),
        completion,
    ),
    row(
        Rule::new(21, (b"RXA", 21, 0), Warning, "Action code", "Write A, D or U into RXA-21."),
        |_, value| known(value, &[b"A", b"D", b"U"]),
    ),
    row(
        Rule::new(
            22,
            (b"RXA", 9, 1),
            Warning,
            "Information source",
            "Write 00 for doses you gave, 01 to 08 for older ones.",
        ),
        |scope, value| if is_given(scope) { one_of(value, SOURCES) } else { None },
    ),
    row(
        Rule::new(22, (b"RXA", 15, 0), Warning, "Lot number", "Fill in the lot number of doses you gave."),
        of_new_dose,
    ),
    row(
        Rule::new(
            22,
            (b"RXA", 16, 0),
            Warning,
            "Expiry date of the lot",
            "Fill in the expiry date of doses you gave.",
        ),
        of_new_dose,
    ),
    row(
        Rule::new(
            22,
            (b"RXA", 17, 0),
            Warning,
            "Manufacturer",
            "Fill in the manufacturer of doses you gave.",
        ),
        of_new_dose,
    ),
];

pub(crate) static RXR: &[FieldRule] = &[row(
    Rule::new(22, (b"RXR", 1, 0), Warning, "Route", "Fill in how the vaccine was given."),
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
        ),
        |_, value| one_of(value, &[b"CE", b"NM", b"ST", b"DT", b"ID", b"TS"]),
    ),
    row(
        Rule::new(23, (b"OBX", 3, 1), Warning, "Code of the observation", "Fill in the LOINC code in OBX-3."),
        filled,
    ),
    row(
        Rule::new(
            23,
            (b"OBX", 5, 0),
            Warning,
            "Value of the observation",
            "Fill in OBX-5 or leave the OBX out.",
        ),
        filled,
    ),
    row(
        Rule::new(23, (b"OBX", 11, 0), Warning, "Status of the observation", "Write F into OBX-11."),
        |_, value| one_of(value, &[b"F"]),
    ),
];

/// NIP001, information sources.
const SOURCES: &[&[u8]] = &[b"00", b"01", b"02", b"03", b"04", b"05", b"06", b"07", b"08"];

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
    known(value, &[b"CP", b"PA", b"NA", b"RE"]).or((refused || nothing_given).then_some(Fault::Contradicts))
}
