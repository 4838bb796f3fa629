//! What becomes of one message, and why.
//!
//! Invariant: the acknowledgment code follows from the findings alone: AR if and only if a code starts with 2, AE if
//! any error (or, by setting, warning) is listed, AA otherwise (CDC guide 1.5, MSA-1; NIST for the warnings).

use crate::fault::Fault;
use crate::finding::{Finding, Severity, TEXT_BYTES_MAX};
use crate::profile::Warnings;
use crate::rules::{Rule, message};

/// Most findings listed for a message; what goes beyond is counted.
pub const FINDINGS_MAX: usize = 50;

/// HL7 table 0008, original mode: MSA-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// `AA`: accepted.
    Accept,
    /// `AE`: something is wrong with the content.
    Error,
    /// `AR`: rejected for its kind, not its content.
    Reject,
}

impl Code {
    /// The code as it stands in MSA-1.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "AA",
            Self::Error => "AE",
            Self::Reject => "AR",
        }
    }
}

/// What a message is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Nothing is wrong with it.
    Accepted,
    /// It has warnings only and is delivered.
    Warned,
    /// It has errors.
    Errored,
    /// It is not of a kind that is taken here.
    Rejected,
}

/// What becomes of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    findings: Vec<Finding>,
    more: u32,
    code: Code,
    class: Class,
    deliver: bool,
}

impl Verdict {
    /// MSA-1.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What it is counted as.
    pub fn class(&self) -> Class {
        self.class
    }

    /// Whether it is to be passed on.
    pub fn deliver(&self) -> bool {
        self.deliver
    }

    /// What is wrong, in the order found; at most [`FINDINGS_MAX`].
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many findings beyond those are not listed.
    pub fn more(&self) -> u32 {
        self.more
    }

    /// Adds a finding that rules out delivery, and the code that follows from it.
    pub(crate) fn add_error(&mut self, finding: Finding) {
        let rejects = is_rejection(&finding);
        self.list(finding);
        self.deliver = false;
        if rejects || self.code == Code::Reject {
            (self.code, self.class) = (Code::Reject, Class::Rejected);
        } else {
            (self.code, self.class) = (Code::Error, Class::Errored);
        }
    }

    /// The same message came before: it keeps its code but is not passed on again.
    pub(crate) fn mark_repeated(&mut self) {
        self.deliver = false;
        self.list(Finding::new(&message::REPEATED, Fault::Repeated, 1));
    }

    /// Lists a finding at the cost of the last one, if there is no room.
    fn list(&mut self, finding: Finding) {
        if self.findings.len() >= FINDINGS_MAX {
            self.findings.pop();
            self.more += 1;
        }
        self.findings.push(finding);
    }

    /// The registry refused it for good.
    pub(crate) fn mark_refused(&mut self, code: Code, words: &str) {
        let rule: &'static Rule =
            if code == Code::Reject { &message::REJECTED_BY_REGISTRY } else { &message::BY_REGISTRY };
        let mut finding = Finding::new(rule, Fault::ByRegistry, 1);
        let words: String = words.chars().take(TEXT_BYTES_MAX).collect();
        finding.words = (!words.trim().is_empty()).then(|| words.into());
        self.add_error(finding);
    }
}

/// Findings while they are collected.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    more: u32,
    worst: Option<Severity>,
    rejects: bool,
    warnings: Warnings,
    /// An error that is not the fault of an ORDER group alone.
    pub(crate) fatal: bool,
}

impl Findings {
    pub(crate) fn of(warnings: Warnings) -> Self {
        Self { warnings, ..Self::default() }
    }

    pub(crate) fn push(&mut self, finding: Finding) {
        if finding.severity() == Severity::Warning && self.warnings == Warnings::Off {
            return;
        }
        self.rejects |= is_rejection(&finding);
        self.worst = match (self.worst, finding.severity()) {
            (Some(Severity::Error), _) | (_, Severity::Error) => Some(Severity::Error),
            (Some(Severity::Warning), _) | (_, Severity::Warning) => Some(Severity::Warning),
            _ => Some(Severity::Information),
        };
        if self.list.len() < FINDINGS_MAX {
            self.list.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Whether a finding makes it AR.
    pub(crate) fn rejects(&self) -> bool {
        self.rejects
    }

    /// The verdict; `despite_errors` delivers a message although groups of it have errors.
    pub(crate) fn verdict(self, despite_errors: bool) -> Verdict {
        let (code, class, deliver) = match self.worst {
            _ if self.rejects => (Code::Reject, Class::Rejected, false),
            Some(Severity::Error) => (Code::Error, Class::Errored, despite_errors && !self.fatal),
            Some(Severity::Warning) if self.warnings == Warnings::Error => (Code::Error, Class::Warned, true),
            Some(Severity::Warning) => (Code::Accept, Class::Warned, true),
            Some(Severity::Information) | None => (Code::Accept, Class::Accepted, true),
        };
        Verdict { findings: self.list, more: self.more, code, class, deliver }
    }
}

fn is_rejection(finding: &Finding) -> bool {
    finding.code() / 100 == 2
}
