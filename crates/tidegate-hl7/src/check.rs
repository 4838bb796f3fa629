//! One message against the door rules.
//!
//! Invariant: every fault of a readable message is found in one pass, and one bad field hides no other; a message of
//! another kind is only told so. It knows no other message (see `duplicates`) and delivers nothing.

use chrono::{DateTime, FixedOffset};

use crate::charset;
use crate::dtm::Day;
use crate::fault::Fault;
use crate::finding::{Finding, Severity};
use crate::profile::Profile;
use crate::rules::{FieldRule, Scope, header, message};
use crate::verdict::{Findings, Verdict};
use crate::view::{Fields, Header};
use crate::walk::Walk;

/// Where a message stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Its number among the messages, counted from 1.
    pub ordinal: u64,
    /// Byte offset of its first byte.
    pub offset: u64,
    /// Line of its first byte, counted from 1.
    pub line: u64,
}

/// The door rules with an organization's settings.
#[derive(Debug, Clone)]
pub struct Checker {
    pub(crate) profile: Profile,
    pub(crate) today: Day,
}

impl Checker {
    /// Rules that take the day at `now`, in its zone, as today.
    pub fn new(profile: Profile, now: &DateTime<FixedOffset>) -> Self {
        Self { profile, today: Day::at(now) }
    }

    /// Checks one message, as a [`crate::UnitKind::Message`] holds it.
    pub fn check(&self, message: &[u8], place: Place) -> Verdict {
        self.check_with(Header::of(message).as_ref(), message, place)
    }

    /// Checks a message whose header was read before.
    pub(crate) fn check_with(&self, header: Option<&Header<'_>>, message: &[u8], place: Place) -> Verdict {
        let Some(header) = header else {
            return self.unreadable(Finding::new(&message::SEPARATORS, Fault::BadSeparators, 1), place);
        };
        let mut findings = Findings::of(self.profile.warnings);
        self.check_header(header, place, &mut findings);
        let mut despite_errors = false;
        if !findings.rejects() {
            charset::check(message, &header.fields, &self.profile, &mut findings);
            despite_errors = Walk::new(self, header, &mut findings).over(message);
        }
        findings.verdict(despite_errors)
    }

    /// A message whose header can't be read, or that is over the limit.
    pub(crate) fn unreadable(&self, mut finding: Finding, place: Place) -> Verdict {
        finding.in_file = Some((place.ordinal, place.offset));
        let mut findings = Findings::of(self.profile.warnings);
        findings.push(finding);
        findings.verdict(false)
    }

    /// A unit over the limit, of which only the head is there.
    pub(crate) fn oversize(&self, place: Place) -> Verdict {
        self.unreadable(Finding::new(&message::OVERSIZE, Fault::Oversize, 1), place)
    }

    /// Lines that belong to no message.
    pub(crate) fn stray(&self, place: Place) -> Verdict {
        self.unreadable(Finding::new(&message::STRAY, Fault::Stray, 1), place)
    }

    pub(crate) fn scope<'a>(&'a self, fields: &'a Fields<'a>, born: Option<Day>) -> Scope<'a> {
        Scope { profile: &self.profile, today: self.today, born, fields }
    }

    fn check_header(&self, header: &Header<'_>, place: Place, findings: &mut Findings) {
        let scope = self.scope(&header.fields, None);
        apply(header::RULES, &scope, |rule, fault| {
            findings.fatal |= rule.severity == Severity::Error;
            let mut finding = Finding::new(rule, fault, 1);
            finding.line = 1;
            // Without a control id, the place in the file is the only way to find the message.
            finding.in_file =
                (rule.number == 6 && fault == Fault::Missing).then_some((place.ordinal, place.offset));
            findings.push(finding);
        });
        if findings.fatal && !findings.rejects() {
            findings.push(consequence(*b"MSH", 1, 1, Fault::CountsAsMissing));
        }
    }
}

/// What follows from errors in the fields of a segment (CDC guide 1.5, table 3-1 and appendix B, "Send Error in ACK").
pub(crate) fn consequence(segment: [u8; 3], occurrence: u32, line: u32, fault: Fault) -> Finding {
    let mut finding = Finding::new(&message::CONSEQUENCE, fault, occurrence);
    (finding.segment, finding.line) = (segment, line);
    finding
}

/// Checks one message with the settings of `profile`; for many, make a [`Checker`] once.
pub fn check(message: &[u8], profile: &Profile, now: &DateTime<FixedOffset>, place: Place) -> Verdict {
    Checker::new(profile.clone(), now).check(message, place)
}

/// Applies the rules of one segment.
pub(crate) fn apply(
    rules: &'static [FieldRule],
    scope: &Scope<'_>,
    mut found: impl FnMut(&'static crate::rules::Rule, Fault),
) {
    for FieldRule { rule, test } in rules {
        if let Some(fault) = test(scope, scope.fields.component(rule.field, rule.component)) {
            found(rule, fault);
        }
    }
}
