//! One thing wrong with a message: where, how bad, and in words.
//!
//! Invariant: its words are fixed phrases, names of fields and numbers; no value of the message is in it, except the
//! text a registry gave with its own refusal. It does not decide what becomes of the message (see `verdict`).

use std::fmt::{self, Write};

use crate::fault::Fault;
use crate::rules::Rule;

/// Longest text for people in ERR-8, in bytes (NIST's profile of the acknowledgment, ERR-8).
pub const TEXT_BYTES_MAX: usize = 250;

/// HL7 table 0516.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// `E`: data was not accepted.
    Error,
    /// `W`: accepted, but something may be lost or wrong.
    Warning,
    /// `I`: for information.
    Information,
}

impl Severity {
    /// The code of table 0516.
    pub fn code(self) -> &'static str {
        match self {
            Self::Error => "E",
            Self::Warning => "W",
            Self::Information => "I",
        }
    }
}

/// A place in a message, as ERR-2 (data type ERL) names it: counted from 1, 0 where it does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Location {
    /// Segment name; three blanks if the finding has no place.
    pub segment: [u8; 3],
    /// Which one of that name in the message.
    pub occurrence: u32,
    /// Field, or 0 for the segment as a whole.
    pub field: u8,
    /// Component of the field's first repetition, or 0 for the field as a whole.
    pub component: u8,
}

/// Writes ERR-2: parts are cut from the right until it fits the 18 characters the profile allows.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(segment) = std::str::from_utf8(&self.segment) else { return Ok(()) };
        if segment.trim().is_empty() {
            return Ok(());
        }
        write!(f, "{segment}^{}", self.occurrence)?;
        // SEG^4294967295^21 has 17 characters, so only the component can be too much.
        if self.field > 0 {
            write!(f, "^{}", self.field)?;
        }
        if self.component > 0 && self.occurrence < 10_000 {
            write!(f, "^1^{}", self.component)?;
        }
        Ok(())
    }
}

/// One thing wrong with a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    pub(crate) rule: &'static Rule,
    pub(crate) fault: Fault,
    pub(crate) segment: [u8; 3],
    pub(crate) occurrence: u32,
    pub(crate) field: u8,
    /// Line of the message, counted from 1; 0 for what concerns the whole message.
    pub(crate) line: u32,
    /// Ordinal and byte offset in the file, for a message that can't be named by its control id.
    pub(crate) in_file: Option<(u64, u64)>,
    /// Words given from outside instead of ours.
    pub(crate) words: Option<Box<str>>,
}

impl Finding {
    pub(crate) fn new(rule: &'static Rule, fault: Fault, occurrence: u32) -> Self {
        let (segment, field) = (rule.segment, rule.field);
        Self { rule, fault, segment, occurrence, field, line: 0, in_file: None, words: None }
    }

    /// Number of the rule in the table of door rules.
    pub fn rule(&self) -> u8 {
        self.rule.number
    }

    /// How bad it is: ERR-4.
    pub fn severity(&self) -> Severity {
        self.rule.severity
    }

    /// Code of HL7 table 0357: ERR-3.
    pub fn code(&self) -> u16 {
        self.rule.code.unwrap_or(self.fault.code())
    }

    /// Code of user table 0533, where one fits: ERR-5.
    pub fn application_code(&self) -> Option<u8> {
        if self.rule.code.is_some() { None } else { self.fault.application_code() }
    }

    /// Where it is: ERR-2.
    pub fn location(&self) -> Location {
        let component = if self.field == self.rule.field { self.rule.component } else { 0 };
        Location { segment: self.segment, occurrence: self.occurrence, field: self.field, component }
    }

    /// Line of the message it is on, counted from 1; 0 for what concerns the whole message.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Whether it only says what follows from other findings of the message (CDC guide 1.5, table 3-1).
    pub fn is_consequence(&self) -> bool {
        self.fault.is_consequence()
    }

    /// Whether it says that groups without errors are held back with others.
    pub(crate) fn is_held_back(&self) -> bool {
        self.fault == Fault::HeldBack
    }

    /// What the sender can do about it.
    pub fn advice(&self) -> &'static str {
        if self.fault == Fault::ByRegistry && self.words.is_none() {
            return "Ask us for the registry's reason; name the job above and the number of the message.";
        }
        self.rule.advice
    }

    /// What is wrong, for people: ERR-8; at most [`TEXT_BYTES_MAX`] bytes.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match &self.words {
            Some(words) => text.push_str(words),
            None => self.describe(&mut text),
        }
        if let Some((ordinal, offset)) = self.in_file {
            // Writing to a String does not fail.
            let _ = write!(text, " (message {ordinal} of the file, at byte {offset})");
        }
        let mut end = text.len().min(TEXT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text
    }

    fn describe(&self, text: &mut String) {
        let segment = std::str::from_utf8(&self.segment).unwrap_or_default();
        let (name, field, component) = (self.rule.name, self.field, self.location().component);
        let phrase = self.fault.phrase();
        let _ = match (field, component) {
            _ if self.fault == Fault::NotASegment => {
                write!(text, "{name} {} of the message {phrase}", self.line)
            }
            _ if segment.trim().is_empty() => write!(text, "{name} {phrase}"),
            (0, _) if self.segment == self.rule.segment => write!(text, "{name} {phrase}"),
            (0, _) if self.occurrence > 1 => {
                write!(text, "{} number {} {phrase}", title(segment), self.occurrence)
            }
            (0, _) => write!(text, "{} {phrase}", title(segment)),
            (_, 0) => write!(text, "{name} ({segment}-{field}) {phrase}"),
            _ => write!(text, "{name} ({segment}-{field}.{component}) {phrase}"),
        };
    }
}

/// Place and rule only.
impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {} rule {}", self.severity().code(), self.code(), self.location(), self.rule.number)
    }
}

/// A segment by what it is about.
fn title(segment: &str) -> String {
    let about = match segment {
        "MSH" => "message header",
        "PID" => "patient",
        "PD1" => "patient, additional",
        "NK1" => "next of kin",
        "PV1" | "PV2" => "visit",
        "GT1" => "guarantor",
        "IN1" | "IN2" | "IN3" => "insurance",
        "ORC" => "order",
        "RXA" => "vaccination",
        "RXR" => "route and site",
        "OBX" => "observation",
        "TQ1" | "TQ2" => "timing",
        _ => return format!("Segment {segment}"),
    };
    format!("Segment {segment} ({about})")
}
