//! The door rules as data: where, how bad, in which words, and the test.
//!
//! Invariant: a rule is a row of a table; what a row can't say (order of segments, groups, whole messages) is found by
//! `check` and pointed to one of the rows in [`message`]. Sources: CDC guide 1.5, chapter 5 and table 3-1; Z22.

pub(crate) mod header;
pub(crate) mod listing;
pub(crate) mod message;
pub(crate) mod order;
pub(crate) mod patient;
pub(crate) mod tests_of;

use crate::dtm::Day;
use crate::fault::Fault;
use crate::finding::Severity;
use crate::profile::Profile;
use crate::view::Fields;

/// What a rule says about a place, apart from its test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Its number in the table of door rules.
    pub(crate) number: u8,
    pub(crate) segment: [u8; 3],
    /// 0 for the segment as a whole.
    pub(crate) field: u8,
    /// 0 for the field as a whole.
    pub(crate) component: u8,
    pub(crate) severity: Severity,
    /// A code of table 0357 that stands for every fault of this rule.
    pub(crate) code: Option<u16>,
    /// Everything it may find.
    pub(crate) faults: &'static [Fault],
    /// The organization's setting that changes what it finds, if there is one of its own.
    pub(crate) switch: Option<&'static str>,
    pub(crate) name: &'static str,
    pub(crate) advice: &'static str,
}

impl Rule {
    pub(crate) const fn new(
        number: u8,
        place: (&[u8; 3], u8, u8),
        severity: Severity,
        name: &'static str,
        advice: &'static str,
    ) -> Self {
        Self {
            number,
            segment: *place.0,
            field: place.1,
            component: place.2,
            severity,
            code: None,
            faults: &[],
            switch: None,
            name,
            advice,
        }
    }

    pub(crate) const fn code(mut self, code: u16) -> Self {
        self.code = Some(code);
        self
    }

    pub(crate) const fn finds(mut self, faults: &'static [Fault]) -> Self {
        self.faults = faults;
        self
    }

    pub(crate) const fn set_by(mut self, switch: &'static str) -> Self {
        self.switch = Some(switch);
        self
    }
}

/// A rule about one field of a segment.
pub(crate) struct FieldRule {
    pub(crate) rule: Rule,
    pub(crate) test: Test,
}

/// Says what is wrong with the value at a rule's place; the value of a rule without component is the whole field.
pub(crate) type Test = fn(&Scope<'_>, &[u8]) -> Option<Fault>;

/// What a test may look at besides the value.
pub(crate) struct Scope<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) today: Day,
    /// The patient's day of birth, once a usable one was seen.
    pub(crate) born: Option<Day>,
    /// The segment the value is from.
    pub(crate) fields: &'a Fields<'a>,
}

const fn row(rule: Rule, test: Test) -> FieldRule {
    FieldRule { rule, test }
}

/// All rules about fields, by segment.
pub(crate) const FIELD_RULES: [&[FieldRule]; 7] =
    [header::RULES, patient::RULES, patient::NEXT_OF_KIN, order::ORC, order::RXA, order::RXR, order::OBX];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::fields_read;

    #[test]
    fn each_rule_reads_a_field_that_is_cut_and_fits_into_an_err_segment() {
        for FieldRule { rule, .. } in FIELD_RULES.into_iter().flatten() {
            let Rule { number, segment, field, name, advice, faults, .. } = rule;
            // MSH counts its separator as a field.
            assert!(usize::from(*field) < fields_read(segment), "rule {number}: {segment:?}-{field}");
            assert!(!name.is_empty() && !advice.is_empty() && name.len() < 100, "rule {number}");
            assert!(!name.contains('|') && advice.ends_with('.'), "rule {number}: {advice}");
            assert!(!faults.is_empty(), "rule {number} finds nothing");
        }
    }
}
