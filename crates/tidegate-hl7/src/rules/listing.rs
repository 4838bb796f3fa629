//! The door rules for people and for tests: what is checked, where, and how it is answered.
//!
//! Invariant: nothing stands here that the rules themselves do not say.

use super::{FIELD_RULES, Rule, message};
use crate::finding::Severity;

/// One row of the table of door rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleEntry {
    /// Its number; several rows may share one.
    pub number: u8,
    /// `SEG-field.component`, `SEG` for a whole segment, or nothing for what may be anywhere.
    pub location: String,
    /// What it is about.
    pub name: &'static str,
    /// What it finds, in the words of ERR-8.
    pub finds: Vec<&'static str>,
    /// Codes of HL7 table 0357: ERR-3.
    pub codes: Vec<u16>,
    /// Codes of user table 0533: ERR-5.
    pub application_codes: Vec<u8>,
    /// ERR-4.
    pub severity: Severity,
    /// The key in an organization's `[hl7]` that changes what it does, if there is one.
    pub switch: Option<&'static str>,
    /// What the sender is told to do.
    pub advice: &'static str,
}

/// The table of door rules, by number.
pub fn rule_table() -> Vec<RuleEntry> {
    let of_fields = FIELD_RULES.into_iter().flatten().map(|row| &row.rule);
    let mut entries: Vec<RuleEntry> = of_fields.chain(message::NUMBERED).map(entry).collect();
    entries.sort_by_key(|entry| entry.number);
    entries
}

fn entry(rule: &Rule) -> RuleEntry {
    let mut codes: Vec<u16> = rule.faults.iter().map(|fault| rule.code.unwrap_or(fault.code())).collect();
    let of_table_0533 = rule.faults.iter().filter(|_| rule.code.is_none());
    let mut application_codes: Vec<u8> = of_table_0533.filter_map(|fault| fault.application_code()).collect();
    for_reading(&mut codes);
    for_reading(&mut application_codes);
    RuleEntry {
        number: rule.number,
        location: location(rule),
        name: rule.name,
        finds: rule.faults.iter().map(|fault| fault.phrase()).collect(),
        codes,
        application_codes,
        severity: rule.severity,
        switch: rule.switch.or_else(|| switch(rule)),
        advice: rule.advice,
    }
}

fn for_reading<T: Ord>(codes: &mut Vec<T>) {
    codes.sort_unstable();
    codes.dedup();
}

fn location(rule: &Rule) -> String {
    let segment = std::str::from_utf8(&rule.segment).unwrap_or_default().trim();
    match (rule.field, rule.component) {
        (0, _) => segment.to_owned(),
        (field, 0) => format!("{segment}-{field}"),
        (field, component) => format!("{segment}-{field}.{component}"),
    }
}

/// Settings that concern all rules of a kind.
fn switch(rule: &Rule) -> Option<&'static str> {
    match rule.severity {
        Severity::Warning => Some("warnings"),
        Severity::Error if matches!(&rule.segment, b"ORC" | b"RXA" | b"RXR" | b"OBX") => {
            Some("forward_on_group_error")
        }
        _ => None,
    }
}
